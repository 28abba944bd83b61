//! The steps of a combine.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::contradiction::{InputsByMeasurement, name_conflicting_inputs};
use super::delete::delete_inputs;
use super::event::Event;
use super::existing_data::ExistingData;
use super::gather::{Folded, Gathered, Gathering};
use super::input_summary::InputSummary;
use super::lock::FolderLocks;
#[cfg(feature = "archives")]
use super::members::{Inside, LoadRoutes, Stream};
use super::spill::{AllRows, SpillFile};
use super::store::{replace_in_place, resolve_target, store_with};
use super::unfinished::{Mark, Unfinished};
use super::worker::Parts;
use crate::REFERENCE_VERSION;
#[cfg(feature = "archives")]
use crate::containers::Search;
#[cfg(feature = "archives")]
use crate::data::Authors;
use crate::data::CoverageData;
use crate::discover::{self, Found};
use crate::error::{Error, ErrorKind, Lines, Result};
use crate::folder::Entry;
use crate::formats::FileIdentity;
use crate::formats::sqlite::{self, RowSource};
use crate::links::folder_of;
use crate::output::Replacement;
use crate::paths::{PathAliases, WorkingFolder};
#[cfg(feature = "archives")]
use crate::subunit::RoutePattern;
use crate::text::plural;

/// Combines data files without losing data.
///
/// This is the counterpart of coverage.py's `combine_parallel_data`, and the rows of the result are the same.
/// It differs in these points:
///
/// - It reads every format.
/// - It deletes an input only after the result is durable, and only if the input has not changed.
/// - Damaged inputs never stop the others from being combined.
/// - A user may read the result only if the user may read every input. The umask and the mode of an older
///   result can restrict this further.
///
/// # Examples
///
/// ```
/// use pulpcov_core::combine::{Combiner, StoreFormat, store};
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let folder = tempfile::tempdir()?;
/// for (name, line) in [(".coverage.web.1.100", 3), (".coverage.worker.1.200", 4)] {
///     let mut data = CoverageData::new();
///     data.add_lines("app.py", "", &Numbits::from_iter([1, line]))?;
///     store(&data, folder.path().join(name), StoreFormat::Sqlite)?;
/// }
///
/// let result = Combiner::new(folder.path().join(".coverage")).run()?;
/// let data = result.data.expect("no limit of memory was set");
/// assert_eq!(data.lines("app.py").unwrap().len(), 3);
/// assert_eq!((result.read, result.left_out.len()), (2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Combiner<'a> {
    data_file: PathBuf,
    places: Vec<PathBuf>,
    archives: bool,
    #[cfg(feature = "archives")]
    streams: Vec<Stream<'a>>,
    #[cfg(feature = "archives")]
    routes: Option<LoadRoutes<'a>>,
    #[cfg(feature = "archives")]
    test_ids: bool,
    append: bool,
    keep: bool,
    mixed_as_lines: bool,
    drop_contexts: bool,
    memory: Option<usize>,
    aliases: Option<PathAliases>,
    on_event: Box<dyn Fn(Event<'_>) + Sync + 'a>,
}

impl fmt::Debug for Combiner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Combiner")
            .field("data_file", &self.data_file)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

/// What a combine did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Combined {
    /// The data as it was written. `None` if its rows exceeded [`Combiner::memory`], so that only the data file
    /// has them all.
    pub data: Option<CoverageData>,
    /// The number of inputs that were read and merged.
    pub read: usize,
    /// The number of inputs that held the same bytes as another one.
    pub duplicates: usize,
    /// An error for each input that is missing from the result, wholly or in part, and for each user's folder
    /// that could not be searched. None of these inputs was deleted.
    pub left_out: Vec<Error>,
    /// An error for each archive in which no data file was found, if nobody had named it.
    pub without_data: Vec<Error>,
    /// Archives that were not looked into, because their folder has data files.
    pub passed_over: Vec<PathBuf>,
    /// Files of one input that became one file because paths are relative, not because of a rule.
    pub folded: Vec<Folded>,
    /// An error for each input that is in the result but was not deleted, because deletion failed or because
    /// the input had changed.
    pub not_deleted: Vec<Error>,
}

impl Combined {
    /// Returns coverage.py's summary: `Combined 3 files, skipped 1, 1 file errored`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// std::fs::write(folder.path().join(".coverage.web.3.100"), "no data")?;
    /// let result = Combiner::new(&target).run()?;
    /// assert_eq!(result.summary(), "Combined 2 files, 1 file errored");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn summary(&self) -> String {
        let mut text = format!("Combined {}", plural(self.read, "file"));
        if self.duplicates > 0 {
            text.push_str(&format!(", skipped {}", self.duplicates));
        }
        if !self.left_out.is_empty() {
            text.push_str(&format!(", {} errored", plural(self.left_out.len(), "file")));
        }
        text
    }
}

impl<'a> Combiner<'a> {
    /// Creates a combiner that writes to `data_file`. The inputs' names begin with the name of that file.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// let result = Combiner::new(folder.path().join(".coverage")).run()?;
    /// assert_eq!(result.read, 2);
    /// // There is no input whose name begins with `other`.
    /// assert!(Combiner::new(folder.path().join("other")).run().is_err());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(data_file: impl Into<PathBuf>) -> Self {
        Self {
            data_file: data_file.into(),
            places: Vec::new(),
            archives: false,
            #[cfg(feature = "archives")]
            streams: Vec::new(),
            #[cfg(feature = "archives")]
            routes: None,
            #[cfg(feature = "archives")]
            test_ids: false,
            append: false,
            keep: false,
            mixed_as_lines: false,
            drop_contexts: false,
            memory: None,
            aliases: None,
            on_event: Box::new(|_| ()),
        }
    }

    /// Adds places to look for inputs: folders, or data files and archives by name. The default is the data file's folder.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// let place = tempfile::tempdir()?;
    /// let target = place.path().join(".coverage");
    /// let result = Combiner::new(&target).places([folder.path()]).run()?;
    /// assert_eq!(result.read, 2);
    /// assert!(target.exists());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn places<P: Into<PathBuf>>(mut self, places: impl IntoIterator<Item = P>) -> Self {
        self.places.extend(places.into_iter().map(Into::into));
        self
    }

    /// Looks into the archives among the inputs. By default they are left out, as by coverage.py. This needs the feature `archives`.
    ///
    /// An input is an archive if its content is. Of the folders among the places, the files [named like
    /// archives](discover::is_archive_name) are inputs, too, unless the folder has data files of its own. Archives are not deleted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::ErrorKind;
    /// use pulpcov_core::combine::Combiner;
    ///
    /// let folder = tempfile::tempdir()?;
    /// // An archive without files.
    /// std::fs::write(folder.path().join("empty.zip"), [&b"PK\x05\x06"[..], &[0; 18]].concat())?;
    /// let combiner = || Combiner::new(folder.path().join(".coverage"));
    /// assert_eq!(combiner().run().unwrap_err().to_string(), "No data to combine");
    /// # if cfg!(feature = "archives") {
    /// let err = combiner().archives(true).run().unwrap_err();
    /// assert!(err.to_string().contains("empty.zip: no file in it is a data file"));
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn archives(mut self, archives: bool) -> Self {
        self.archives = archives;
        self
    }

    /// Adds an input that is no file, such as standard input: a data file, or an archive. `authors` may have written it. Messages
    /// call it `name`. If there are no [`places`](Self::places), no folder is looked into.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Authors;
    /// use pulpcov_core::combine::Combiner;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let file = br#"!coverage.py: This is a private format, don't read it directly!{"lines":{"a.py":[1]}}"#;
    /// let target = folder.path().join(".coverage");
    /// let result = Combiner::new(target).stream("pipe", Authors::Caller, &file[..]).run()?;
    /// assert_eq!(result.summary(), "Combined 1 file");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "archives")]
    #[must_use]
    pub fn stream(
        mut self,
        name: impl Into<PathBuf>,
        authors: Authors,
        reader: impl std::io::Read + Send + 'a,
    ) -> Self {
        self.streams.push(Stream { name: name.into(), authors, reader: Box::new(reader) });
        self
    }

    /// Sets the aliases for data that came by routes of subunit streams, as from other machines. The pattern that fits a route best
    /// counts; see [`RoutePattern::best`]. Its aliases come before [those of all data](Self::aliases). `load` is called if any data
    /// came by a route.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Authors;
    /// use pulpcov_core::combine::Combiner;
    /// use pulpcov_core::paths::{PathAliases, WorkingFolder};
    /// use pulpcov_core::subunit::{FilePart, Packet};
    ///
    /// let content = br#"!coverage.py: This is a private format, don't read it directly!{"lines":{"/a/x.py":[1]}}"#;
    /// let file = Some(FilePart { name: "data", content });
    /// let packet = Packet { route: Some("0/3"), file, is_eof: true, ..Packet::default() };
    ///
    /// let folder = tempfile::tempdir()?;
    /// let routes = || {
    ///     let mut aliases = PathAliases::new(WorkingFolder::new("/")).exists(|_| true);
    ///     aliases.add("/a", "/src")?;
    ///     Ok(vec![("0".parse().unwrap(), aliases)])
    /// };
    /// let combiner = Combiner::new(folder.path().join(".coverage")).routes(routes);
    /// let data = combiner.stream("run", Authors::Caller, &*packet.encode()?).run()?.data.unwrap();
    /// assert!(data.file("/src/x.py").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "archives")]
    #[must_use]
    pub fn routes(
        mut self,
        load: impl FnOnce() -> Result<Vec<(RoutePattern, PathAliases)>> + Send + 'a,
    ) -> Self {
        self.routes = Some(Box::new(load));
        self
    }

    /// Gives data whose only context is the unnamed one the id of its test as context, if it is attached to a test in a subunit
    /// stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Authors;
    /// use pulpcov_core::combine::Combiner;
    /// use pulpcov_core::subunit::{FilePart, Packet};
    ///
    /// let content = br#"!coverage.py: This is a private format, don't read it directly!{"lines":{"a.py":[1]}}"#;
    /// let file = Some(FilePart { name: "data", content });
    /// let packet = Packet { test_id: Some("test_add"), file, is_eof: true, ..Packet::default() };
    ///
    /// let folder = tempfile::tempdir()?;
    /// let combiner = Combiner::new(folder.path().join(".coverage")).test_ids_as_contexts(true);
    /// let data = combiner.stream("run", Authors::Caller, &*packet.encode()?).run()?.data.unwrap();
    /// assert_eq!(data.contexts(), ["test_add"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "archives")]
    #[must_use]
    pub fn test_ids_as_contexts(mut self, test_ids: bool) -> Self {
        self.test_ids = test_ids;
        self
    }

    /// Appends to the data file instead of replacing it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// let mut old = CoverageData::new();
    /// old.add_lines("app.py", "", &Numbits::from_iter([9]))?;
    /// store(&old, &target, StoreFormat::Sqlite)?;
    /// let data = Combiner::new(&target).append(true).run()?.data.unwrap();
    /// assert_eq!(data.lines("app.py"), Some(Numbits::from_iter([1, 3, 4, 9])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    /// Keeps the inputs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// Combiner::new(&target).keep(true).run()?;
    /// assert!(folder.path().join(".coverage.web.1.100").exists());
    /// Combiner::new(&target).run()?;
    /// assert!(!folder.path().join(".coverage.web.1.100").exists());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Reduces all inputs to lines if some hold lines and some arcs. By default this is an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::ErrorKind;
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// let mut branches = CoverageData::new();
    /// branches.add_arcs("app.py", "", [(-1, 1), (1, 5)])?;
    /// store(&branches, folder.path().join(".coverage.web.3.100"), StoreFormat::Sqlite)?;
    /// let err = Combiner::new(&target).run().unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::MixedData);
    ///
    /// let data = Combiner::new(&target).mixed_as_lines(true).run()?.data.unwrap();
    /// assert_eq!(data.lines("app.py"), Some(Numbits::from_iter([1, 3, 4, 5])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn mixed_as_lines(mut self, as_lines: bool) -> Self {
        self.mixed_as_lines = as_lines;
        self
    }

    /// Merges all contexts into the unnamed one. Contexts can take 60 times the space of the other data.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// let data = Combiner::new(&target).drop_contexts(true).run()?.data.unwrap();
    /// assert_eq!(data.contexts(), [""]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn drop_contexts(mut self, drop: bool) -> Self {
        self.drop_contexts = drop;
        self
    }

    /// Keeps about `bytes` bytes of rows in memory at most. The default is to keep all rows in memory.
    ///
    /// Rows beyond that go to temporary files beside the data file, and from there to the data file. Then
    /// [`Combined::data`] is `None`.
    ///
    /// The limit does not include:
    ///
    /// - one input per core while it is read, and one file of an archive that waits,
    /// - the names of files and contexts,
    /// - all rows of one source file,
    /// - a data file that is [appended](Self::append) to, if its layout is not the one that coverage.py
    ///   writes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits, formats::DataFile};
    /// # let folder = tempfile::tempdir()?;
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "", &Numbits::from_iter([1, 3]))?;
    /// # store(&data, folder.path().join(".coverage.web.1.100"), StoreFormat::Sqlite)?;
    /// let target = folder.path().join(".coverage");
    /// Combiner::new(&target).memory(64 << 20).run()?;
    /// assert_eq!(DataFile::open(&target)?.read()?.data.lines("app.py").unwrap().len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Sets the aliases that rename the source paths of the inputs. Without aliases, only slashes are
    /// converted to those of this system.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::paths::{PathAliases, WorkingFolder};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// data.add_lines("/ci/7/src/app.py", "", &Numbits::from_iter([1]))?;
    /// store(&data, folder.path().join(".coverage.web.1.100"), StoreFormat::Sqlite)?;
    /// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent")).exists(|_| true);
    /// aliases.add("/ci/*/src", "/nonexistent")?;
    /// let data = Combiner::new(&target).aliases(aliases).run()?.data.unwrap();
    /// assert!(data.file("/nonexistent/app.py").is_some());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn aliases(mut self, aliases: PathAliases) -> Self {
        self.aliases = Some(aliases);
        self
    }

    /// Calls `on_event` at each step, for progress and messages.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicUsize, Ordering};
    /// # use pulpcov_core::combine::Event;
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// let read = AtomicUsize::new(0);
    /// Combiner::new(&target)
    ///     .on_event(|event| {
    ///         if let Event::Read { .. } = event {
    ///             read.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     })
    ///     .run()?;
    /// assert_eq!(read.into_inner(), 2);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn on_event(mut self, on_event: impl Fn(Event<'_>) + Sync + 'a) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// Combines the inputs.
    ///
    /// # Errors
    ///
    /// On error no input was deleted and the data file is unchanged.
    ///
    /// - [`ErrorKind::NoData`] if there is no input, or none that can be read.
    /// - [`ErrorKind::MixedData`] and [`ErrorKind::TracerConflict`] if inputs contradict each other.
    /// - [`ErrorKind::Busy`] if another combine is running in the same folders.
    /// - [`ErrorKind::Io`] if the result cannot be written. If only the sync of its folder failed, the data
    ///   file is complete.
    /// - With [`append`](Self::append), any error of reading the data file.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::ErrorKind;
    /// # use pulpcov_core::combine::{Combiner, StoreFormat, store};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let target = folder.path().join(".coverage");
    /// # for (pid, line) in [(1, 3), (2, 4)] {
    /// #     let mut data = CoverageData::new();
    /// #     data.add_lines("app.py", &format!("test_{pid}"), &Numbits::from_iter([1, line]))?;
    /// #     store(&data, folder.path().join(format!(".coverage.web.{pid}.100")), StoreFormat::Sqlite)?;
    /// # }
    /// let data = Combiner::new(&target).run()?.data.unwrap();
    /// assert_eq!(data.contexts_by_line("app.py")[&1], ["test_1", "test_2"]);
    /// // The inputs are gone.
    /// assert_eq!(Combiner::new(&target).run().unwrap_err().kind(), ErrorKind::NoData);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn run(mut self) -> Result<Combined> {
        // The data file may be a link. The inputs' names begin with the name of the link.
        let target = resolve_target(&self.data_file)?;
        let _locks = self.lock(folder_of(&target))?;
        let unfinished = Unfinished::clean_up_and_find_marks(&folder_of(&target), &target);
        if unfinished.any() {
            (self.on_event)(Event::Resuming { data_file: &self.data_file });
            self.append = true;
        }
        let Found { files: mut inputs, archives, passed_over, left_out } = self.find()?;
        let named = inputs.len();
        inputs.extend(archives);
        if inputs.is_empty() && !self.has_streams() && !unfinished.any() {
            return Err(match left_out.is_empty() {
                true => Error::new(ErrorKind::NoData, "No data to combine"),
                false => no_usable_data(&left_out),
            });
        }
        (self.on_event)(Event::Found { inputs: inputs.len() });
        let existing = match self.append {
            true => ExistingData::load(&target, self.drop_contexts, self.memory)?,
            false => None,
        };
        let gathered = self.gather(&inputs, named, existing.as_ref(), &target)?;
        let mut summary = InputSummary::new(&inputs, gathered.examined, left_out);
        if summary.read.is_empty() && !unfinished.any() {
            summary.left_out.append(&mut summary.without_data);
            return Err(no_usable_data(&summary.left_out));
        }
        let read = existing.as_ref().map(|existing| existing.identity.clone());
        let mut result = self.merge(existing, gathered.data, summary)?;
        result.combined.folded = gathered.folded;
        result.combined.passed_over = passed_over;
        let mark = self.write(&result, &target, read.as_ref())?;
        unfinished.clear();
        Ok(self.delete(result, mark, &folder_of(&target)))
    }

    fn has_streams(&self) -> bool {
        #[cfg(feature = "archives")]
        return !self.streams.is_empty();
        #[cfg(not(feature = "archives"))]
        return false;
    }

    fn places_or_default(&self) -> Vec<PathBuf> {
        match self.places.is_empty() && !self.has_streams() {
            true => vec![folder_of(&self.data_file)],
            false => self.places.clone(),
        }
    }

    /// The name of the data file, with which the inputs' names begin.
    fn base_name(&self) -> &OsStr {
        self.data_file.file_name().unwrap_or(OsStr::new(".coverage"))
    }

    fn lock(&self, target: PathBuf) -> Result<FolderLocks> {
        let folder = |place: PathBuf| if place.is_dir() { place } else { folder_of(&place) };
        let inputs = self.places_or_default().into_iter().map(folder);
        let waiting = |folder: &Path| (self.on_event)(Event::Waiting { folder });
        FolderLocks::acquire(inputs, target, waiting)
    }

    fn find(&self) -> Result<Found> {
        let mut found = discover::find(&self.places_or_default(), self.base_name())?;
        if !self.archives {
            found.archives.clear();
            found.passed_over.clear();
        }
        // The data file itself may be among the files that were found. It is not an input.
        let own = std::path::absolute(&self.data_file).ok();
        let named_like_it = |path: &Path| path.file_name() == self.data_file.file_name();
        let is_it = |path: &Path| named_like_it(path) && std::path::absolute(path).ok() == own;
        found.files.retain(|input| !is_it(input.path()));
        Ok(found)
    }

    fn gather(
        &mut self,
        inputs: &[Entry],
        #[cfg_attr(not(feature = "archives"), expect(unused, reason = "archives need it"))]
        named: usize,
        existing: Option<&ExistingData>,
        target: &Path,
    ) -> Result<Gathered> {
        let base = self.base_name().to_string_lossy().into_owned();
        let mut aliases =
            self.aliases.take().unwrap_or_else(|| PathAliases::new(WorkingFolder::new("/")));
        let taken = existing.map_or(0, |existing| existing.size);
        let gathering = Gathering {
            inputs,
            #[cfg(feature = "archives")]
            base: &base,
            #[cfg(feature = "archives")]
            inside: Inside {
                named,
                streams: std::mem::take(&mut self.streams),
                archives: self.archives,
                search: Search::new(&base),
                routes: self.routes.take(),
                test_ids: self.test_ids && !self.drop_contexts,
            },
            drop_contexts: self.drop_contexts,
            memory: self.memory.map(|bytes| bytes.saturating_sub(taken)),
            spilled: existing.is_some_and(|existing| !existing.spill_files.is_empty()),
            data_file: target,
        };
        gathering.run(&mut aliases, &self.on_event).map_err(|err| match err.kind() {
            ErrorKind::TracerConflict => {
                name_conflicting_inputs(inputs, self.archives.then_some(&base), &mut aliases)
                    .unwrap_or(err)
            }
            _ => err,
        })
    }

    /// Merges all parts into one data set, and adds the summary of the inputs.
    fn merge<'i>(
        &self,
        existing: Option<ExistingData>,
        parts: Parts,
        summary: InputSummary<'i>,
    ) -> Result<PendingResult<'i>> {
        let (existing, existing_spills) =
            existing.map(|existing| (existing.data, existing.spill_files)).unzip();
        let by_measurement = InputsByMeasurement::new(&self.data_file, existing.as_ref(), &summary);
        if by_measurement.are_mixed() && !self.mixed_as_lines {
            return Err(by_measurement.refusal());
        }
        let meta = existing.as_ref().map(|data| data.meta().clone()).unwrap_or_default();
        let (parts, mut spill_files) = parts.into_parts();
        spill_files.extend(existing_spills.into_iter().flatten());
        let mut parts = existing.into_iter().chain(parts).map(|mut part| {
            if by_measurement.are_mixed() {
                part.arcs_to_lines();
            }
            part
        });
        let mut data = parts.next().unwrap_or_default();
        parts.try_for_each(|part| data.merge(part))?;
        data.sort_contexts();
        data.replace_meta(meta);
        if !data.meta().contains_key("version") {
            data.set_meta("version", REFERENCE_VERSION)?;
        }
        spill_files.iter_mut().for_each(|file| file.find_contexts(&mut data));
        Ok(PendingResult::new(summary, data, spill_files))
    }

    /// Writes the result to the target, and marks it if inputs are to be deleted. If the target was `read`,
    /// it must not have changed since.
    fn write(
        &self,
        result: &PendingResult<'_>,
        target: &Path,
        read: Option<&FileIdentity>,
    ) -> Result<Option<Mark>> {
        let data = &result.data;
        let all_rows = AllRows { data, files: &result.spill_files };
        (self.on_event)(Event::Writing { rows: all_rows.count() });
        let deletes = !self.keep && !result.consumed.is_empty();
        let folder = folder_of(target);
        // coverage.py also creates the folder. If that fails, writing the result reports why.
        let _ = std::fs::create_dir_all(&folder);
        let rows: &dyn RowSource = if result.spill_files.is_empty() { data } else { &all_rows };
        let write = |temporary: &mut NamedTempFile| sqlite::write_rows(rows, temporary.as_file());
        let mark = |file: &File| deletes.then(|| Mark::beside(&folder, file)).transpose();
        let stored = store_with(target, read, result.read_bits, write, mark, Replacement::persist);
        let stored = stored.or_else(|reason| {
            let file = replace_in_place(rows, target, read, result.read_bits, deletes, reason)?;
            Ok(deletes.then_some(Mark::Within(file)))
        });
        stored.map_err(|err: Error| match err.io_kind() {
            Some(_) => err.reworded(|why| format!("{why}; data_file sets another place for it")),
            None => err,
        })
    }

    fn delete(&self, result: PendingResult<'_>, mark: Option<Mark>, folder: &Path) -> Combined {
        let mut combined = result.combined;
        combined.data = result.spill_files.is_empty().then_some(result.data);
        if let Some(mark) = mark {
            (self.on_event)(Event::Deleting { inputs: result.consumed.len() });
            let consumed: Vec<_> =
                result.consumed.iter().map(|(input, identity)| (*input, identity)).collect();
            combined.not_deleted = delete_inputs(&consumed);
            combined.not_deleted.extend(mark.clear(folder).err());
        }
        combined
    }
}

/// The result before it is written, and the inputs that can be deleted afterwards.
struct PendingResult<'i> {
    combined: Combined,
    /// The data, except the rows of `spill_files`.
    data: CoverageData,
    /// Rows that are not in memory.
    spill_files: Vec<SpillFile>,
    consumed: Vec<(&'i Entry, FileIdentity)>,
    read_bits: u32,
}

impl<'i> PendingResult<'i> {
    fn new(inputs: InputSummary<'i>, data: CoverageData, spill_files: Vec<SpillFile>) -> Self {
        let combined = Combined {
            data: None,
            read: inputs.read.len(),
            duplicates: inputs.duplicates,
            left_out: inputs.left_out,
            without_data: inputs.without_data,
            passed_over: Vec::new(),
            folded: Vec::new(),
            not_deleted: Vec::new(),
        };
        Self { combined, data, spill_files, consumed: inputs.consumed, read_bits: inputs.read_bits }
    }
}

/// Returns coverage.py's message, followed by the reason for each file.
fn no_usable_data(left_out: &[Error]) -> Error {
    let reasons = left_out.iter().map(|err| format!("  {err}"));
    let lines = std::iter::once("No usable data files".to_owned()).chain(reasons).collect();
    Error::new(ErrorKind::NoData, Lines(lines))
}
