//! Finds the config file, and applies its content to the settings.

use ordermap::OrderMap;

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::document::{Document, Section};
use super::error::Cause;
use super::home::expand_user;
use super::options::{OptionSpec, SECTIONS};
use super::settings::Config;
use super::values::{Env, Setting};
use crate::error::Lines;
use crate::folder::{Entry, Kind, Status};
use crate::pytext::{strip, universal_newlines};
use crate::{Error, ErrorKind, Position, Result};

/// The config file that is tried first.
const OWN_FILE: &str = ".coveragerc";

/// The files tried after [`OWN_FILE`], and whether each is coverage's own.
///
/// In a file of another tool, only sections with coverage's prefix count. Such a file is passed
/// over if it has none of coverage's settings.
const FURTHER_FILES: [(&str, bool); 4] = [
    (".coveragerc.toml", true),
    ("setup.cfg", false),
    ("tox.ini", false),
    ("pyproject.toml", false),
];

/// Looks up an environment variable.
type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Finds and reads the configuration of a folder, as coverage.py does.
///
/// The loader tries `.coveragerc`, `.coveragerc.toml`, `setup.cfg`, `tox.ini` and `pyproject.toml`,
/// in this order. It uses only the first file that has settings for coverage. Environment variables
/// are applied after the file. (`read_coverage_config` in coverage.py's `config.py`.)
///
/// This crate never reads the environment, so the caller passes a function that looks up a
/// variable. A program passes `|name| std::env::var(name).ok()`. The loader looks up
/// `COVERAGE_RCFILE`, `COVERAGE_FILE`, `COVERAGE_DEBUG`, `COVERAGE_CORE`, `COVERAGE_FORCE_CONFIG`,
/// the variable of the home folder (`HOME`, or `USERPROFILE` on Windows), and the variables that
/// the file mentions.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::Loader;
///
/// # let folder = std::env::temp_dir().join(format!("pulpcov-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// std::fs::write(folder.join("tox.ini"), "[coverage:run]\nbranch = yes\nbrunch = $TEN\n").unwrap();
/// let loaded = Loader::new(&folder, |name| (name == "COVERAGE_FILE").then(|| "data".into())).load()?;
/// assert!(loaded.config.run.branch);
/// assert_eq!(loaded.config.run.data_file, "data");
/// assert_eq!(
///     loaded.warnings,
///     ["Unrecognized option '[coverage:run] brunch=' in config file tox.ini"],
/// );
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub struct Loader<'a> {
    cwd: PathBuf,
    env: Box<Lookup<'a>>,
    rcfile: Option<String>,
}

/// The result of a [`Loader`].
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Problems in the file that do not stop the loading, for the user to read.
    pub warnings: Vec<String>,
    /// The position of the concurrency choices. They are checked last, and an error needs the
    /// position.
    concurrency_at: Option<Position>,
}

impl fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cwd, env: _, rcfile } = self;
        f.debug_struct("Loader").field("cwd", cwd).field("rcfile", rcfile).finish_non_exhaustive()
    }
}

impl<'a> Loader<'a> {
    /// Creates a loader for the folder `cwd`, which should be absolute. `env` looks up a variable.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Loader;
    ///
    /// // Without the environment, the settings come from the config file alone.
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("setup.cfg"), "[coverage:run]\nbranch = yes\n")?;
    /// let loaded = Loader::new(folder.path(), |_| None).load()?;
    /// assert!(loaded.config.run.branch);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(cwd: impl Into<PathBuf>, env: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self { cwd: cwd.into(), env: Box::new(env), rcfile: None }
    }

    /// Reads the file `name`, relative to the folder, and no other file: `--rcfile=name`.
    ///
    /// The file is read as TOML if its name ends in `.toml`, else as INI. It counts as coverage's
    /// own. As in coverage.py, naming `.coveragerc` is the same as naming no file, and with an
    /// empty name no file is read.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Loader;
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join(".coveragerc"), "[report]\nprecision = 1\n")?;
    /// std::fs::write(folder.path().join("ci.toml"), "[report]\nprecision = 2\n")?;
    /// let loaded = Loader::new(folder.path(), |_| None).rcfile("ci.toml").load()?;
    /// assert_eq!(loaded.config.report.precision, 2);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn rcfile(mut self, name: impl Into<String>) -> Self {
        self.rcfile = Some(name.into());
        self
    }

    /// Finds the config file, reads it, and applies the environment.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Config`](crate::ErrorKind::Config), with the file's name and the line
    /// or the option:
    ///
    /// - if a file that was named cannot be read;
    /// - if a file is not UTF-8, INI or TOML;
    /// - if a value has the wrong type, is a pattern that Python's `re` refuses, or mentions a
    ///   required variable that is not set;
    /// - if concurrency choices are unknown or conflict.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::config::Loader;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let loader = Loader::new(folder.path(), |_| None);
    /// assert!(loader.load()?.config.files.used.is_none());
    ///
    /// std::fs::write(folder.path().join(".coveragerc"), "[report]\nprecision = two\n")?;
    /// assert_eq!(loader.load().unwrap_err().kind(), ErrorKind::Config);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn load(&self) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        self.read_first_file(&mut loaded)?;
        self.finish(loaded)
    }

    /// Parses `bytes` as the content of one of coverage's own files, called `name`, and applies the
    /// environment. The only file read from disk is the one that `COVERAGE_FORCE_CONFIG` names.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`load`](Self::load).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Loader;
    /// use pulpcov_core::{ErrorKind, Position};
    ///
    /// let loader = Loader::new("/work", |_| None);
    /// let loaded = loader.parse("my.toml", b"[report]\nprecision = 2\n")?;
    /// assert_eq!(loaded.config.report.precision, 2);
    ///
    /// let error = loader.parse("my.ini", b"[report]\nprecision = two\n").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// assert!(matches!(error.position(), Some(Position::Option { option, .. }) if option == "precision"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn parse(&self, name: &str, bytes: &[u8]) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        self.apply(&mut loaded, name, bytes, true)?;
        self.finish(loaded)
    }

    fn read_first_file(&self, loaded: &mut Loaded) -> Result<()> {
        match self.named_file() {
            Some(name) if name.is_empty() => Ok(()),
            Some(name) => {
                if self.read(loaded, &name, true)? {
                    return Ok(());
                }
                Err(Error::from(Cause::NotRead(name.clone())).with_path(name))
            }
            None => {
                for (name, is_own_file) in [(OWN_FILE, true)].into_iter().chain(FURTHER_FILES) {
                    if self.read_unnamed(loaded, name, is_own_file)? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Returns the file that the caller names, or else the environment. An empty name means no
    /// file.
    pub(super) fn named_file(&self) -> Option<String> {
        match self.rcfile.as_deref() {
            None | Some(OWN_FILE) => self.variable("COVERAGE_RCFILE"),
            Some(name) => Some(name.to_owned()),
        }
    }

    /// Returns an environment variable if it is set and not empty.
    fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|value| !value.is_empty())
    }

    /// Reads a file that is tried without being named. Other than [`read`](Self::read), skips a
    /// file that another user may have put there, because the settings decide which files are
    /// written.
    fn read_unnamed(&self, loaded: &mut Loaded, name: &str, is_own_file: bool) -> Result<bool> {
        match open_in_shared_folder(&self.cwd.join(name)) {
            None => self.read(loaded, name, is_own_file),
            Some(Ok(mut file)) => {
                let mut bytes = Vec::new();
                let read = file.read_to_end(&mut bytes).ok().map(|_| bytes);
                self.apply_if_read(loaded, name, read, is_own_file)
            }
            Some(Err(why)) => {
                if let Some(why) = why {
                    loaded.warnings.push(format!(
                        "{name} is not read: {why}, in a folder that everybody can write to; name it to have it read"
                    ));
                }
                self.apply_if_read(loaded, name, None, is_own_file)
            }
        }
    }

    /// Reads a file if it exists. Returns whether the file was used.
    fn read(&self, loaded: &mut Loaded, name: &str, is_own_file: bool) -> Result<bool> {
        self.apply_if_read(loaded, name, fs::read(self.cwd.join(name)).ok(), is_own_file)
    }

    /// Records that a file was tried, and applies its content if it was `read`. Returns whether the
    /// file was used.
    fn apply_if_read(
        &self,
        loaded: &mut Loaded,
        name: &str,
        read: Option<Vec<u8>>,
        is_own_file: bool,
    ) -> Result<bool> {
        loaded.config.files.attempted.push(self.absolute(name));
        match read {
            Some(bytes) => self.apply(loaded, name, &bytes, is_own_file),
            None => Ok(false),
        }
    }

    /// Applies a file's content. Returns whether the file was used: it is coverage's own, or it set
    /// something.
    fn apply(
        &self,
        loaded: &mut Loaded,
        name: &str,
        bytes: &[u8],
        is_own_file: bool,
    ) -> Result<bool> {
        let path = self.absolute(name);
        loaded.config.files.read.push(path.clone());
        let text = decode(name, bytes)?;
        let document = Document::parse(name, &text)
            .map_err(|error| unreadable(name, &error.reason, error.position))?;
        let file = File { document: &document, name, is_own_file, env: &*self.env };
        let any_set = file.apply(loaded)?;
        let used = is_own_file || any_set;
        if used {
            loaded.config.files.used = Some(path);
        }
        Ok(used)
    }

    /// Applies the environment, then derives the settings that follow from others.
    fn finish(&self, mut loaded: Loaded) -> Result<Loaded> {
        let run = &mut loaded.config.run;
        if let Some(data_file) = self.variable("COVERAGE_FILE") {
            run.data_file = data_file;
        }
        if let Some(debug) = self.variable("COVERAGE_DEBUG") {
            run.debug.extend(debug.split(',').map(|topic| strip(topic).to_owned()));
        }
        if let Some(core) = self.variable("COVERAGE_CORE") {
            run.core = Some(core);
        }
        if let Some(name) = self.variable("COVERAGE_FORCE_CONFIG") {
            self.read(&mut loaded, &name, true)?;
        }
        self.post_process(&mut loaded)?;
        Ok(loaded)
    }

    /// Derives settings from other settings, and checks the concurrency choices.
    fn post_process(&self, loaded: &mut Loaded) -> Result<()> {
        let Loaded { config, concurrency_at, .. } = loaded;
        for path in config.paths.values_mut().flatten() {
            *path = expand_user(path, &*self.env);
        }
        let Config { run, report, files, .. } = config;
        report.exclude_lines.extend_from_slice(&report.exclude_also);
        report.partial_branches.extend_from_slice(&report.partial_also);
        run.parallel |= run.patch.iter().any(|patch| patch == "subprocess");
        check_concurrency(&run.concurrency).map_err(|cause| {
            let error = match concurrency_at.take() {
                Some(position) => Error::from(cause).at(position),
                None => Error::from(cause),
            };
            match &files.used {
                Some(path) => error.with_path(path),
                None => error,
            }
        })
    }

    /// Returns the folder that files are looked for in.
    pub(super) fn folder(&self) -> &Path {
        &self.cwd
    }

    /// Returns the absolute path, as Python's `os.path.abspath` does: without `.`, and without
    /// looking up what a `..` leads to.
    pub(super) fn absolute(&self, name: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for component in self.cwd.join(name).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => {
                    path.pop();
                }
                other => path.push(other),
            }
        }
        path
    }
}

/// Decodes a file as Python's text mode does with the encoding `utf-8-sig`.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<String> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let reason = format!("it is not UTF-8 (at line {line})");
        unreadable(name, &reason, Position::Line { line, column: None })
    })?;
    Ok(universal_newlines(text.strip_prefix('\u{feff}').unwrap_or(text)))
}

/// Returns the error for a file that cannot be parsed. Each line of `reason` becomes a line of the
/// message: line breaks in `reason` come from this crate, never from the file.
pub(super) fn unreadable(file: &str, reason: &str, position: Position) -> Error {
    let (first, further) = match reason.split_once('\n') {
        Some((first, further)) => (first, further.split('\n').map(str::to_owned).collect()),
        None => (reason, Vec::new()),
    };
    let first = Cause::File { file: file.to_owned(), reason: first.to_owned() };
    let lines = std::iter::once(first.to_string()).chain(further).collect();
    Error::new(ErrorKind::Config, Lines(lines)).with_path(file).at(position)
}

/// A parsed file, whose settings are applied.
struct File<'a> {
    document: &'a Document<'a>,
    name: &'a str,
    is_own_file: bool,
    env: Env<'a>,
}

impl File<'_> {
    /// Applies every setting of the file. Returns whether the file sets anything.
    fn apply(&self, loaded: &mut Loaded) -> Result<bool> {
        let mut any_set = false;
        for (name, options) in SECTIONS {
            let section = match self.document.section(name, self.is_own_file) {
                Err(Cause::NotATable { supports_in: true, .. }) => None,
                section => section.map_err(|cause| self.refused(cause))?,
            };
            let Some(section) = section else { continue };
            for option in options {
                let is_set = self.set(&mut loaded.config, &section, option)?;
                any_set |= is_set;
                if is_set && (name, option.name) == ("run", "concurrency") {
                    loaded.concurrency_at = Some(place(&section, option.name));
                }
            }
        }
        for (name, options) in SECTIONS {
            let Some(section) = self.section(name)? else { continue };
            loaded.warnings.extend(self.unrecognized(&section, options));
        }
        any_set |= self.set_paths(&mut loaded.config)?;
        any_set |= self.set_plugin_options(&mut loaded.config)?;
        Ok(any_set)
    }

    fn section(&self, name: &str) -> Result<Option<Section<'_>>> {
        self.document.section(name, self.is_own_file).map_err(|cause| self.refused(cause))
    }

    fn refused(&self, cause: Cause) -> Error {
        Error::from(cause.in_file(self.name)).with_path(self.name)
    }

    fn set(&self, config: &mut Config, section: &Section<'_>, option: &OptionSpec) -> Result<bool> {
        let setting = self.read(section, option.name, |setting| {
            (option.set)(config, setting)?;
            if let Some(value) = setting.original_value() {
                config.original_values.insert(option.name.to_owned(), value);
            }
            Ok(())
        })?;
        Ok(setting.is_some())
    }

    /// Reads an option, if the section has it. Adds the option's position to an error.
    fn read<T>(
        &self,
        section: &Section<'_>,
        option: &str,
        read: impl FnOnce(&Setting<'_>) -> Result<T, Cause>,
    ) -> Result<Option<T>> {
        let Some(raw) = section.get(option) else { return Ok(None) };
        let setting = Setting { section: &section.name, option, raw, env: self.env };
        read(&setting).map(Some).map_err(|cause| self.refused(cause).at(place(section, option)))
    }

    /// Returns warnings about unknown options. They are sorted because coverage.py's have no fixed
    /// order.
    fn unrecognized(&self, section: &Section<'_>, known: &[OptionSpec]) -> Vec<String> {
        let is_known = |name: &str| known.iter().any(|option| option.name == name);
        let mut unknown: Vec<_> =
            section.options().into_iter().filter(|option| !is_known(option)).collect();
        unknown.sort_unstable();
        let Section { name, .. } = section;
        let file = self.name;
        unknown
            .into_iter()
            .map(|option| format!("Unrecognized option '[{name}] {option}=' in config file {file}"))
            .collect()
    }

    fn set_paths(&self, config: &mut Config) -> Result<bool> {
        let Some(section) = self.section("paths")? else { return Ok(false) };
        let options = section.options();
        for option in &options {
            if let Some(paths) = self.read(&section, option, |setting| setting.list())? {
                config.paths.insert((*option).to_owned(), paths);
            }
        }
        Ok(!options.is_empty())
    }

    /// Reads the sections of the plugins. A plugin's section may have any option.
    fn set_plugin_options(&self, config: &mut Config) -> Result<bool> {
        let mut any_set = false;
        for plugin in &config.run.plugins {
            let Some(section) = self.section(plugin)? else { continue };
            let mut values = OrderMap::new();
            for option in section.options() {
                if let Some(value) =
                    self.read(&section, option, |setting| setting.plugin_value())?
                {
                    values.insert(option.to_owned(), value);
                }
            }
            config.plugin_options.insert(plugin.clone(), values);
            any_set = true;
        }
        Ok(any_set)
    }
}

fn place(section: &Section<'_>, option: &str) -> Position {
    let line = section.line(option);
    Position::Option { section: section.name.clone(), option: option.to_owned(), line }
}

/// Refuses libraries that coverage.py does not know, and two light-thread libraries at once.
fn check_concurrency(choices: &[String]) -> Result<(), Cause> {
    const LIGHT_THREADS: [&str; 3] = ["eventlet", "gevent", "greenlet"];
    const OTHERS: [&str; 2] = ["multiprocessing", "thread"];
    let mut choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    choices.sort_unstable();
    choices.dedup();
    let (light, heavy): (Vec<_>, Vec<_>) =
        choices.into_iter().partition(|choice| LIGHT_THREADS.contains(choice));
    let unknown: Vec<_> = heavy.into_iter().filter(|choice| !OTHERS.contains(choice)).collect();
    if !unknown.is_empty() {
        return Err(Cause::UnknownConcurrency(unknown.join(", ")));
    }
    if light.len() > 1 {
        return Err(Cause::ConflictingConcurrency(light.join(", ")));
    }
    Ok(())
}

/// Opens a file in a folder that everybody can write to, if the file belongs to this process's
/// user, to root or to the folder's owner. Otherwise returns the reason, or no reason if the file
/// does not exist.
///
/// Returns `None` if the folder is of another kind, or if the file is a symlink of one of these
/// owners.
pub(super) fn open_in_shared_folder(path: &Path) -> Option<Result<fs::File, Option<String>>> {
    let entry = Entry::at_path(path).ok()?;
    let folder = entry.folder().status().ok().filter(Status::everybody_may_write)?;
    let is_trusted = |file: &Status| file.is_of_caller_or_root() || file.owner == folder.owner;
    if entry.status().is_ok_and(|file| file.kind == Kind::Link && is_trusted(&file)) {
        // A trusted owner decides where the link leads.
        return None;
    }
    Some(match entry.open_with_status() {
        Ok((file, status)) if is_trusted(&status) => Ok(file),
        Ok(_) => Err(Some("it belongs to another user".to_owned())),
        Err(err) if err.io_kind() == Some(io::ErrorKind::NotFound) => Err(None),
        Err(err) => Err(Some(err.reason())),
    })
}
