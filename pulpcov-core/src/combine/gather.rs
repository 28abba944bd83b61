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
use super::spill::Run;
use super::turns::Turns;
use crate::data::{CoverageData, Measurement};
use crate::error::{Error, ErrorKind, Result};
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
pub(super) struct Parts {
    data: BTreeMap<Option<Measurement>, CoverageData>,
    /// Rows of these data sets that are not in memory.
    runs: Vec<Run>,
    /// The rows in memory are not larger than this.
    size: usize,
}

impl Parts {
    fn add(&mut self, data: CoverageData) -> Result<()> {
        match self.data.remove(&data.measurement()) {
            Some(mut all) => {
                all.merge(data)?;
                self.data.insert(all.measurement(), all);
            }
            None => drop(self.data.insert(data.measurement(), data)),
        }
        Ok(())
    }

    /// Add what was read, and see to it that the rows do not take more memory than they may.
    fn add_within(&mut self, data: CoverageData, room: &Room<'_>) -> Result<()> {
        if room.bytes.is_none() {
            return self.add(data);
        }
        self.size += data.rows_size();
        self.add(data)?;
        if room.bytes.is_some_and(|bytes| self.size > bytes) {
            // Less than the sum, for rows of several inputs are one.
            self.size = self.data.values().map(CoverageData::rows_size).sum();
            if room.bytes.is_some_and(|bytes| self.size > bytes / 2) {
                self.spill(room.folder)?;
            }
        }
        Ok(())
    }

    /// Put the rows on disk.
    fn spill(&mut self, folder: &Path) -> Result<()> {
        // The result will need it too.
        let _ = std::fs::create_dir_all(folder);
        for data in self.data.values_mut().filter(|data| data.has_rows()) {
            let run = Run::write(data, folder).map_err(|err| {
                Error::new(
                    ErrorKind::Io,
                    format!("rows that do not fit in memory cannot be written: {err}"),
                )
                .with_path(folder)
            })?;
            data.forget_rows();
            self.runs.push(run);
        }
        self.size = 0;
        Ok(())
    }

    #[cfg(feature = "parallel")]
    fn merge(&mut self, mut other: Self) -> Result<()> {
        self.runs.append(&mut other.runs);
        other.data.into_values().try_for_each(|data| self.add(data))
    }

    pub(super) fn into_parts(self) -> (impl Iterator<Item = CoverageData>, Vec<Run>) {
        (self.data.into_values(), self.runs)
    }
}

/// How much memory each worker's rows may take, and where they go if they need more.
struct Room<'a> {
    bytes: Option<usize>,
    folder: &'a Path,
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

/// Read and merge all inputs. Rows that take more than `memory` bytes go to temporary files in `folder`.
///
/// # Errors
///
/// Only if good inputs contradict each other; an input that cannot be read is an [`Outcome`].
pub(super) fn gather(
    inputs: &[PathBuf],
    aliases: &mut PathAliases,
    drop_contexts: bool,
    memory: Option<usize>,
    folder: &Path,
    event: impl Fn(Event<'_>) + Sync,
) -> Result<Gathered> {
    let workers = workers(inputs.len());
    let pool = Pool {
        room: Room { bytes: memory.map(|bytes| bytes / workers), folder },
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

#[cfg(feature = "parallel")]
fn workers(inputs: usize) -> usize {
    rayon::current_num_threads().min(inputs).max(1)
}

#[cfg(not(feature = "parallel"))]
fn workers(_: usize) -> usize {
    1
}

struct Pool<'a, E> {
    room: Room<'a>,
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
        (0..workers(self.inputs.len())).into_par_iter().with_max_len(1).map(|_| self.work()).reduce(
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
                        conflict =
                            parts.add_within(data, &self.room).map_err(|err| err.with_path(path));
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
