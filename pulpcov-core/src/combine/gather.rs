//! Reads inputs on all cores, and merges each one as it arrives.
//!
//! Each worker takes the next input and merges it into a data set of its own. At any time there are at most
//! as many decoded inputs as workers.
//!
//! Duplicates are found and paths are renamed in the order of the inputs (`sequencer`), because the automatic
//! aliases of relative paths depend on which path came first. Duplicates have equal hashes. An input is
//! hashed only if another has the same size, or may be in an archive.
//!
//! An input that turns out to be an archive is set aside. Once all other inputs are read, the files in archives follow (`members`).

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::event::Event;
#[cfg(feature = "archives")]
use super::members::{
    Arriving, Container, FoundInside, Inside, Labels, Scopes, Stream, send_members,
};
use super::sequencer::Sequencer;
use super::worker::{DecodedInput, KEPT, MemoryBudget, Parts, RenamedPaths, Scope, WorkerState};
use crate::data::stored_text::StoredText;
use crate::data::{Authors, FilePath, Measurement};
#[cfg(feature = "archives")]
use crate::discover::is_archive_name;
#[cfg(feature = "archives")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::folder::Entry;
use crate::formats::{DataFile, FileIdentity};
#[cfg(feature = "archives")]
use crate::formats::{FileKind, stranger};
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
    /// The data files in it are inputs of their own.
    #[cfg(feature = "archives")]
    Container,
    /// It is an archive without data files, which nobody has named.
    #[cfg(feature = "archives")]
    Nothing(Error),
}

/// An input that was read, or tried.
pub(super) struct Examined {
    pub(super) path: PathBuf,
    pub(super) outcome: Outcome,
}

/// The rows of all inputs, separated by measurement, and the outcome of each input.
pub(super) struct Gathered {
    pub(super) data: Parts,
    /// The inputs in their order. Those after the last file are in archives.
    pub(super) examined: Vec<Examined>,
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
    /// Input numbers by hash, authors and label. An input with the same bytes but other authors is not a duplicate,
    /// because it adds authors to the files. With another label, it has other paths or contexts.
    seen: HashMap<([u8; 32], Authors, Label), usize>,
    #[cfg(feature = "archives")]
    scopes: Scopes,
}

/// What is known of an input besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Label {
    pub(super) scope: Scope,
    /// The name of its context, if it has none.
    pub(super) context: Option<String>,
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
        label: &Label,
        numbers: &[Option<usize>],
    ) -> Result<Admission> {
        if let Some(digest) = file.digest() {
            let key = (*digest, file.authors().clone(), label.clone());
            match self.seen.get(&key) {
                Some(&of) => return Ok(Admission::Duplicate { of }),
                None => drop(self.seen.insert(key, number)),
            }
        }
        let new = file.stored_paths().zip(numbers).filter(|(_, number)| number.is_none());
        let new = new.map(|(path, _)| self.map(label.scope, path)).collect::<Result<_>>();
        Ok(Admission::Fresh { new: new.map_err(|err| err.with_path(file.path()))? })
    }

    #[cfg_attr(
        not(feature = "archives"),
        expect(unused_variables, reason = "archives have scopes")
    )]
    fn map(&mut self, scope: Scope, path: StoredText<'_>) -> Result<FilePath> {
        #[cfg(feature = "archives")]
        if let Some(scope) = scope
            && let Some(mapped) = self.scopes.map(scope, path)?
        {
            return Ok(mapped);
        }
        self.aliases.map_stored(path)
    }
}

/// What to gather, and how.
pub(super) struct Gathering<'a> {
    /// Files. Those of them that are archives are looked into.
    pub(super) inputs: &'a [Entry],
    #[cfg(feature = "archives")]
    pub(super) base: &'a str,
    #[cfg(feature = "archives")]
    pub(super) inside: Inside<'a>,
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
        // A rule that the user wrote is meant to fold files, so it needs no report.
        let folds_by_itself = aliases.is_relative() && !aliases.has_rules();
        #[cfg(feature = "archives")]
        let scopes = Scopes::default();
        let pool = Pool {
            sizes: Sizes::of(self.inputs),
            hashes_all: self.may_have_archives(),
            memory: self.memory,
            data_file: self.data_file,
            spilled: AtomicBool::new(self.spilled),
            inputs: self.inputs,
            #[cfg(feature = "archives")]
            base: self.base,
            #[cfg(feature = "archives")]
            archives: self.inside.archives,
            sequencer: Sequencer::new(InOrder {
                aliases,
                seen: HashMap::new(),
                #[cfg(feature = "archives")]
                scopes: scopes.clone(),
            }),
            examined: Mutex::new(BTreeMap::new()),
            folded: folds_by_itself.then(Mutex::default),
            drop_contexts: self.drop_contexts,
            event,
        };
        #[cfg_attr(not(feature = "archives"), expect(unused_mut, reason = "archives add to it"))]
        let mut data = pool.read_files()?;
        #[cfg(feature = "archives")]
        data.merge(pool.read_members(self.inside, scopes)?)?;
        let examined = pool.examined.into_inner().unwrap_or_else(PoisonError::into_inner);
        let folded =
            pool.folded.map(|folded| folded.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(Gathered {
            data,
            examined: examined.into_values().collect(),
            folded: folded.unwrap_or_default().into_values().collect(),
        })
    }

    /// Returns whether data files in archives may be the same as others.
    #[cfg(feature = "archives")]
    fn may_have_archives(&self) -> bool {
        let is_archive = |input: &Entry| input.name().to_str().is_some_and(is_archive_name);
        let Inside { archives, streams, .. } = &self.inside;
        !streams.is_empty() || *archives && self.inputs.iter().any(is_archive)
    }

    #[cfg(not(feature = "archives"))]
    fn may_have_archives(&self) -> bool {
        false
    }
}

fn threads() -> usize {
    rayon::current_num_threads().max(1)
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

/// An input that a worker takes.
enum Input<'i> {
    File(&'i Entry),
    #[cfg(feature = "archives")]
    Inside(FoundInside),
}

struct Pool<'a, E> {
    sizes: Sizes,
    /// Whether duplicates of files may be in archives.
    hashes_all: bool,
    memory: Option<usize>,
    data_file: &'a Path,
    spilled: AtomicBool,
    inputs: &'a [Entry],
    /// The base name of data files.
    #[cfg(feature = "archives")]
    base: &'a str,
    /// Whether archives are looked into.
    #[cfg(feature = "archives")]
    archives: bool,
    sequencer: Sequencer<InOrder<'a>>,
    examined: Mutex<BTreeMap<usize, Examined>>,
    /// Folded files by their new path, or `None` if they are not reported.
    folded: Option<Mutex<BTreeMap<FilePath, Folded>>>,
    drop_contexts: bool,
    event: E,
}

impl<E: Fn(Event<'_>) + Sync> Pool<'_, E> {
    /// Reads and merges all files, except archives.
    fn read_files(&self) -> Result<Parts> {
        let next = AtomicUsize::new(0);
        self.run(threads().min(self.inputs.len()).max(1), || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            Some((number, Input::File(self.inputs.get(number)?)))
        })
    }

    /// Reads and merges all data files in archives and streams.
    #[cfg(feature = "archives")]
    fn read_members(&self, inside: Inside<'_>, scopes: Scopes) -> Result<Parts> {
        let Inside { named, streams, search, routes, test_ids, .. } = inside;
        let containers = self.containers(named, streams);
        if containers.is_empty() {
            return Ok(Parts::default());
        }
        // What is unpacked waits for a worker, so no more is unpacked than is read.
        let (sender, receiver) = std::sync::mpsc::sync_channel(0);
        let arriving = Arriving::new(self.inputs.len(), receiver);
        std::thread::scope(|scope| {
            let send =
                || send_members(containers, &search, Labels::new(routes, scopes, test_ids), sender);
            let sending = std::thread::Builder::new()
                .spawn_scoped(scope, send)
                .map_err(|err| Error::new(ErrorKind::Io, err))?;
            let read = self.run(threads(), || {
                arriving.next().map(|(number, found)| (number, Input::Inside(found)))
            });
            sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            read
        })
    }

    /// Returns the files that turned out to be archives, and the streams.
    #[cfg(feature = "archives")]
    fn containers<'s>(&self, named: usize, streams: Vec<Stream<'s>>) -> Vec<Container<'_, 's>> {
        let examined = self.examined.lock().unwrap_or_else(PoisonError::into_inner);
        let archives = examined.iter().filter_map(|(number, examined)| match examined.outcome {
            Outcome::Container => {
                let (entry, is_named) = (self.inputs.get(*number)?, *number < named);
                Some(Container::Archive { entry, is_named })
            }
            _ => None,
        });
        archives.chain(streams.into_iter().map(Container::Stream)).collect()
    }

    /// Reads and merges inputs on several threads. Each takes the `next` input until there is none.
    fn run<'i>(
        &self,
        workers: usize,
        next: impl Fn() -> Option<(usize, Input<'i>)> + Sync,
    ) -> Result<Parts> {
        use rayon::prelude::*;
        let budget = MemoryBudget {
            bytes: self.memory.map(|bytes| bytes / workers),
            data_file: self.data_file,
            spilled: &self.spilled,
        };
        (0..workers).into_par_iter().with_max_len(1).map(|_| self.work(&budget, &next)).reduce(
            || Ok(Parts::default()),
            |a, b| {
                let mut all = a?;
                all.merge(b?)?;
                Ok(all)
            },
        )
    }

    /// Takes inputs until none are left.
    fn work<'i>(
        &self,
        budget: &MemoryBudget<'_>,
        next: &impl Fn() -> Option<(usize, Input<'i>)>,
    ) -> Result<Parts> {
        let mut state = WorkerState::default();
        let mut conflict = Ok(());
        while let Some((number, input)) = next() {
            let path = input.path().to_owned();
            conflict =
                conflict.and_then(|()| state.make_room(self.sizes.memory_to_read(number), budget));
            let outcome = match self.read(number, input, &mut state) {
                Ok((outcome, decoded)) => {
                    // After a conflict the other inputs are still read, because other workers wait for their
                    // turns.
                    if let Some(decoded) = decoded.filter(|_| conflict.is_ok()) {
                        let added = state.add(decoded, budget);
                        conflict = added.map_err(|err| err.with_path(&path));
                    }
                    outcome
                }
                Err(err) => self.outcome_of(number, err),
            };
            self.report(&path, &outcome);
            let examined = Examined { path, outcome };
            self.examined.lock().unwrap_or_else(PoisonError::into_inner).insert(number, examined);
        }
        conflict.and_then(|()| state.end(budget)).map(|()| state.into_parts())
    }

    /// Reads an input, and returns its outcome and content.
    fn read(
        &self,
        number: usize,
        input: Input<'_>,
        WorkerState { renamed, buffer, .. }: &mut WorkerState,
    ) -> Result<(Outcome, Option<DecodedInput>)> {
        let label = self.label(&input);
        let opened = self
            .open(number, input, std::mem::take(buffer))
            .map(|file| (renamed.find(label.scope, file.paths()), file));
        // The turn must be taken even if the input cannot be opened.
        let admission = self.sequencer.run_in_order(number, |order| {
            opened.as_ref().ok().map(|(found, file)| order.admit(number, file, &label, found))
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
        let numbers = renamed.learn(label.scope, file.stored_paths(), found, new);
        self.find_folded(&file, &numbers, renamed);
        let path = file.path().to_owned();
        let mut rows = file.drop_contexts(self.drop_contexts).into_rows(buffer)?;
        #[cfg(feature = "archives")]
        if let Some(name) = label.context.as_deref().and_then(|name| StoredText::new(name).ok()) {
            rows.name_only_context(name);
        }
        if buffer.capacity() > KEPT {
            *buffer = Vec::new();
        }
        rows.check_tracers(&numbers, renamed.paths.all()).map_err(|err| err.with_path(path))?;
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

    #[cfg_attr(
        not(feature = "archives"),
        expect(unused_variables, reason = "files have no labels")
    )]
    fn label(&self, input: &Input<'_>) -> Label {
        #[cfg(feature = "archives")]
        if let Input::Inside(found) = input {
            return found.label();
        }
        Label::default()
    }

    /// Opens an input, and reads it into `buffer`. A single input has no duplicate, so it is neither hashed
    /// nor held in memory: it is read in place, on all cores, under SQLite's read lock.
    fn open(&self, number: usize, input: Input<'_>, buffer: Vec<u8>) -> Result<DataFile> {
        match (input, self.inputs) {
            (Input::File(file), [_]) if !self.hashes_all => DataFile::open_entry_in_place(file),
            (Input::File(file), _) => {
                let is_hashed = self.hashes_all || self.sizes.is_shared(number);
                DataFile::open_into(file, buffer, is_hashed)
            }
            #[cfg(feature = "archives")]
            (Input::Inside(found), _) => found.open(buffer),
        }
    }

    /// Returns what an error says of an input.
    #[cfg_attr(not(feature = "archives"), expect(unused, reason = "archives are no errors"))]
    fn outcome_of(&self, number: usize, err: Error) -> Outcome {
        #[cfg(feature = "archives")]
        match (stranger(&err), self.inputs.get(number)) {
            _ if err.kind() == ErrorKind::NoData => return Outcome::Nothing(err),
            _ if !self.archives => {}
            (Some(kind), Some(_)) if kind.is_container() => return Outcome::Container,
            // A test runner may print much before the first packet of a stream. Nobody names a stream like a data file.
            (Some(FileKind::Unknown), Some(input)) if !self.is_named_like_data(input) => {
                return Outcome::Container;
            }
            _ => {}
        }
        Outcome::Failed(err)
    }

    #[cfg(feature = "archives")]
    fn is_named_like_data(&self, input: &Entry) -> bool {
        let prefix = format!("{}.", self.base);
        input.name().as_encoded_bytes().starts_with(prefix.as_bytes())
    }

    fn report(&self, path: &Path, outcome: &Outcome) {
        (self.event)(match outcome {
            Outcome::Read { .. } => Event::Read { path },
            Outcome::Duplicate { .. } => Event::Duplicate { path },
            Outcome::Failed(error) => Event::Unreadable { path, error },
            #[cfg(feature = "archives")]
            Outcome::Container => Event::Archive { path },
            #[cfg(feature = "archives")]
            Outcome::Nothing(_) => return,
        });
    }
}

impl Input<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::File(file) => file.path(),
            #[cfg(feature = "archives")]
            Self::Inside(found) => found.path(),
        }
    }
}
