//! coverage.py plugins that change the configuration, without Python.
//!
//! A plugin can change any setting. The plugins listed here change the settings as the real ones
//! do. The effect of any other plugin is unknown without Python.
//!
//! | plugin | what it changes |
//! |---|---|
//! | `covdefaults` 2.3 | stricter exclusions, platform and version pragmas, `fail_under = 100`, and more |
//! | `coverage_conditional_plugin` 0.9 | exclusions that apply only under a condition |
//! | `django_coverage_plugin` and other [file tracers](is_file_tracer) | no settings; traces templates |

mod conditional;
mod covdefaults;

use std::fmt;

use crate::config::Config;
use crate::python::PythonVersion;
use crate::{Error, ErrorKind, Result};

/// Plugins that trace files other than Python files, and do not change settings.
const FILE_TRACERS: [&str; 7] = [
    "Cython.Coverage",
    "coverage_jinja_plugin",
    "coverage_mako_plugin",
    "django_coverage_plugin",
    "jinja_coverage",
    "mako_coverage",
    "template_coverage",
];

/// Looks up an environment variable.
type Variables<'e> = dyn Fn(&str) -> Option<String> + 'e;

/// The environment that plugins see: the machine, the version of Python, and the environment
/// variables. It describes the place where coverage.py would make the report.
///
/// # Examples
///
/// ```
/// use pulpcov_core::plugins::Environment;
/// use pulpcov_core::python::PythonVersion;
///
/// let environment = Environment::of_this_machine(PythonVersion::Py312, |name| std::env::var(name).ok());
/// ```
pub struct Environment<'e> {
    python: PythonVersion,
    /// `sys.platform`.
    sys_platform: &'static str,
    /// `os.name`.
    os_name: &'static str,
    /// `platform.system()`.
    platform_system: &'static str,
    /// `platform.machine()`.
    platform_machine: &'static str,
    variable: Box<Variables<'e>>,
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("python", &self.python)
            .field("platform", &self.sys_platform)
            .finish_non_exhaustive()
    }
}

impl<'e> Environment<'e> {
    /// Returns an environment with CPython `python` on a machine like this one. `variable` looks up
    /// an environment variable.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Config;
    /// use pulpcov_core::plugins::{Environment, apply};
    /// use pulpcov_core::python::PythonVersion;
    ///
    /// let mut config = Config::default();
    /// config.run.plugins = vec!["covdefaults".into()];
    /// let environment = Environment::of_this_machine(PythonVersion::Py313, |_| None);
    /// apply(&mut config, &environment)?;
    /// assert!(config.run.branch);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn of_this_machine(
        python: PythonVersion,
        variable: impl Fn(&str) -> Option<String> + 'e,
    ) -> Self {
        let (sys_platform, os_name, platform_system) = match std::env::consts::OS {
            "windows" => ("win32", "nt", "Windows"),
            "macos" => ("darwin", "posix", "Darwin"),
            "freebsd" => ("freebsd", "posix", "FreeBSD"),
            _ => ("linux", "posix", "Linux"),
        };
        let platform_machine = match (std::env::consts::ARCH, std::env::consts::OS) {
            ("x86_64", "windows") => "AMD64",
            ("aarch64", "macos") => "arm64",
            (machine, _) => machine,
        };
        let variable = Box::new(variable);
        Self { python, sys_platform, os_name, platform_system, platform_machine, variable }
    }
}

/// Changes the settings as the known plugins among [`RunSettings::plugins`](crate::config::RunSettings::plugins)
/// do. Returns the names of the plugins that are not known.
///
/// # Errors
///
/// Returns [`ErrorKind::Config`] for a condition that only Python can evaluate.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::Config;
/// use pulpcov_core::plugins::{Environment, apply};
/// use pulpcov_core::python::PythonVersion;
///
/// let mut config = Config::default();
/// config.run.plugins = vec!["covdefaults".into(), "company_plugin".into()];
/// let environment = Environment::of_this_machine(PythonVersion::Py312, |_| None);
/// assert_eq!(apply(&mut config, &environment)?, ["company_plugin"]);
/// assert_eq!(config.report.fail_under, 100.0);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn apply(config: &mut Config, environment: &Environment<'_>) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for plugin in config.run.plugins.clone() {
        match plugin.as_str() {
            "covdefaults" => covdefaults::apply(config, environment),
            "coverage_conditional_plugin" => conditional::apply(config, environment)?,
            name if is_file_tracer(name) => {}
            _ => unknown.push(plugin),
        }
    }
    Ok(unknown)
}

/// Returns whether a known plugin depends on the version of Python.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::Config;
/// use pulpcov_core::plugins::depends_on_python_version;
///
/// let mut config = Config::default();
/// assert!(!depends_on_python_version(&config));
/// config.run.plugins = vec!["covdefaults".into()];
/// assert!(depends_on_python_version(&config));
/// ```
pub fn depends_on_python_version(config: &Config) -> bool {
    let depends = |plugin: &str| ["covdefaults", "coverage_conditional_plugin"].contains(&plugin);
    config.run.plugins.iter().any(|plugin| depends(plugin))
}

/// Returns whether `plugin` only traces files, such as templates, and does not change settings.
///
/// # Examples
///
/// ```
/// use pulpcov_core::plugins::is_file_tracer;
///
/// assert!(is_file_tracer("django_coverage_plugin"));
/// assert!(!is_file_tracer("covdefaults"));
/// ```
pub fn is_file_tracer(plugin: &str) -> bool {
    FILE_TRACERS.contains(&plugin)
}

fn only_python_can_tell(plugin: &str, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("Plugin {plugin}: only Python can tell {what}"))
}
