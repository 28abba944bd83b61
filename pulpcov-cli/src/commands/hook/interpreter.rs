//! Facts about a Python, asked from the Python itself.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::installed::{MODULE, Settings};
use crate::exit::Failure;
use crate::settings;

const PROBE: &str = include_str!("../../../hook/probe.py");
const COMPILE: &str = include_str!("../../../hook/compile.py");
const PACKAGES: &str = include_str!("../../../hook/packages.py");
const HEAD: &str = include_str!("../../../hook/head.py");
const SELF_TEST: &str = include_str!("../../../hook/selftest.py");

/// Prints whether pip refuses to install into this Python (PEP 668). In a virtual environment it does not
/// refuse.
const IS_MANAGED: &str = "\
import os, sys, sysconfig
mark = os.path.join(sysconfig.get_path('stdlib', sysconfig.get_default_scheme()), 'EXTERNALLY-MANAGED')
print(sys.prefix == sys.base_prefix and os.path.isfile(mark))
";

/// A Python that packages can be installed into.
#[derive(Debug, Deserialize)]
pub(super) struct Interpreter {
    pub(super) executable: PathBuf,
    /// The version, in three numbers.
    pub(super) version: String,
    /// The folder of packages where it reads `.pth` files.
    pub(super) site: PathBuf,
    /// The version of the coverage.py that it imports.
    pub(super) coverage: Option<String>,
}

impl Interpreter {
    /// Asks the Python with this path or name.
    pub(super) fn ask(python: &Path) -> Result<Self, Failure> {
        let answer = run_script::<&str>(python, PROBE, &[], python)?;
        serde_json::from_str(&answer).map_err(|_| {
            super::refusal_about(
                python,
                "is not a Python, because it does not answer as one: name one with --python",
            )
        })
    }

    /// Compiles a module. Returns the path of the compiled file.
    pub(super) fn compile(&self, module: &Path) -> Result<PathBuf, Failure> {
        run_script(&self.executable, COMPILE, &[module], module)
            .map(|path| PathBuf::from(path.trim_end()))
    }

    /// Returns how many lines of a script come before its first ordinary statement.
    pub(super) fn head_of(&self, script: &Path) -> Result<usize, Failure> {
        let answer = run_script(&self.executable, HEAD, &[script], script)?;
        answer
            .trim()
            .parse()
            .map_err(|_| super::refusal_about(script, "cannot be read by this Python"))
    }

    /// Tests the hook in this Python: a process measures, forks, saves, and is killed, and its rows are read
    /// back.
    ///
    /// # Errors
    ///
    /// Returns a refusal that says what does not work.
    pub(super) fn try_hook(&self, settings: &Settings) -> Result<(), Failure> {
        let lines = settings.measurement_lines();
        let args: Vec<String> = [MODULE.to_owned()].into_iter().chain(lines).collect();
        let problem = run_script(&self.executable, SELF_TEST, &args, &self.executable)?;
        match problem.trim_end() {
            "" => Ok(()),
            problem => Err(super::refusal_about(
                &self.executable,
                format!("the hook does not work in this Python: {problem}"),
            )),
        }
    }

    /// Returns the folders of the packages that this Python finds.
    pub(super) fn find_packages(&self, names: &[&str]) -> Result<Vec<PathBuf>, Failure> {
        let answer = run_script(&self.executable, PACKAGES, names, &self.executable)?;
        serde_json::from_str(&answer).map_err(|err| super::refusal_about(&self.executable, err))
    }

    /// Checks that the hook can start this Python's coverage.py.
    ///
    /// # Errors
    ///
    /// Returns a refusal that says how to install a suitable version.
    pub(super) fn check_coverage(&self) -> Result<(), Failure> {
        let python = self.executable.display();
        let problem = match &self.coverage {
            None => "has no coverage.py".to_owned(),
            Some(version) if !is_supported(version) => {
                format!(
                    "has coverage.py {version}; the hook works with 7.10 and later versions of 7"
                )
            }
            Some(_) => return Ok(()),
        };
        Err(Failure::Refused(format!("{python} {problem}\n{}", self.advice()?)))
    }

    /// Returns how to install coverage.py.
    fn advice(&self) -> Result<String, Failure> {
        let (python, site) = (self.executable.display(), self.site.display());
        let is_managed = run_script::<&str>(&self.executable, IS_MANAGED, &[], &self.executable)?;
        if is_managed.trim_end() != "True" {
            return Ok(format!("install it: {python} -m pip install 'coverage>=7.10,<8'"));
        }
        Ok(format!(
            "The system's package manager manages this Python, and pip refuses to. Install it into a folder of its own:\n\
             {python} -m pip install --target /opt/coverage 'coverage>=7.10,<8'\n\
             echo /opt/coverage > {site}/coverage_folder.pth"
        ))
    }
}

fn is_supported(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    numbers.next() == Some(7) && numbers.next().is_some_and(|minor| minor >= 10)
}

/// Runs a script in a Python that is not measured. Returns what it prints.
///
/// # Errors
///
/// If the script fails, returns an error about the file `about`.
fn run_script<A: AsRef<OsStr>>(
    python: &Path,
    script: &str,
    args: &[A],
    about: &Path,
) -> Result<String, Failure> {
    // A name is looked up in `PATH`, and a path is relative to the current folder. Links are not resolved,
    // since the Python of a virtual environment is one.
    let is_name = python.components().count() == 1 && !python.is_absolute();
    let program = if is_name { python.into() } else { settings::absolute(python)? };
    let output = Command::new(program)
        .args(["-c", script])
        .args(args)
        .env("PULPCOV_HOOK", "off")
        // Python would import modules from the current folder, which may be untrusted.
        .current_dir("/")
        .output()
        .map_err(|err| super::refusal_about(python, explain(python, &err)))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.trim_end().lines().last().unwrap_or("it says nothing");
        return Err(super::refusal_about(about, last));
    }
    String::from_utf8(output.stdout).map_err(|err| super::refusal_about(python, err))
}

fn explain(python: &Path, err: &io::Error) -> String {
    if python.is_dir() {
        return format!(
            "is a folder; name the Python in it: {}",
            python.join("bin/python").display()
        );
    }
    match err.kind() {
        io::ErrorKind::NotFound => "there is no such Python".to_owned(),
        _ => err.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_the_hook_works_with() {
        for (version, supported) in [
            ("7.17.3", true),
            ("7.10.0", true),
            ("7.11.0b1", true),
            ("7.9.2", false),
            ("6.5.0", false),
            ("8.0.0", false),
            ("", false),
        ] {
            assert_eq!(is_supported(version), supported, "{version}");
        }
    }
}
