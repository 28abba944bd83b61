//! Reads inputs on all cores, and merges each one as it arrives.
//!
//! Each worker takes the next input and merges it into a data set of its own. At any time there are at most
//! as many decoded inputs as workers.
//!
//! Duplicates are found and paths are renamed in the order of the inputs (`sequencer`), because the automatic
//! aliases of relative paths depend on which path came first. Duplicates have equal hashes. An input is
//! hashed only if another has the same size.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::event::Event;
use super::sequencer::Sequencer;
use super::worker::{DecodedInput, KEPT, MemoryBudget, Parts, RenamedPaths, WorkerState};
use crate::data::stored_text::StoredText;
use crate::data::{Authors, FilePath, Measurement};
use crate::error::{Error, Result};
use crate::folder::Entry;
use crate::formats::{DataFile, FileIdentity};
use crate::paths::{PathAliases, isabs_anywhere};

/// What happened to an input.
pub(super) enum Outcome {
    /// Its rows are in the result.
    Read {
        identity: FileIdentity,
        measurement: Option<Measurement>,
        orphan_rows: u64,
        /// The permission bits that say whether the group and others may read the input.
        read_bits: u32,
    },
    /// It holds the same bytes as input number `of`.
    Duplicate { identity: FileIdentity, of: usize },
    /// It cannot be read.
    Failed(Error),
}

/// The rows of all inputs, separated by measurement, and the outcome of each input.
pub(super) struct Gathered {
    pub(super) data: Parts,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) folded: Vec<Folded>,
}

/// Two files of one input that became one file without an alias from the user.
///
/// With relative files, coverage.py treats every path that contains `folder/` as a path that begins there, if
/// another path does (`PathAliases`, "Generating rule"). So `shop/cart.py` and `plugins/shop/cart.py` become
/// one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Folded {
    /// The path of the first file.
    pub first: FilePath,
    /// The path of the second file.
    pub second: FilePath,
    /// The path that both became.
    pub into: FilePath,
}

/// The state that changes in the order of the inputs.
struct InOrder<'a> {
    aliases: &'a mut PathAliases,
    /// Input numbers by hash and authors. An input with the same bytes but other authors is not a duplicate,
    /// because it adds authors to the files.
    seen: HashMap<([u8; 32], Authors), usize>,
}

enum Admission {
    Duplicate {
        of: usize,
    },
    /// The new paths, for the paths without a known number.
    Fresh {
        new: Vec<FilePath>,
    },
}

impl InOrder<'_> {
    fn admit(
        &mut self,
        number: usize,
        file: &DataFile,
        numbers: &[Option<usize>],
    ) -> Result<Admission> {
        if let Some(digest) = file.digest() {
            let key = (*digest, file.authors().clone());
            match self.seen.get(&key) {
                Some(&of) => return Ok(Admission::Duplicate { of }),
                None => drop(self.seen.insert(key, number)),
            }
        }
        let new = file.stored_paths().zip(numbers).filter(|(_, number)| number.is_none());
        let new = new.map(|(path, _)| self.aliases.map_stored(path)).collect::<Result<_>>();
        Ok(Admission::Fresh { new: new.map_err(|err| err.with_path(file.path()))? })
    }
}

/// What to gather, and how.
pub(super) struct Gathering<'a> {
    pub(super) inputs: &'a [Entry],
    pub(super) drop_contexts: bool,
    /// The most memory that rows may take, in bytes. Other rows go to temporary files beside `data_file`.
    pub(super) memory: Option<usize>,
    /// Whether rows are on disk already. If so, all rows go there.
    pub(super) spilled: bool,
    pub(super) data_file: &'a Path,
}

impl Gathering<'_> {
    /// Reads and merges all inputs.
    ///
    /// # Errors
    ///
    /// Only if readable inputs contradict each other. An input that cannot be read is an [`Outcome`], not an
    /// error.
    pub(super) fn run(
        self,
        aliases: &mut PathAliases,
        event: impl Fn(Event<'_>) + Sync,
    ) -> Result<Gathered> {
        let workers = workers(self.inputs.len());
        // A rule that the user wrote is meant to fold files, so it needs no report.
        let folds_by_itself = aliases.is_relative() && !aliases.has_rules();
        let pool = Pool {
            sizes: Sizes::of(self.inputs),
            budget: MemoryBudget {
                bytes: self.memory.map(|bytes| bytes / workers),
                data_file: self.data_file,
                spilled: AtomicBool::new(self.spilled),
            },
            inputs: self.inputs,
            next: AtomicUsize::new(0),
            sequencer: Sequencer::new(InOrder { aliases, seen: HashMap::new() }),
            outcomes: Mutex::new(BTreeMap::new()),
            folded: folds_by_itself.then(Mutex::default),
            drop_contexts: self.drop_contexts,
            event,
        };
        let data = pool.run()?;
        let outcomes = pool.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let folded =
            pool.folded.map(|folded| folded.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(Gathered {
            data,
            outcomes: outcomes.into_values().collect(),
            folded: folded.unwrap_or_default().into_values().collect(),
        })
    }
}

fn workers(inputs: usize) -> usize {
    rayon::current_num_threads().min(inputs).max(1)
}

/// The sizes of the inputs, or 0 for an input that cannot be examined. If a size changes later, a duplicate
/// may be merged, which does not change the result.
struct Sizes {
    all: Vec<u64>,
    /// The number of inputs of each size.
    counts: HashMap<u64, usize>,
}

impl Sizes {
    fn of(inputs: &[Entry]) -> Self {
        let size = |input: &Entry| input.status().map_or(0, |status| status.size);
        let all: Vec<u64> = inputs.iter().map(size).collect();
        let mut counts = HashMap::new();
        all.iter().for_each(|size| *counts.entry(*size).or_default() += 1);
        Self { all, counts }
    }

    fn of_input(&self, number: usize) -> u64 {
        self.all.get(number).copied().unwrap_or_default()
    }

    /// Returns whether another input may hold the same bytes.
    fn is_shared(&self, number: usize) -> bool {
        self.counts.get(&self.of_input(number)).is_some_and(|count| *count > 1)
    }

    /// Returns about how much memory it takes at most to read an input: its bytes, its rows, and the rows
    /// again while they are merged.
    fn memory_to_read(&self, number: usize) -> usize {
        usize::try_from(self.of_input(number)).unwrap_or(usize::MAX).saturating_mul(3)
    }
}

struct Pool<'a, E> {
    sizes: Sizes,
    budget: MemoryBudget<'a>,
    inputs: &'a [Entry],
    next: AtomicUsize,
    sequencer: Sequencer<InOrder<'a>>,
    outcomes: Mutex<BTreeMap<usize, Outcome>>,
    /// Folded files by their new path, or `None` if they are not reported.
    folded: Option<Mutex<BTreeMap<FilePath, Folded>>>,
    drop_contexts: bool,
    event: E,
}

impl<E: Fn(Event<'_>) + Sync> Pool<'_, E> {
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

    /// Takes inputs until none are left.
    fn work(&self) -> Result<Parts> {
        let mut state = WorkerState::default();
        let mut conflict = Ok(());
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(input) = self.inputs.get(number) else {
                return conflict
                    .and_then(|()| state.end(&self.budget))
                    .map(|()| state.into_parts());
            };
            conflict = conflict
                .and_then(|()| state.make_room(self.sizes.memory_to_read(number), &self.budget));
            let outcome = match self.read(number, input, &mut state) {
                Ok((outcome, decoded)) => {
                    // After a conflict the other inputs are still read, because other workers wait for their
                    // turns.
                    if let Some(decoded) = decoded.filter(|_| conflict.is_ok()) {
                        let added = state.add(decoded, &self.budget);
                        conflict = added.map_err(|err| err.with_path(input.path()));
                    }
                    outcome
                }
                Err(err) => Outcome::Failed(err),
            };
            self.report(input.path(), &outcome);
            self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(number, outcome);
        }
    }

    /// Reads an input, and returns its outcome and content.
    fn read(
        &self,
        number: usize,
        input: &Entry,
        WorkerState { renamed, buffer, .. }: &mut WorkerState,
    ) -> Result<(Outcome, Option<DecodedInput>)> {
        let opened = self
            .open(number, input, std::mem::take(buffer))
            .map(|file| (renamed.find(file.paths()), file));
        // The turn must be taken even if the input cannot be opened.
        let admission = self.sequencer.run_in_order(number, |order| {
            opened.as_ref().ok().map(|(found, file)| order.admit(number, file, found))
        });
        let (found, file) = opened?;
        let (identity, read_bits) = (file.identity().clone(), file.read_bits());
        let new = match admission.transpose()? {
            Some(Admission::Duplicate { of }) => {
                return Ok((Outcome::Duplicate { identity, of }, None));
            }
            Some(Admission::Fresh { new }) => new,
            None => Vec::new(),
        };
        let numbers = renamed.learn(file.stored_paths(), found, new);
        self.find_folded(&file, &numbers, renamed);
        let mut rows = file.drop_contexts(self.drop_contexts).into_rows(buffer)?;
        if buffer.capacity() > KEPT {
            *buffer = Vec::new();
        }
        rows.check_tracers(&numbers, renamed.paths.all())
            .map_err(|err| err.with_path(input.path()))?;
        if !rows.has_rows() {
            // coverage.py also forgets the measurement of an input without rows.
            rows.measurement = None;
        }
        let (measurement, orphan_rows) = (rows.measurement, rows.orphans);
        let outcome = Outcome::Read { identity, measurement, orphan_rows, read_bits };
        Ok((outcome, Some(DecodedInput { rows, numbers })))
    }

    /// Records files of the input that became one file.
    fn find_folded(&self, file: &DataFile, numbers: &[usize], renamed: &RenamedPaths) {
        let Some(folded) = &self.folded else { return };
        let mut first_of = HashMap::new();
        for (second, number) in file.stored_paths().zip(numbers) {
            let first = *first_of.entry(*number).or_insert(second);
            let is_relative = |path: StoredText<'_>| !isabs_anywhere(path.as_str().as_bytes());
            if first.as_str() != second.as_str()
                && is_relative(first)
                && is_relative(second)
                && let Some(into) = renamed.paths.all().get(*number)
            {
                let (first, second, into) = (first.into(), second.into(), into.clone());
                let mut folded = folded.lock().unwrap_or_else(PoisonError::into_inner);
                folded.entry(into.clone()).or_insert(Folded { first, second, into });
            }
        }
    }

    /// Opens an input, and reads it into `buffer`. A single input has no duplicate, so it is neither hashed
    /// nor held in memory: it is read in place, on all cores, under SQLite's read lock.
    fn open(&self, number: usize, input: &Entry, buffer: Vec<u8>) -> Result<DataFile> {
        match self.inputs {
            [_] => DataFile::open_entry_in_place(input),
            _ => DataFile::open_into(input, buffer, self.sizes.is_shared(number)),
        }
    }

    fn report(&self, path: &Path, outcome: &Outcome) {
        (self.event)(match outcome {
            Outcome::Read { .. } => Event::Read { path },
            Outcome::Duplicate { .. } => Event::Duplicate { path },
            Outcome::Failed(error) => Event::Unreadable { path, error },
        });
    }
}
