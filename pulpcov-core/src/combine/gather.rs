//! Reading inputs on all cores, and merging them as they come.
//!
//! Each worker takes the next input and merges it into a data set of its own, so that no
//! more inputs are decoded at a time than there are workers. Duplicates are told and paths are
//! renamed in the order of the inputs (`turns`): the automatic aliases of relative paths
//! depend on which path came first.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::event::Event;
use super::turns::Turns;
use crate::data::{CoverageData, Measurement};
use crate::error::{Error, Result};
use crate::formats::{DataFile, Decoded, FileIdentity};
use crate::paths::PathAliases;

/// What became of one input.
pub(super) enum Outcome {
    /// Its rows are in the result.
    Read { identity: FileIdentity, measurement: Option<Measurement>, orphan_rows: u64 },
    /// It holds the same bytes as the input of that number.
    Duplicate { identity: FileIdentity, of: usize },
    /// It cannot be read.
    Failed(Error),
}

/// All inputs' rows, kept apart by what was measured, and what became of each input.
pub(super) struct Gathered {
    pub(super) data: Parts,
    pub(super) outcomes: Vec<Outcome>,
}

/// Line data and branch data do not go into one data set.
#[derive(Default)]
pub(super) struct Parts(BTreeMap<Option<Measurement>, CoverageData>);

impl Parts {
    pub(super) fn add(&mut self, data: CoverageData) -> Result<()> {
        match self.0.remove(&data.measurement()) {
            Some(mut all) => {
                all.merge(data)?;
                self.0.insert(all.measurement(), all);
            }
            None => drop(self.0.insert(data.measurement(), data)),
        }
        Ok(())
    }

    #[cfg(feature = "parallel")]
    fn merge(&mut self, other: Self) -> Result<()> {
        other.0.into_values().try_for_each(|data| self.add(data))
    }

    pub(super) fn into_parts(self) -> impl Iterator<Item = CoverageData> {
        self.0.into_values()
    }
}

/// What is decided in the order of the inputs.
struct InOrder<'a> {
    aliases: &'a mut PathAliases,
    seen: HashMap<[u8; 32], usize>,
}

enum Admission {
    Duplicate { of: usize },
    Fresh,
}

impl InOrder<'_> {
    fn admit(&mut self, number: usize, file: &mut DataFile) -> Result<Admission> {
        if let Some(digest) = file.digest() {
            match self.seen.get(digest) {
                Some(&of) => return Ok(Admission::Duplicate { of }),
                None => drop(self.seen.insert(*digest, number)),
            }
        }
        file.rename(|path| self.aliases.map_file(path))?;
        Ok(Admission::Fresh)
    }
}

/// Read and merge all inputs.
///
/// # Errors
///
/// Only if good inputs contradict each other; an input that cannot be read is an [`Outcome`].
pub(super) fn gather(
    inputs: &[PathBuf],
    aliases: &mut PathAliases,
    drop_contexts: bool,
    event: impl Fn(Event<'_>) + Sync,
) -> Result<Gathered> {
    let pool = Pool {
        inputs,
        next: AtomicUsize::new(0),
        turns: Turns::new(InOrder { aliases, seen: HashMap::new() }),
        outcomes: Mutex::new(BTreeMap::new()),
        drop_contexts,
        event,
    };
    let data = pool.run()?;
    let outcomes =
        pool.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect();
    Ok(Gathered { data, outcomes })
}

struct Pool<'a, E> {
    inputs: &'a [PathBuf],
    next: AtomicUsize,
    turns: Turns<InOrder<'a>>,
    outcomes: Mutex<BTreeMap<usize, Outcome>>,
    drop_contexts: bool,
    event: E,
}

impl<E: Fn(Event<'_>) + Sync> Pool<'_, E> {
    #[cfg(feature = "parallel")]
    fn run(&self) -> Result<Parts> {
        use rayon::prelude::*;
        let workers = rayon::current_num_threads().min(self.inputs.len()).max(1);
        (0..workers).into_par_iter().with_max_len(1).map(|_| self.work()).reduce(
            || Ok(Parts::default()),
            |a, b| {
                let mut all = a?;
                all.merge(b?)?;
                Ok(all)
            },
        )
    }

    #[cfg(not(feature = "parallel"))]
    fn run(&self) -> Result<Parts> {
        self.work()
    }

    /// Take inputs until there are none left.
    fn work(&self) -> Result<Parts> {
        let mut parts = Parts::default();
        let mut conflict = Ok(());
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = self.inputs.get(number) else { return conflict.map(|()| parts) };
            let outcome = match self.read(number, path) {
                Ok((outcome, data)) => {
                    // After a conflict the rest is still read: other workers wait for these turns.
                    if let Some(data) = data.filter(|_| conflict.is_ok()) {
                        conflict = parts.add(data).map_err(|err| err.with_path(path));
                    }
                    outcome
                }
                Err(err) => Outcome::Failed(err),
            };
            self.report(path, &outcome);
            self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(number, outcome);
        }
    }

    fn read(&self, number: usize, path: &Path) -> Result<(Outcome, Option<CoverageData>)> {
        let mut opened = DataFile::open(path);
        // The turn must be taken in any case.
        let admission = self.turns.take(number, |order| match &mut opened {
            Ok(file) => order.admit(number, file).map_err(|err| err.with_path(path)),
            Err(_) => Ok(Admission::Fresh),
        });
        let file = opened?;
        let identity = file.identity().clone();
        if let Admission::Duplicate { of } = admission? {
            return Ok((Outcome::Duplicate { identity, of }, None));
        }
        let Decoded { mut data, orphan_rows, .. } =
            file.drop_contexts(self.drop_contexts).read()?;
        data.forget_measurement_without_rows();
        let measurement = data.measurement();
        Ok((Outcome::Read { identity, measurement, orphan_rows }, Some(data)))
    }

    fn report(&self, path: &Path, outcome: &Outcome) {
        (self.event)(match outcome {
            Outcome::Read { .. } => Event::Read { path },
            Outcome::Duplicate { .. } => Event::Duplicate { path },
            Outcome::Failed(error) => Event::LeftOut { path, error },
        });
    }
}
