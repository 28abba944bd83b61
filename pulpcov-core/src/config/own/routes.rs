//! The aliases of routes.

use super::OwnSettings;
use crate::Result;
use crate::error::{Error, ErrorKind, Position};
use crate::paths::{PathAliases, WorkingFolder};
use crate::subunit::RoutePattern;

impl OwnSettings {
    /// Returns the aliases for data that came by routes, with relative paths resolved in `folder`. `relative_files` is coverage.py's
    /// setting.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with the file and the route if a pattern is refused.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Loader;
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("app.py"), "x = 1\n")?;
    /// let settings = "[routes]\n\"0/*\" = [\".\", \"/home/ci/checkout\"]\n";
    /// std::fs::write(folder.path().join("pulpcov.toml"), settings)?;
    /// let own = Loader::new(folder.path(), |_| None).load_own()?.settings;
    /// let mut routes = own.route_aliases(&WorkingFolder::new(folder.path()), false)?;
    /// assert!(routes[0].0.fits("0/3"));
    /// let mapped = routes[0].1.map(b"/home/ci/checkout/app.py");
    /// assert_eq!(mapped, folder.path().join("app.py").as_os_str().as_encoded_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn route_aliases(
        &self,
        folder: &WorkingFolder,
        relative_files: bool,
    ) -> Result<Vec<(RoutePattern, PathAliases)>> {
        let aliases = |(route, paths): &(RoutePattern, Vec<String>)| {
            let mut aliases = PathAliases::new(folder.clone()).relative(relative_files);
            if let Some((result, patterns)) = paths.split_first() {
                for pattern in patterns {
                    aliases.add(pattern, result).map_err(|err| self.in_routes(route, &err))?;
                }
            }
            Ok((route.clone(), aliases))
        };
        self.routes.iter().map(aliases).collect()
    }

    fn in_routes(&self, route: &RoutePattern, err: &Error) -> Error {
        let option = route.as_str().to_owned();
        let place = Position::Option { section: "routes".into(), option, line: None };
        let err = Error::new(ErrorKind::Config, err.reason()).at(place);
        match &self.file {
            Some(file) => err.with_path(file),
            None => err,
        }
    }
}
