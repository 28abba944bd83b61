//! Settings from the configuration files and the environment.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pulpcov_core::config::{Config, Loader, OwnSettings};
use pulpcov_core::paths::{PathAliases, WorkingFolder};
use pulpcov_core::python::PythonVersion;
use pulpcov_core::subunit::RoutePattern;

use crate::args::ConfigArgs;
use crate::exit::Failure;
use crate::ui;

/// Returns the folder that the command runs in.
pub(crate) fn cwd() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|err| without_folder(&err))
}

/// Makes a path absolute, relative to the folder that the command runs in.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|err| without_folder(&err))
}

fn without_folder(err: &io::Error) -> Failure {
    let what = match err.kind() {
        io::ErrorKind::NotFound => "the current folder is gone",
        _ => "the current folder",
    };
    Failure::Input(io::Error::new(err.kind(), format!("{what}: {err}")))
}

/// Reads the configuration, and prints its warnings.
pub(crate) fn load(args: &ConfigArgs) -> Result<Config, Failure> {
    let loaded = loader(args)?.load()?;
    loaded.warnings.iter().for_each(|warning| ui::warning(warning));
    Ok(loaded.config)
}

/// Reads the settings of pulpcov itself, and prints warnings.
pub(crate) fn own(args: &ConfigArgs) -> Result<OwnSettings, Failure> {
    // A report prints only the reasons of other errors, as coverage.py does.
    let wrong = |err: pulpcov_core::Error| Failure::Refused(Failure::from(err).to_string());
    let loaded = loader(args)?.load_own().map_err(wrong)?;
    loaded.warnings.iter().for_each(|warning| ui::warning(warning));
    Ok(loaded.settings)
}

fn loader(args: &ConfigArgs) -> Result<Loader<'static>, Failure> {
    let loader = Loader::new(cwd()?, |name| std::env::var(name).ok());
    Ok(match &args.rcfile {
        Some(rcfile) => loader.rcfile(rcfile),
        None => loader,
    })
}

/// Returns the data file that the option names, or else the configuration's. An empty name counts as none.
pub(crate) fn data_file(option: Option<PathBuf>, config: &Config) -> PathBuf {
    let named = option.filter(|path| !path.as_os_str().is_empty());
    named.unwrap_or_else(|| match &*config.run.data_file {
        "" => PathBuf::from(&Config::default().run.data_file),
        configured => PathBuf::from(configured),
    })
}

/// Returns the aliases of `[paths]`, for the current folder.
pub(crate) fn aliases(config: &Config) -> Result<PathAliases, Failure> {
    Ok(config.aliases(WorkingFolder::new(cwd()?))?)
}

/// Returns the aliases of the setting `routes`, for data of subunit streams. Prints warnings.
pub(crate) fn route_aliases(
    args: &ConfigArgs,
    config: &Config,
) -> Result<Vec<(RoutePattern, PathAliases)>, Failure> {
    let loaded = loader(args)?.load_own()?;
    loaded.warnings.iter().for_each(|warning| ui::warning(warning));
    let folder = WorkingFolder::new(cwd()?);
    Ok(loaded.settings.route_aliases(&folder, config.run.relative_files)?)
}

/// Parses the version of Python that an option names. Warns if it is newer than all versions that are known.
pub(crate) fn python<T: FromStr<Err = pulpcov_core::Error>>(text: &str) -> Result<T, Failure> {
    let version = text.parse()?;
    if let Ok(known) = text.parse::<PythonVersion>()
        && known.as_str() != text
    {
        ui::warning(&format!(
            "Python {text} is newer than this pulpcov: statements are those of Python {known}"
        ));
    }
    Ok(version)
}
