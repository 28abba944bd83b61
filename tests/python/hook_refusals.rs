//! `pulpcov hook` in a Python in which it cannot work: installing it is refused, and programs are left alone.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::hooked::Hooked;
use crate::support::{Dir, REFERENCE, venv};

/// A Python whose coverage.py lacks something that the hook needs.
struct Changed {
    hooked: Hooked,
    package: PathBuf,
    _packages: Dir,
}

impl Changed {
    fn new() -> Self {
        let hooked = Hooked::new();
        let name = format!("reference-coverage-{REFERENCE}");
        let base = venv(&name, &[format!("coverage=={REFERENCE}")]);
        let packages = Dir::new();
        let library = base.join("lib").read_dir().unwrap().next().unwrap().unwrap().path();
        let original = library.join("site-packages/coverage");
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .args([&original, &packages.path("")])
            .status()
            .unwrap();
        assert!(copied.success());
        fs::write(hooked.pth(), packages.path("").as_os_str().as_encoded_bytes()).unwrap();
        Self { hooked, package: packages.path("coverage"), _packages: packages }
    }

    /// Renames something in one of coverage.py's modules.
    fn rename(&self, module: &str, name: &str) {
        let path = self.package.join(module);
        let source = fs::read_to_string(&path).unwrap();
        assert!(source.contains(name), "{name} in {module}");
        fs::write(&path, source.replace(name, &format!("{name}_renamed"))).unwrap();
    }

    fn install(&self) -> crate::support::Ran {
        let root = self.hooked.root();
        self.hooked.hook("install", &["--source", "shop", "--data-root", root.to_str().unwrap()])
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name() != "packages.pth")
        .count()
        == 0
}

/// Each private name of coverage.py that the hook uses, and the module that has it.
const USED: [(&str, &str); 13] = [
    ("collector.py", "_collectors"),
    ("control.py", "_atexit"),
    ("control.py", "_instances"),
    ("control.py", "_started"),
    ("collector.py", "flush_data"),
    ("collector.py", "_installation_trace"),
    ("collector.py", "_start_tracer"),
    ("collector.py", "use_data"),
    ("inorout.py", "find_possibly_unexecuted_files"),
    ("inorout.py", "source_pkgs"),
    ("core.py", "systrace"),
    ("control.py", "_collector"),
    ("control.py", "_file_mapper"),
];

#[test]
fn a_coverage_that_the_hook_does_not_know_is_refused_with_the_reason() {
    for (module, name) in USED {
        let changed = Changed::new();
        // All uses of the name are renamed, so this coverage.py works.
        for each in fs::read_dir(&changed.package).unwrap() {
            let path = each.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "py")
                && fs::read_to_string(&path).unwrap().contains(name)
            {
                changed.rename(path.file_name().unwrap().to_str().unwrap(), name);
            }
        }
        let ran = changed.install().status(1).stderr("the hook does not work in this Python");
        assert!(ran.stderr.contains(name), "{module} {name}: {}", ran.stderr);
        assert!(is_empty(&changed.hooked.site()), "{name}");
        assert!(!changed.hooked.root().exists());
    }
}

#[test]
fn a_coverage_that_changes_under_an_installed_hook_leaves_services_alone() {
    let changed = Changed::new();
    changed.install().status(0);
    for name in ["flush_data", "_start_tracer"] {
        changed.rename("collector.py", name);
    }
    let code = "\
import os, signal, sys, threading
before = os.fork, os._exit, os.execv, signal.signal, signal.getsignal(signal.SIGTERM)
from shop import work
work.before()
assert (os.fork, os._exit, os.execv, signal.signal, signal.getsignal(signal.SIGTERM)) == before
assert sys.gettrace() is None and threading.active_count() == 1
for _ in range(3):
    if os.fork() == 0:
        os._exit(0)
    os.wait()
os.kill(os.getpid(), signal.SIGTERM)
";
    let output = changed.hooked.command().args(["-c", code]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let ended = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(ended, Some(15), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("not measured: coverage.py"), "{stderr}");
    assert!(changed.hooked.files().is_empty());
    let status = changed.hooked.hook("status", &[]).status(1);
    assert!(status.stdout.contains("the hook does not work in this Python"), "{}", status.stdout);
}

#[test]
fn what_a_python_says_on_standard_error_is_no_reason_to_refuse_it() {
    let hooked = Hooked::new();
    let says = "import sys; sys.stderr.write('eventlet is deprecated\\n')\n";
    fs::write(hooked.site().join("says.pth"), says).unwrap();
    let config = hooked.dir.write("coveragerc", "[run]\nconcurrency = thread\n");
    hooked.installed(&["--config", config.to_str().unwrap()]);
}
