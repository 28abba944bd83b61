//! `pulpcov hook` and signals. SIGTERM saves the data, if the program leaves the signal to the system.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::hooked::{Hooked, Running, line_of_step};

const NEVER: &[&str] = &["--flush-interval", "60m"];

#[test]
fn sigterm_saves_after_every_order_of_what_programs_do_with_signals() {
    let hooked = Hooked::new().installed(NEVER);
    let mut command = hooked.command();
    let output = command.arg("signals.py").arg(hooked.root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with("orders, 0 failed\n"), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Runs a program that prints the number of a process whenever the next signal may be sent to it. Returns how
/// the program ends.
#[track_caller]
fn end_by(hooked: &Hooked, code: &str, signals: &[Signal]) -> ExitStatus {
    let mut process = Running::start(hooked.command().args(["-c", code]).stdout(Stdio::piped()));
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    for signal in signals {
        let number = lines.next().unwrap().unwrap().parse().unwrap();
        kill(Pid::from_raw(number), *signal).unwrap();
    }
    process.0.wait().unwrap()
}

/// Pulp's workers end a task with SIGUSR1: the first handler ends it gently, and restores the system's
/// default, which kills it.
#[test]
fn a_signal_that_the_program_uses_is_the_program_s_for_good() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import os, signal, sys
from shop import work
work.before()
def first(number, frame):
    signal.signal(number, signal.SIG_DFL)
    os.write(1, b'%d\\n' % os.getpid())
signal.signal(signal.SIGUSR1, first)
FORK
os.write(1, b'%d\\n' % os.getpid())
while True:
    signal.pause()
";
    let twice = [Signal::SIGUSR1, Signal::SIGUSR1];
    assert_eq!(end_by(&hooked, &code.replace("FORK", ""), &twice).signal(), Some(10));
    // Children inherit the handling.
    let in_child = code.replace("FORK", "if os.fork(): os._exit(os.WTERMSIG(os.wait()[1]))");
    assert_eq!(end_by(&hooked, &in_child, &twice).code(), Some(10));
}

/// A signal that the program's threads have blocked waits for `sigwait`, and the hook's thread does not take
/// it.
#[test]
fn a_blocked_signal_is_not_taken_by_the_hook() {
    let hooked = Hooked::new().installed(&["--flush-interval", "50ms"]);
    let code = "\
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1})
from shop import work
work.before()
for _ in range(3):
    os.write(1, b'%d\\n' % os.getpid())
    print(signal.sigwait({signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1}), file=sys.stderr)
";
    let status = end_by(&hooked, code, &[Signal::SIGHUP, Signal::SIGTERM, Signal::SIGUSR1]);
    assert!(status.success(), "{status}");
    assert!(!hooked.lines("work").is_empty());
}

#[test]
fn another_interpreter_of_the_process_leaves_the_signals_of_the_main_one_alone() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import os, signal
import _xxsubinterpreters as interpreters
other = interpreters.create(isolated=False)
interpreters.run_string(other, 'import sys; sys.path.insert(0, \"\"); from shop import steps; steps.step_1()')
from shop import work
work.before()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
os.write(1, b'%d\\n' % os.getpid())
signal.pause()
";
    let status = end_by(&hooked, code, &[Signal::SIGTERM]);
    assert_eq!(status.signal(), Some(15));
    assert!(!hooked.lines("work").is_empty());
}

/// The handler saves while coverage.py hands over data, because the program has just switched contexts.
#[test]
fn sigterm_in_the_midst_of_a_switch_of_contexts_saves_and_ends() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import coverage, os, signal
from shop import work
class Context(str):
    def __hash__(self):
        if self in ('second',):
            os.kill(os.getpid(), signal.SIGTERM)
        return str.__hash__(self)
current = coverage.Coverage.current()
current.switch_context(Context('second'))
work.before()
current.switch_context('third')
";
    let mut process = Running::start(hooked.command().args(["-c", code]));
    assert_eq!(process.ends().signal(), Some(15));
    assert!(!hooked.lines("work").is_empty());
}

/// Returns the lines that a program prints. Checks that it succeeds and prints no errors.
#[track_caller]
fn printed(hooked: &Hooked, code: &str) -> Vec<String> {
    let output = hooked.command().args(["-c", code]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// If a signal arrives while the hook starts, the program gets the exception of its handler, and the next
/// import goes on.
#[test]
fn what_a_handler_raises_while_the_hook_starts_reaches_the_program() {
    let code = "\
import builtins, os, signal
class Own(Exception): pass
def handler(number, frame): raise Own
signal.signal(signal.SIGALRM, handler)
# A process that a shell starts in the background ignores SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
stock = builtins.__import__
def importing(name, *args, **kwargs):
    module = stock(name, *args, **kwargs)
    if name == 'coverage':
        builtins.__import__ = stock
        os.kill(os.getpid(), NUMBER)
    return module
builtins.__import__ = importing
try:
    from shop import work
except (Own, KeyboardInterrupt) as err:
    print(repr(err))
assert signal.getsignal(signal.SIGALRM) is handler
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
from shop import work
work.before()
";
    for (number, raised) in [("signal.SIGALRM", "Own()"), ("signal.SIGINT", "KeyboardInterrupt()")]
    {
        let hooked = Hooked::new().installed(NEVER);
        assert_eq!(printed(&hooked, &code.replace("NUMBER", number)), [raised]);
        assert!(!hooked.lines("work").is_empty(), "{number}");
    }
}

/// If a signal arrives while the process forks or saves, its handler runs in that process afterwards.
#[test]
fn what_a_handler_raises_in_the_midst_of_a_fork_or_a_save_reaches_the_program() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import coverage, os, signal
class Own(Exception): pass
def handler(number, frame): raise Own
signal.signal(signal.SIGALRM, handler)
places = []
def at(place):
    if place in places:
        places.remove(place)
        os.kill(os.getpid(), signal.SIGALRM)
os.register_at_fork(before=lambda: at('before'), after_in_parent=lambda: at('parent'), after_in_child=lambda: at('child'))
from shop import work
os.register_at_fork(before=lambda: at('before'), after_in_parent=lambda: at('parent'), after_in_child=lambda: at('child'))
def fork(*chosen):
    places[:] = chosen
    parent = os.getpid()
    try:
        child = os.fork()
        raised = ''
    except Own:
        raised = 'Own'
    if os.getpid() != parent:
        os.write(1, b'child %s\\n' % raised.encode())
        os._exit(0)
    os.wait()
    os.write(1, b'parent %s\\n' % raised.encode())
fork()
fork('before')
fork('parent')
fork('child')
work.before()
class Context(str):
    def __hash__(self):
        at('save')
        return str.__hash__(self)
current = coverage.Coverage.current()
current.switch_context(Context('context'))
work.before()
places[:] = ['save']
try:
    current.save()
except Own:
    print('saved')
";
    let lines = printed(&hooked, code);
    let expected = [
        "child ",
        "parent ",
        "child ",
        "parent Own",
        "child ",
        "parent Own",
        "child Own",
        "parent ",
        "saved",
    ];
    assert_eq!(lines, expected);
    assert!(!hooked.lines("work").is_empty());
}

/// `subprocess` forks in its own way, and a handler that runs meanwhile forks as well.
#[test]
fn a_fork_in_the_midst_of_a_fork_leaves_no_signal_blocked() {
    let hooked = Hooked::new().installed(NEVER);
    let code = "\
import os, signal, subprocess
armed = 0
def nest():
    global armed
    if armed:
        armed = 0
        os.kill(os.getpid(), signal.SIGALRM)
def check(where):
    os.write(1, b'%s %d\\n' % (where, len(signal.pthread_sigmask(signal.SIG_BLOCK, ()))))
def handler(number, frame):
    child = os.fork()
    if child == 0:
        check(b'nested')
        os._exit(0)
    os.waitpid(child, 0)
signal.signal(signal.SIGALRM, handler)
os.register_at_fork(before=nest)
from shop import work
work.before()
armed = 1
subprocess.run(['true'], preexec_fn=lambda: check(b'child'))
check(b'parent')
armed = 1
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
check(b'parent')
";
    let expected = ["nested 0", "child 0", "parent 0", "nested 0", "parent 0"];
    assert_eq!(printed(&hooked, code), expected);
}

/// If the main thread waits for a lock, the hook wakes it with a signal of its own.
///
/// The program's handling of other signals is not affected, nor is what Python writes when signals arrive.
#[test]
fn a_main_thread_that_waits_is_looked_after_unnoticed() {
    let code = "\
import faulthandler, glob, os, signal, sys, threading, time
reading, writing = os.pipe()
os.set_blocking(reading, False)
os.set_blocking(writing, False)
def prepare():
    PREPARE
if EARLY: prepare()
from shop import steps
if not EARLY: prepare()
def saved():
    return [os.stat(file).st_ino for file in glob.glob(sys.argv[1] + '/*/.coverage*')]
done = threading.Lock()
done.acquire()
def serve():
    for step in range(8):
        before = saved()
        getattr(steps, 'step_%d' % step)()
        while saved() == before:
            time.sleep(0.01)
    done.release()
threading.Thread(target=serve).start()
done.acquire()
try:
    print(os.read(reading, 1))
except BlockingIOError:
    print(signal.sigpending())
USE
";
    for (prepare, used, expected) in [
        (
            "faulthandler.register(signal.SIGUSR1, open('/dev/stdout', 'w'), all_threads=False)",
            "os.kill(os.getpid(), signal.SIGUSR1)",
            "most recent call first",
        ),
        (
            "signal.set_wakeup_fd(writing)",
            "signal.signal(signal.SIGALRM, print); os.kill(os.getpid(), signal.SIGALRM); print(os.read(reading, 2))",
            "b'\\x0e'",
        ),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])", "print('end')", "end"),
    ] {
        for early in ["True", "False"] {
            let hooked = Hooked::new().installed(&["--flush-interval", "50ms"]);
            let code =
                code.replace("PREPARE", prepare).replace("USE", used).replace("EARLY", early);
            let output =
                hooked.command().args(["-u", "-c", &code]).arg(hooked.root()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && output.stderr.is_empty(), "{prepare}: {output:?}");
            assert!(said.starts_with("set()\n"), "{prepare} {early}: {said}");
            assert!(said[6..].contains(expected), "{prepare} {early}: {said}");
        }
    }
}

/// The process ends whatever its main thread waits for, and the thread that raises the signal runs no more
/// code.
#[test]
fn sigterm_that_a_thread_raises_ends_the_process_at_once() {
    let code = "\
import os, signal, threading, time
from shop import work
reading, writing = os.pipe()
waiting = threading.Event()
def end():
    waiting.wait()
    work.before()
    signal.raise_signal(signal.SIGTERM)
    os.write(1, b'went on')
threading.Thread(target=end, daemon=True).start()
waiting.set()
WAIT
";
    for wait in ["os.read(reading, 1)", "threading.Lock().acquire() and threading.Event().wait()"] {
        let hooked = Hooked::new().installed(NEVER);
        let code = code.replace("WAIT", wait);
        let mut process =
            Running::start(hooked.command().args(["-c", &code]).stdout(Stdio::piped()));
        assert_eq!(process.ends().signal(), Some(15), "{wait}");
        assert_eq!(process.read_line(), "", "{wait}");
        assert!(!hooked.lines("work").is_empty(), "{wait}");
    }
}

#[test]
fn another_interpreter_of_the_process_can_be_used_again_and_destroyed() {
    let hooked = Hooked::new().installed(&["--flush-interval", "50ms"]);
    let code = "\
import _xxsubinterpreters as interpreters
for step in (1, 3):
    other = interpreters.create(isolated=False)
    interpreters.run_string(other, 'import sys; sys.path.insert(0, \"\"); from shop import steps')
    interpreters.run_string(other, 'steps.step_%d()' % step)
    interpreters.run_string(other, 'steps.step_%d()' % (step + 1))
    interpreters.destroy(other)
print('end')
";
    // Python's own module `decimal` warns of being initialized twice.
    let output = hooked.command().args(["-c", code]).output().unwrap();
    assert!(output.status.success() && output.stdout == b"end\n", "{output:?}");
    let ran = hooked.lines("steps");
    assert!((1..5).all(|step| ran.contains(&line_of_step(step))), "{ran:?}");
}
