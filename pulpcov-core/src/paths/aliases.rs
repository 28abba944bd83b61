//! Path aliases: one name for a file of several machines.

use std::collections::HashMap;
use std::fmt;

use regex::Regex;

use super::chars::{len_in_bytes, to_text};
use super::error::PatternError;
use super::glob::{GlobPattern, join_regex};
use super::pypath::{SEP, is_slash, isabs_anywhere, sep, trim_slashes};
use super::pyregex::{self, Flags};
use super::working_folder::{CanonicalNames, WorkingFolder};
use crate::data::FilePath;
use crate::data::stored_text::StoredText;
use crate::error::{Error, Result};
use crate::text::py_repr;

type Exists = Box<dyn Fn(&[u8]) -> bool + Send>;
type OnEvent = Box<dyn FnMut(&MapEvent<'_>) + Send>;

/// Maps the paths of other machines to paths of this one: coverage.py's `files.PathAliases`.
///
/// A rule replaces the start of a path: the part that the pattern matches becomes the rule's
/// result. Rules are tried in the order in which they were added. The first rule whose mapped path
/// exists wins. A rule ignores case and the kind of slash. The mapped path has the slashes of the
/// rule's result.
///
/// **Relative files.** With [`relative(true)`](Self::relative), results stay relative to the
/// working folder. If no rule changes a path, the working folder in front of the path is removed.
/// If the path is then relative, its first folder becomes a rule (`*/folder` to `folder/`) for the
/// paths that follow. Case matters to a rule made this way. As in coverage.py, the order in which
/// paths are mapped can matter.
///
/// # Examples
///
/// The rules of a config file, where the first line is the result:
///
/// ```
/// use pulpcov_core::paths::{PathAliases, WorkingFolder};
///
/// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent/shop")).exists(|_| true);
/// for pattern in ["/ci/*/src", r"C:\build\src"] {
///     aliases.add(pattern, "src")?;
/// }
/// assert_eq!(aliases.map(b"/ci/7/src/cart.py"), b"/nonexistent/shop/src/cart.py");
/// assert_eq!(aliases.map(br"c:\Build\src\cart.py"), b"/nonexistent/shop/src/cart.py");
/// assert_eq!(aliases.map(b"/elsewhere/cart.py"), b"/elsewhere/cart.py");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub struct PathAliases {
    rules: Vec<Rule>,
    relative: bool,
    names: CanonicalNames,
    exists: Option<Exists>,
    log: Log,
    /// The result of [`map_file`](Self::map_file) for each path.
    mapped: HashMap<FilePath, FilePath>,
}

/// A pattern and the text that replaces what the pattern matches.
#[derive(Debug)]
struct Rule {
    /// The pattern as the user wrote it.
    pattern: Vec<u8>,
    /// The regular expression that coverage.py builds from the pattern.
    python_regex: String,
    regex: Regex,
    /// The text that replaces what the pattern matches. It ends with a separator.
    result: Vec<u8>,
}

/// A step of [`PathAliases`]. [`Display`](fmt::Display) writes coverage.py's `--debug=pathmap`
/// line.
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use pulpcov_core::paths::{PathAliases, WorkingFolder};
///
/// let lines = Arc::new(Mutex::new(Vec::new()));
/// let log = Arc::clone(&lines);
/// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent"))
///     .on_event(move |event| log.lock().unwrap().push(event.to_string()));
/// aliases.map(b"/srv/cart.py");
/// assert_eq!(
///     *lines.lock().unwrap(),
///     ["Aliases (relative=False):", "No rules match, path '/srv/cart.py' is unchanged"],
/// );
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum MapEvent<'a> {
    /// The first path is about to be mapped. An event for each rule follows.
    #[non_exhaustive]
    Aliases {
        /// Whether results stay relative.
        relative: bool,
    },
    /// A rule that was added before the first path was mapped.
    #[non_exhaustive]
    Rule {
        /// The pattern as the user wrote it.
        pattern: &'a [u8],
        /// The text that replaces what matched. It ends with a separator.
        result: &'a [u8],
        /// coverage.py's regular expression for the pattern.
        regex: &'a str,
    },
    /// A rule matched, but the mapped path does not exist, so the next rule is tried.
    #[non_exhaustive]
    Missing {
        /// The rule's pattern.
        pattern: &'a [u8],
        /// The path to map.
        path: &'a [u8],
        /// The path after the rule was applied.
        mapped: &'a [u8],
    },
    /// A rule matched.
    #[non_exhaustive]
    Matched {
        /// The path to map.
        path: &'a [u8],
        /// The rule's pattern.
        pattern: &'a [u8],
        /// The rule's result.
        result: &'a [u8],
        /// The mapped path.
        mapped: &'a [u8],
    },
    /// A rule was made from a relative path.
    #[non_exhaustive]
    Generating {
        /// The rule's pattern.
        pattern: &'a [u8],
        /// The rule's result.
        result: &'a [u8],
        /// coverage.py's regular expression for the pattern.
        regex: &'a str,
    },
    /// No rule matched.
    #[non_exhaustive]
    Unchanged {
        /// The path. If results are relative, the working folder in front of it is removed.
        path: &'a [u8],
    },
}

impl PathAliases {
    /// Creates aliases without rules. Relative patterns and results start at `cwd`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::{PathAliases, WorkingFolder};
    ///
    /// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent/shop")).exists(|_| true);
    /// aliases.add("/ci/src", "src")?;
    /// assert_eq!(aliases.map(b"/ci/src/cart.py"), b"/nonexistent/shop/src/cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(cwd: WorkingFolder) -> Self {
        Self {
            rules: Vec::new(),
            relative: false,
            names: CanonicalNames::new(cwd),
            exists: None,
            log: Log::default(),
            mapped: HashMap::new(),
        }
    }

    pub(crate) fn is_relative(&self) -> bool {
        self.relative
    }

    pub(crate) fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Keeps results relative: the `[run] relative_files` setting. Off by default.
    ///
    /// Call this before adding the first rule: if results are not relative, relative patterns
    /// become absolute.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::{PathAliases, WorkingFolder};
    ///
    /// let cwd = WorkingFolder::new("/nonexistent/shop");
    /// let mut aliases = PathAliases::new(cwd).relative(true).exists(|_| true);
    /// aliases.add("/ci/src", "src")?;
    /// assert_eq!(aliases.map(b"/ci/src/cart.py"), b"src/cart.py");
    /// assert_eq!(aliases.map(b"/nonexistent/shop/setup.py"), b"setup.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn relative(mut self, relative: bool) -> Self {
        self.relative = relative;
        self
    }

    /// Asks `exists` instead of the file system whether a mapped path exists.
    ///
    /// The default is [`WorkingFolder::source_exists`]. The path passed to `exists` may be relative.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::{PathAliases, WorkingFolder};
    ///
    /// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent"))
    ///     .exists(|path| path == b"/new/cart.py");
    /// aliases.add("/ci", "/old")?;
    /// aliases.add("/ci", "/new")?;
    /// assert_eq!(aliases.map(b"/ci/cart.py"), b"/new/cart.py");
    /// assert_eq!(aliases.map(b"/ci/other.py"), b"/ci/other.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn exists(mut self, exists: impl Fn(&[u8]) -> bool + Send + 'static) -> Self {
        self.exists = Some(Box::new(exists));
        self
    }

    /// Passes each step to `on_event`: `--debug=pathmap`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use pulpcov_core::paths::{MapEvent, PathAliases, WorkingFolder};
    ///
    /// let (sender, unchanged) = mpsc::channel();
    /// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent")).on_event(move |event| {
    ///     if let MapEvent::Unchanged { path, .. } = event {
    ///         sender.send(path.to_vec()).unwrap();
    ///     }
    /// });
    /// aliases.map(b"/ci/cart.py");
    /// assert_eq!(unchanged.recv().unwrap(), b"/ci/cart.py");
    /// ```
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(&MapEvent<'_>) + Send + 'static) -> Self {
        self.log.on_event = Some(Box::new(on_event));
        self
    }

    /// Adds a rule: if a path starts with `pattern`, that part is replaced with `result`.
    ///
    /// In the pattern, `*` matches any run of characters within a name and `?` matches one
    /// character. `*/` at the start, and `**/` anywhere, match any folders. A relative pattern that
    /// does not start with `*` starts at the working folder, unless results stay relative.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Pattern`](crate::ErrorKind::Pattern), with coverage.py's message where
    /// coverage.py has one:
    ///
    /// - if `pattern` ends with `*`, which would match every file below and not a folder;
    /// - if `pattern` has `***`, `**` next to other characters, `**/**`, or brackets that form no
    ///   set;
    /// - if `pattern` is too large;
    /// - if `result` has `*` or `?`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::paths::{PathAliases, WorkingFolder};
    ///
    /// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent")).exists(|_| true);
    /// aliases.add("*/site-packages/shop", "/work/shop")?;
    /// assert_eq!(aliases.map(b"/venv/lib/site-packages/shop/cart.py"), b"/work/shop/cart.py");
    ///
    /// let err = aliases.add("/ci/*", "/work").unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Pattern);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn add(&mut self, pattern: impl AsRef<[u8]>, result: impl AsRef<[u8]>) -> Result<()> {
        let rule = self.rule(pattern.as_ref(), result.as_ref())?;
        self.rules.push(rule);
        self.mapped.clear();
        Ok(())
    }

    /// Returns `path` mapped by the rules. A path that no rule matches stays as it is, except that
    /// relative results lose the working folder in front.
    ///
    /// With relative results, mapping a path can add a rule. The same path can then have another
    /// result the next time.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::{PathAliases, WorkingFolder};
    ///
    /// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent")).exists(|_| true);
    /// aliases.add(r"C:\ci\*\src", "/work/src")?;
    /// assert_eq!(aliases.map(br"c:\CI\7\src\shop\cart.py"), b"/work/src/shop/cart.py");
    /// assert_eq!(aliases.map(b"/elsewhere/cart.py"), b"/elsewhere/cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn map(&mut self, path: &[u8]) -> Vec<u8> {
        self.announce();
        if let Some(mapped) = self.apply_rules(path) {
            return mapped;
        }
        if !self.relative {
            return self.unchanged(path);
        }
        let relative = self.names.cwd().relative_filename(path).to_vec();
        if !self.generate_rule(&relative) {
            return self.unchanged(&relative);
        }
        self.apply_rules(&relative).unwrap_or_else(|| self.unchanged(&relative))
    }

    /// Maps a file's path in a data file as [`map`](Self::map) does, then turns backslashes into
    /// slashes.
    ///
    /// This is how coverage.py stores the files of combined data (`sqldata.CoverageData.update`).
    /// The first result for a path is remembered, because coverage.py combines through
    /// `functools.cache(aliases.map)`. Rules that relative paths make later do not change the
    /// result, and the file system is not asked again.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if a data file
    /// cannot hold the mapped path. This happens when a rule's result is not UTF-8 or has a NUL, or
    /// when a symlink leads to a folder whose name is not UTF-8.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::{PathAliases, WorkingFolder};
    ///
    /// let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent"));
    /// let path = r"C:\shop\cart.py";
    /// assert_eq!(aliases.map(path.as_bytes()), path.as_bytes());
    /// assert_eq!(aliases.map_file(&path.try_into()?)?.as_str(), "C:/shop/cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn map_file(&mut self, path: &FilePath) -> Result<FilePath> {
        self.map_stored(path.as_stored())
    }

    /// Does the same as [`map_file`](Self::map_file), without a copy of the path if the result is
    /// known.
    pub(crate) fn map_stored(&mut self, path: StoredText<'_>) -> Result<FilePath> {
        if let Some(known) = self.mapped.get(path.as_str()) {
            return Ok(known.clone());
        }
        let mapped = self.map(path.as_str().as_bytes());
        let mapped = Self::named(path, mapped)?;
        self.mapped.insert(path.into(), mapped.clone());
        Ok(mapped)
    }

    /// Makes a path of what `path` was mapped to.
    fn named(path: StoredText<'_>, mut mapped: Vec<u8>) -> Result<FilePath> {
        mapped.iter_mut().filter(|b| is_slash(**b)).for_each(|b| *b = SEP);
        FilePath::try_from(mapped.as_slice()).map_err(|err| {
            let message =
                format!("[paths] gives {} a name: {}", py_repr(path.as_str()), err.reason());
            Error::new(err.kind(), message)
        })
    }

    /// Maps a path by a rule. Returns `None` if none fits.
    #[cfg(feature = "archives")]
    pub(crate) fn map_stored_by_rule(&mut self, path: StoredText<'_>) -> Result<Option<FilePath>> {
        self.announce();
        let mapped = self.apply_rules(path.as_str().as_bytes());
        mapped.map(|mapped| Self::named(path, mapped)).transpose()
    }

    fn rule(&self, pattern: &[u8], result: &[u8]) -> Result<Rule, PatternError> {
        let regex = GlobPattern::new(&to_text(&self.folder_pattern(pattern)?))?;
        let python_regex = join_regex(&[regex]);
        let flags = Flags { ignore_case: true, prefix: true };
        let regex = pyregex::compile(&python_regex, flags)?;
        if result.contains(&b'*') || result.contains(&b'?') {
            return Err(PatternError::WildcardInResult(to_text(result).into_owned()));
        }
        let result = [trim_slashes(result), &[sep(result)]].concat();
        Ok(Rule { pattern: pattern.to_vec(), python_regex, regex, result })
    }

    /// Returns `pattern` with one separator at the end. A relative pattern becomes absolute, unless
    /// it may match anywhere.
    fn folder_pattern(&self, pattern: &[u8]) -> Result<Vec<u8>, PatternError> {
        let separator = sep(pattern);
        let bare = if pattern.len() > 1 { trim_slashes(pattern) } else { pattern };
        if bare.ends_with(b"*") {
            return Err(PatternError::WildcardAtEnd);
        }
        let anywhere = self.relative
            || bare.starts_with(b"*")
            || isabs_anywhere(&[bare, &[separator]].concat());
        let mut folder = if anywhere { bare.to_vec() } else { self.names.cwd().abs_file(bare) };
        if folder.last() != Some(&separator) {
            folder.push(separator);
        }
        Ok(folder)
    }

    /// Returns the mapped path of the first rule that matches and whose mapped path exists.
    fn apply_rules(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        let text = to_text(path);
        for rule in &self.rules {
            let Some(found) = rule.regex.find(&text) else { continue };
            let mut mapped = rule.replace(path, len_in_bytes(path, found.end()));
            if !self.relative {
                mapped = self.names.get(&mapped);
            }
            if starts_with_dot(&mapped) && !rule.keeps_dot() {
                mapped.drain(..2);
            }
            let (pattern, result, mapped) = (&*rule.pattern, &*rule.result, mapped);
            let exists = match &self.exists {
                Some(exists) => exists(&mapped),
                None => self.names.cwd().source_exists(&mapped),
            };
            if exists {
                self.log.tell(MapEvent::Matched { path, pattern, result, mapped: &mapped });
                return Some(mapped);
            }
            self.log.tell(MapEvent::Missing { pattern, path, mapped: &mapped });
        }
        None
    }

    /// Makes a rule from the first folder of a relative path. Returns whether a rule was added.
    fn generate_rule(&mut self, path: &[u8]) -> bool {
        let Some(end) = path.iter().position(|&b| is_slash(b)) else { return false };
        let folder = &path[..end];
        let pattern = [b"*/", folder].concat();
        if isabs_anywhere(path) || self.rules.iter().any(|rule| rule.pattern == pattern) {
            return false;
        }
        let python_regex = format!(r"^(.*[\\/])?{}[\\/]", pyregex::escape(&to_text(folder)));
        let flags = Flags { ignore_case: false, prefix: true };
        // A name that is too long for an expression gets no rule: the path stays as it is.
        let Ok(regex) = pyregex::compile(&python_regex, flags) else { return false };
        let result = [folder, &[SEP]].concat();
        let event =
            MapEvent::Generating { pattern: &pattern, result: &result, regex: &python_regex };
        self.log.tell(event);
        self.rules.push(Rule { pattern, python_regex, regex, result });
        true
    }

    fn unchanged(&mut self, path: &[u8]) -> Vec<u8> {
        self.log.tell(MapEvent::Unchanged { path });
        path.to_vec()
    }

    /// Reports the rules, the first time it is called.
    fn announce(&mut self) {
        if std::mem::replace(&mut self.log.announced, true) {
            return;
        }
        self.log.tell(MapEvent::Aliases { relative: self.relative });
        for Rule { pattern, python_regex, result, .. } in &self.rules {
            self.log.tell(MapEvent::Rule { pattern, result, regex: python_regex });
        }
    }
}

impl fmt::Debug for PathAliases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathAliases")
            .field("rules", &self.rules)
            .field("relative", &self.relative)
            .field("cwd", self.names.cwd())
            .finish_non_exhaustive()
    }
}

impl Rule {
    /// Replaces the first `matched` bytes of `path` with the rule's result. The separator that
    /// `path` uses first is replaced with the separator of the result; the other kind of slash
    /// stays.
    fn replace(&self, path: &[u8], matched: usize) -> Vec<u8> {
        let (old, new) = (sep(path), sep(&self.result));
        let mut replaced = [&self.result, &path[matched..]].concat();
        replaced.iter_mut().filter(|b| **b == old).for_each(|b| *b = new);
        replaced
    }

    /// Returns whether the user wrote a result like `./src`, whose dot is kept.
    fn keeps_dot(&self) -> bool {
        starts_with_dot(&self.result) && self.result.len() > 2
    }
}

fn starts_with_dot(path: &[u8]) -> bool {
    path.starts_with(b"./") || path.starts_with(br".\")
}

/// The receiver of the events.
#[derive(Default)]
struct Log {
    on_event: Option<OnEvent>,
    announced: bool,
}

impl Log {
    fn tell(&mut self, event: MapEvent<'_>) {
        if let Some(on_event) = &mut self.on_event {
            on_event(&event);
        }
    }
}

impl fmt::Display for MapEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = |path: &[u8]| py_repr(&String::from_utf8_lossy(path));
        match *self {
            Self::Aliases { relative } => {
                write!(f, "Aliases (relative={}):", if relative { "True" } else { "False" })
            }
            Self::Rule { pattern, result, regex } => {
                write!(f, " Rule: {} -> {}", repr(pattern), repr(result))?;
                write!(f, " using regex {}", py_repr(regex))
            }
            Self::Missing { pattern, path, mapped } => {
                write!(f, "Rule {} changed {} to {}", repr(pattern), repr(path), repr(mapped))?;
                f.write_str(" which doesn't exist, continuing")
            }
            Self::Matched { path, pattern, result, mapped } => {
                write!(f, "Matched path {} to rule {} -> ", repr(path), repr(pattern))?;
                write!(f, "{}, producing {}", repr(result), repr(mapped))
            }
            Self::Generating { pattern, result, regex } => {
                write!(f, "Generating rule: {} -> {}", repr(pattern), repr(result))?;
                write!(f, " using regex {}", py_repr(regex))
            }
            Self::Unchanged { path } => {
                write!(f, "No rules match, path {} is unchanged", repr(path))
            }
        }
    }
}
