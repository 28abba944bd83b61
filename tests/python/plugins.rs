//! Plugins that change the configuration: pulpcov does what they do, asks a Python, or stops.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Dir, REFERENCE, Ran, neutral, venv};

/// Returns a Python with coverage.py and plugins from PyPI.
fn python() -> PathBuf {
    let plugins = [
        "covdefaults==2.3.0",
        "coverage-conditional-plugin==0.9.0",
        "coverage-simple-excludes==1.1.1",
    ];
    let packages: Vec<String> =
        [format!("coverage=={REFERENCE}")].into_iter().chain(plugins.map(str::to_owned)).collect();
    venv("plugins-of-coverage", &packages).join("bin/python")
}

/// A source with every kind of line that the plugins treat.
const SOURCE: &str = r#"
import sys
from typing import TYPE_CHECKING, overload
if TYPE_CHECKING:
    import x
if sys.platform == "win32":  # pragma: win32 cover
    w = 1
else:  # pragma: win32 no cover
    w = 2
if sys.platform == "linux":  # pragma: linux cover
    v = 1
if w == 7:  # pragma: posix no cover
    v = 2
if w == 8:  # pragma: pypy cover
    v = 3
def f(a):
    if a:
        return 1
    assert_never(a)
    raise NotImplementedError
def h() -> "NoReturn":
    raise AssertionError("x")
def k():  # pragma: no cover
    return NotImplemented
def l(a):  # PRAGMA: NO COVER
    if a:  # pragma: no branch
        raise
if sys.version_info >= (3, 99):  # pragma: >=3.99 cover
    z = 1
if sys.version_info < (3, 9):  # pragma: <3.9 cover
    z = 2
if sys.version_info >= (3, 11):  # pragma: >=3.11 cover
    z = 3
else:  # pragma: <3.11 cover
    z = 4
if sys.version_info > (4, 0):  # pragma: >4.0 cover
    z = 5
if sys.version_info == (3, 8):  # pragma: ==3.8 cover
    z = 6
if sys.version_info != (3, 11):  # pragma: !=3.11 cover
    z = 7
@overload
def g(a): ...
def g(a):  # pragma: py-gte-39
    return a
if w == 3:  # pragma: on-windows
    q = 0
if w == 4:  # pragma: in-ci
    q = 0
if w == 5:  # cover-linux
    q = 1
if w == 6:  # cover-not-linux
    q = 2
class P:
    def m(self):
        ...
if __name__ == "__main__":
    f(1)
"#;

struct Project {
    dir: Dir,
    python: PathBuf,
}

impl Project {
    fn new(rcfile: &str) -> Self {
        let (dir, python) = (Dir::new(), python());
        dir.write("a.py", SOURCE);
        dir.write(".coveragerc", rcfile);
        let project = Self { dir, python };
        project.coverage(&["run", "a.py"]).status(0);
        project
    }

    fn coverage(&self, args: &[&str]) -> Ran {
        let mut command = neutral(Command::new(&self.python));
        command.args(["-m", "coverage"]).args(args).env("CI", "1");
        Ran::from(command.current_dir(self.dir.path("")).output().unwrap())
    }

    fn pulpcov(&self, args: &[&str]) -> Ran {
        let mut command = crate::support::pulpcov();
        Ran::from(
            command.args(args).env("CI", "1").current_dir(self.dir.path("")).output().unwrap(),
        )
    }

    /// Checks that both commands write the same reports and have the same exit code.
    #[track_caller]
    fn assert_same_reports(&self, more: &[&str]) {
        for report in [
            &["report", "-m"][..],
            &["report", "--no-skip-covered"],
            &["lcov", "-o", "-"],
            &["annotate", "-d", "ann"],
        ] {
            let theirs = self.coverage(report);
            let ours = self.pulpcov(&[report, more].concat());
            assert_eq!(
                (ours.status, &ours.stdout),
                (theirs.status, &theirs.stdout),
                "{report:?}: {ours:?}"
            );
        }
        for (command, file) in [("xml", "coverage.xml"), ("json", "coverage.json")] {
            let mut texts = Vec::new();
            for ran in
                [self.coverage(&[command, "-q"]), self.pulpcov(&[&[command, "-q"], more].concat())]
            {
                let text = std::fs::read_to_string(self.dir.path(file)).unwrap();
                texts.push((ran.status, crate::support::sample::masked(&text)));
            }
            assert_eq!(texts[0], texts[1], "{command}");
        }
    }
}

#[test]
fn covdefaults_counts_as_in_python() {
    for rcfile in [
        "[run]\nbranch = true\nplugins = covdefaults\n",
        "[run]\nplugins = covdefaults\n[report]\nfail_under = 50\nexclude_lines =\n  foo\n[covdefaults]\nsubtract_omit = */.tox/*\n",
        "[run]\nplugins = covdefaults\nsource = a\n[report]\nexclude_also = z = \\d\nfail_under = 99.5\nprecision = 1\n",
    ] {
        let project = Project::new(rcfile);
        project.assert_same_reports(&["--python-version=3.11"]);
        // The data suggests the same version, and the report says so.
        let told = project.pulpcov(&["report"]);
        assert_eq!(told.stdout, project.coverage(&["report"]).stdout);
        told.stderr("exclusions of plugins are those for Python 3.11, detected from the data");
    }
}

#[test]
fn conditions_exclude_as_in_python() {
    let rules = r#"
rules =
  "sys_version_info >= (3, 9)": py-gte-39
  "sys_platform == 'win32'": on-windows
  "os_environ.get('CI') == '1'": in-ci
"#;
    let section = format!("[coverage_conditional_plugin]{rules}");
    let project = Project::new(&format!(
        "[run]\nbranch = true\nplugins = coverage_conditional_plugin\n{section}"
    ));
    project.assert_same_reports(&[]);
    std::fs::remove_file(project.dir.path(".coveragerc")).unwrap();
    project.dir.write(
        "pyproject.toml",
        "[tool.coverage.run]\nbranch = true\nplugins = [\"covdefaults\", \"coverage_conditional_plugin\"]\n\
         [tool.coverage.coverage_conditional_plugin.rules]\npy-gte-39 = \"sys_version_info >= (3, 9)\"\n",
    );
    project.coverage(&["run", "a.py"]).status(0);
    project.assert_same_reports(&["--python-version=3.11"]);
}

#[test]
fn what_only_python_can_tell_stops_a_report_and_the_ways_on_work() {
    let section =
        "[coverage_conditional_plugin]\nrules =\n  \"is_installed('coverage')\": py-gte-39\n";
    let conditional = format!("[run]\nplugins = coverage_conditional_plugin\n{section}");
    let unknown =
        "[run]\nbranch = true\nplugins = coverage_simple_excludes\n[report]\nfail_under = 90\n";
    for (rcfile, reason) in [
        (&*conditional, "only Python can tell whether `is_installed('coverage')` is true"),
        (
            unknown,
            "the configuration names plugin coverage_simple_excludes, which may change any setting",
        ),
    ] {
        let project = Project::new(rcfile);
        for command in ["report", "html", "xml", "json", "lcov", "annotate"] {
            let ran = project.pulpcov(&[command]).status(1).stderr(reason);
            assert_eq!(ran.stdout, "");
            ran.stderr("--plugins=run --python PYTHON").stderr("--plugins=ignore");
        }
        project.assert_same_reports(&[
            "--plugins=run",
            "--python",
            project.python.to_str().unwrap(),
        ]);
        let ignored = project.pulpcov(&["report", "--plugins=ignore"]);
        assert!(ignored.stdout.contains("TOTAL"), "{ignored:?}");
        ignored.stderr("warning: ");
    }
}

#[test]
fn a_python_that_cannot_run_plugins_is_told() {
    let project = Project::new("[run]\nbranch = true\n");
    project.dir.write(".coveragerc", "[run]\nplugins = no_such_plugin\n");
    let python = project.python.to_str().unwrap();
    let ran = project.pulpcov(&["report", "--plugins=run", "--python", python]).status(1);
    ran.stderr("No module named 'no_such_plugin'")
        .stderr("--python names a Python with coverage.py");
    let ran = project.pulpcov(&["report", "--plugins=run", "--python", "no-such-python"]).status(1);
    ran.stderr("no-such-python: ");
}

#[test]
fn statements_of_traced_files_are_the_plugins() {
    let (dir, python) = (Dir::new(), python());
    let plugin = "\
import coverage
class Lines(coverage.FileReporter):
    def lines(self):
        return {1, 2, 4, 5}
    def excluded_lines(self):
        return {5}
class Traces(coverage.FileTracer):
    def source_filename(self):
        return None
    def has_dynamic_source_filename(self):
        return True
    def dynamic_source_filename(self, filename, frame):
        return frame.f_locals.get('page')
    def line_number_range(self, frame):
        line = frame.f_locals.get('line', -1)
        return line, line
class Pages(coverage.CoveragePlugin):
    def file_tracer(self, filename):
        return Traces() if filename.endswith('render.py') else None
    def file_reporter(self, filename):
        return Lines(filename)
def coverage_init(registry, options):
    registry.add_file_tracer(Pages())
";
    dir.write("pages.py", plugin);
    dir.write("render.py", "def render(page, line):\n    return line\n");
    dir.write("page.html", "1\n2\n3\n4\n5\n");
    let main = "import os, render\nfor line in (1, 2):\n    render.render(os.path.abspath('page.html'), line)\n";
    dir.write("main.py", main);
    dir.write(".coveragerc", "[run]\nplugins = pages\nsource = .\nomit = pages.py\n");
    let project = Project { dir, python };
    let ran = project.coverage(&["run", "main.py"]).status(0);
    assert_eq!(ran.stderr, "");
    let python = project.python.to_str().unwrap();
    let theirs = project.coverage(&["report", "-m"]).status(0);
    assert!(theirs.stdout.contains("page.html"), "{}", theirs.stdout);
    // Python runs pulpcov's script with `-c`, so it finds the plugin in the current folder.
    let ours = project.pulpcov(&["report", "-m", "--plugins=run", "--python", python]).status(0);
    assert_eq!(ours.stdout, theirs.stdout);
    // Without Python the file is left out: a plugin that traces files is no reason to stop.
    project.pulpcov(&["report"]).status(0).stderr("traced by plugin pages.Pages left out");
}
