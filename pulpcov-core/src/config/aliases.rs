//! Path aliases from the `[paths]` section.

use super::Config;
use crate::error::{Error, ErrorKind, Position, Result};
use crate::paths::{PathAliases, WorkingFolder};

impl Config {
    /// Returns the aliases of `[paths]`, with relative paths resolved in `folder`.
    ///
    /// The first path of each set replaces the other paths of the set.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Config`] with the file and the option if a pattern is refused. The
    /// message is coverage.py's.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Loader;
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("app.py"), "x = 1\n")?;
    /// std::fs::write(folder.path().join(".coveragerc"), "[paths]\nsource =\n    .\n    /ci/*/src\n")?;
    /// let config = Loader::new(folder.path(), |_| None).load()?.config;
    /// let mut aliases = config.aliases(WorkingFolder::new(folder.path()))?;
    /// let mapped = aliases.map(b"/ci/build-7/src/app.py");
    /// assert_eq!(mapped, folder.path().join("app.py").as_os_str().as_encoded_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn aliases(&self, folder: WorkingFolder) -> Result<PathAliases> {
        let mut aliases = PathAliases::new(folder).relative(self.run.relative_files);
        for (name, paths) in self.paths.iter() {
            let Some((result, patterns)) = paths.split_first() else { continue };
            for pattern in patterns {
                aliases.add(pattern, result).map_err(|err| self.in_paths(name, &err))?;
            }
        }
        Ok(aliases)
    }

    fn in_paths(&self, name: &str, err: &Error) -> Error {
        let place = Position::Option { section: "paths".into(), option: name.into(), line: None };
        let err = Error::new(ErrorKind::Config, err.reason()).at(place);
        match &self.files.used {
            Some(file) => err.with_path(file),
            None => err,
        }
    }
}
