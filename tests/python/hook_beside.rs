//! `pulpcov hook` in programs that use coverage.py themselves: the hook changes nothing that they see.

use std::process::Command;

use crate::support::hooked::{Hooked, assert_equal, line_of_step, lines_with, name, shop};
use crate::support::{REFERENCE, Rows, venv};

const NEVER: &[&str] = &["--flush-interval", "60m"];
const SAYS: &str = "the program measures itself with coverage.py";

/// Runs a program with a data file of its own, with the hook and without it. Checks that both runs record the
/// same rows.
#[track_caller]
fn measures_the_same(hooked: &Hooked, args: &[&str], expected: usize) {
    let measure = |mut command: Command, data: &str| {
        let data = hooked.dir.path(data);
        command.args(args).env("COVERAGE_FILE", &data).env("PYTHONPATH", shop());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        (Rows::by_sql(data), String::from_utf8(output.stderr).unwrap())
    };
    let (with, said) = measure(hooked.command(), "with");
    let mut off = hooked.command();
    off.env("PULPCOV_HOOK", "off");
    let (without, _) = measure(off, "without");
    assert_equal(&with, &without, &args.join(" "));
    assert!(!with.lines.is_empty() || !with.arcs.is_empty());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(SAYS), "{said}");
    assert_eq!(hooked.files().len(), expected);
}

const USES: &str = "\
import os
from shop import steps, work
def test_it():
    work.before()
    if os.fork() == 0:
        steps.step_3()
        os._exit(0)
    os.wait()
    steps.step_1()
if __name__ == '__main__':
    test_it()
";

#[test]
fn coverage_run_measures_what_it_would_without_the_hook() {
    let hooked = Hooked::new().installed(NEVER);
    let program = hooked.dir.write("program.py", USES);
    let args = ["-m", "coverage", "run", "--source=shop", program.to_str().unwrap()];
    // The package is imported after coverage.py has started to measure.
    measures_the_same(&hooked, &args, 0);
    measures_the_same(&hooked, &[&args[..3], &["--branch"], &args[3..]].concat(), 0);
}

#[test]
fn coverage_run_measures_what_it_would_beside_a_hook_that_was_first() {
    let hooked = Hooked::new();
    let folder = format!("{}/", shop().display());
    let hooked = hooked.installed(&["--source", &folder, "--flush-interval", "60m"]);
    let program = hooked.dir.write("program.py", USES);
    for core in ["ctrace", "pytrace"] {
        let config = hooked.dir.write("rc", format!("[run]\ncore = {core}\n"));
        let rcfile = format!("--rcfile={}", config.display());
        let program = program.to_str().unwrap();
        measures_the_same(
            &hooked,
            &["-m", "coverage", "run", &rcfile, "--source=shop", program],
            0,
        );
    }
}

#[test]
fn pytest_cov_measures_what_it_would_without_the_hook() {
    let packages = ["pytest==8.4.2", "pytest-cov==7.0.0"].map(str::to_owned);
    let packages = [&packages[..], &[format!("coverage=={REFERENCE}")]].concat();
    let hooked = Hooked::of(&venv("pytest-cov", &packages)).installed(NEVER);
    let test = hooked.dir.write("test_it.py", USES);
    let config = hooked.dir.write("pytest.ini", "");
    let args =
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov=shop", "--cov-report=", "-c"];
    let args = [&args[..], &[config.to_str().unwrap(), test.to_str().unwrap()]].concat();
    let mut command = hooked.command();
    command.args(&args).env("COVERAGE_FILE", hooked.dir.path("data_of_pytest"));
    command.env("PYTHONPATH", shop());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let rows = Rows::by_sql(hooked.dir.path("data_of_pytest"));
    let ran = crate::support::hooked::lines(&rows, "work");
    assert!(lines_with("work", "return total").iter().all(|line| ran.contains(line)), "{ran:?}");
}

/// What the hook recorded before is kept, and coverage.py behaves as if the hook had never started it.
#[test]
fn a_program_that_begins_to_measure_itself_has_coverage_for_itself() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import coverage, os, signal, sys, threading
functions = os.fork, os._exit, os.execv, signal.getsignal(signal.SIGTERM)
from shop import steps, work
steps.step_1()
hook = coverage.Coverage.current()
own = coverage.Coverage(data_file=None, include=['*/work.py'])
own.start()
work.before()
assert coverage.Coverage.current() is own
own.stop()
assert (os.fork, os._exit, os.execv, signal.getsignal(signal.SIGTERM)) == functions
assert coverage.Coverage.current() is None and sys.gettrace() is None and threading.gettrace() is None
steps.step_2()
(measured,) = own.get_data().measured_files()
assert set(own.analysis2(work)[3]).isdisjoint([5, 6, 7, 8, 9]), own.analysis2(work)
hook.stop()
own.start()
own.stop()
if os.fork() == 0:
    steps.step_3()
    os._exit(0)
os.wait()
os.kill(os.getpid(), signal.SIGTERM)
";
    let output = hooked.command().args(["-c", code]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(15), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(SAYS), "{said}");
    let [file] = &hooked.files()[..] else { panic!("{:?}", hooked.files()) };
    let ran = hooked.lines("steps");
    assert!(ran.contains(&line_of_step(1)), "{}", name(file));
    assert!(!ran.contains(&line_of_step(2)) && !ran.contains(&line_of_step(3)));
    hooked.hook("status", &[]).stdout(SAYS);
}

/// A child of a measured process, or a thread of it, may be the one that starts to measure.
#[test]
fn a_child_and_a_thread_may_begin_to_measure() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import coverage, os, threading
from shop import steps, work
def measure():
    own = coverage.Coverage(data_file=None, include=['*/work.py'])
    own.start()
    work.before()
    own.stop()
    assert len(own.get_data().measured_files()) == 1
    assert coverage.Coverage.current() is None
child = os.fork()
if child == 0:
    steps.step_1()
    measure()
    raise SystemExit
assert os.wait()[1] == 0
steps.step_2()
thread = threading.Thread(target=measure)
thread.start()
thread.join()
";
    let output = hooked.command().args(["-c", code]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.lines().count() == 2 && said.lines().all(|line| line.contains(SAYS)), "{said}");
    let ran = hooked.lines("steps");
    assert!(ran.contains(&line_of_step(1)) && ran.contains(&line_of_step(2)), "{ran:?}");
}

#[test]
fn the_current_coverage_can_be_looked_at_like_any_other() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import coverage
from shop import steps, work
work.before()
current = coverage.Coverage.current()
data = current.get_data()
assert work.__file__ in data.measured_files() and 9 in data.lines(work.__file__) and data
assert 9 not in current.analysis2(work)[3]
current.save()
steps.step_1()
current.report(file=open('/dev/null', 'w'))
current.json_report(outfile='/dev/null')
copy = coverage.CoverageData(no_disk=True)
copy.update(current.get_data())
assert copy.measured_files() == current.get_data().measured_files()
current.stop()
steps.step_2()
current.start()
steps.step_3()
";
    let output = hooked.command().args(["-c", code]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let ran = hooked.lines("steps");
    assert!(ran.contains(&line_of_step(1)) && ran.contains(&line_of_step(3)), "{ran:?}");
    assert!(!ran.contains(&line_of_step(2)));
}
