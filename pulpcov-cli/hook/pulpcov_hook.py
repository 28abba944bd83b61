"""Measure the coverage of every process of this Python, for as long as it runs.

`pulpcov hook install` puts this module beside a `.pth` file that imports it, and a file of settings. coverage.py
measures. This module starts coverage.py and saves what it has recorded every few seconds, because services fork,
never end, or are killed.

Everything here keeps these rules:

- A failure never reaches the program. The hook says it once, on standard error, and the program goes on.
- A process that is not measured pays for reading a small file, and for nothing else.
- A data file is complete at any instant. The hook writes a new file beside it and renames that file.
- Nothing in the data root is trusted. Others may write there: the hook opens nothing that it has not made itself,
  follows no link, and never lets SQLite open a file.

The classes, from the outside in:

- `Settings` and `Awaiting` decide whether and when a process is measured.
- `Recorder` starts and stops everything, and saves.
- `Flusher` is the thread that saves every few seconds.
- `Forks`, `Signals` and `Ends` notice forks, signals and the ends of the process. `Undivided` keeps signal handlers out of
  the midst of all that.
- `Measurement` holds coverage.py. `Received` takes the rows that coverage.py hands over.
- `DataFile`, `Database` and `DataRoot` keep the rows on disk.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SETTINGS = os.path.join(HERE, "pulpcov_hook.conf")
OLDEST_PYTHON = (3, 11)
OLDEST_COVERAGE = (7, 10)
# How long a process waits for another thread or process before it goes on without saving, in seconds.
PATIENCE = 5

# What is done at the very end of the process.
_at_end = []
# Was something reported already?
_reported = False
# The folder that this process writes into, as soon as it is measured.
_data_root = None


def _report(what):
    """Say what is wrong, once a process: on standard error, and in a note for `pulpcov hook status`."""
    global _reported
    if _reported:
        return
    _reported = True
    try:
        sys.stderr.write("pulpcov hook, process %d: %s\n" % (os.getpid(), what))
        sys.stderr.flush()
    except Exception:
        # Services close their standard error.
        pass
    try:
        if _data_root is not None:
            _data_root.write_note(what)
    except Exception:
        # What is wrong may be the folder itself.
        pass


def _in_words(err):
    return "%s: %s" % (type(err).__name__, err) if str(err) else type(err).__name__


def _program():
    """The name of the running program, "" where /proc is not mounted."""
    try:
        return os.path.basename(os.readlink("/proc/self/exe"))
    except OSError:
        return ""


def _is_made_by_program():
    """Has a program in Python 3.11 made this interpreter beside its own? Servers that embed Python make theirs otherwise."""
    if "python" not in _program():
        return False
    try:
        import _xxsubinterpreters
    except ImportError:
        return False
    return _xxsubinterpreters.get_current() != _xxsubinterpreters.get_main()


def _real(module, name):
    """A function of the standard library as it was before gevent or eventlet replaced it."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original(module, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return getattr(eventlet.original(module), name)
    return getattr(__import__(module), name)


# Python imports this module before the program runs, and thus before anybody replaces these.
_allocate_lock = _real("_thread", "allocate_lock")
_RLock = _real("_thread", "RLock")
_get_ident = _real("_thread", "get_ident")
_start_new_thread = _real("_thread", "start_new_thread")
_monotonic = _real("time", "monotonic")


def _pause(seconds):
    """Sleep, whatever has become of `time.sleep`."""
    lock = _allocate_lock()
    lock.acquire()
    lock.acquire(timeout=seconds)


class Undivided:
    """Parts of the hook that no signal handler runs in the midst of: those that would run when the part is done.

    Python runs handlers in the main thread, between any two instructions. A handler may raise, which is for the program
    and not for the hook; or fork, save, or end the process, when the hook is not ready for it.
    """

    def __init__(self):
        # How many parts each thread is in, one inside the other.
        self.depths = {}
        self.late = []

    def __enter__(self):
        me = _get_ident()
        self.depths[me] = self.depths.get(me, 0) + 1

    def __exit__(self, *_):
        me = _get_ident()
        if self.depths[me] > 1:
            self.depths[me] -= 1
        else:
            del self.depths[me]
            self._run_late(me)

    def run(self, call, *args):
        """Do a part. What fails in it is said, and does not reach the program; what handlers raise does."""
        with self:
            try:
                return call(*args)
            except Exception as err:
                _report(_in_words(err))

    def defers(self, handler, number, frame):
        """Does the handler, which is to run in this thread, run later?"""
        me = _get_ident()
        if me not in self.depths:
            return False
        self.late.append((os.getpid(), me, handler, number, frame))
        return True

    def _run_late(self, me):
        # Only the main thread has any.
        while self.late and self.late[0][1] == me:
            pid, _, handler, number, frame = self.late.pop(0)
            # What came to the parent before it forked is the parent's.
            if pid == os.getpid():
                try:
                    handler(number, frame)
                finally:
                    self._run_late(me)

    def forked(self):
        """In a child, which has no other threads, and none of what was late in its parent."""
        me = _get_ident()
        self.depths = {me: self.depths[me]}
        self.late = [each for each in self.late if each[0] == os.getpid()]


_undivided = Undivided()


class Handler:
    """A signal handler that stays out of the midst of the hook."""

    def __init__(self, call):
        self.call = call

    def __call__(self, number, frame):
        if not _undivided.defers(self.call, number, frame):
            self.call(number, frame)


class Settings:
    """What was chosen when the hook was installed: lines of a name, a space, and a value."""

    def __init__(self, path):
        values = {}
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                name, _, value = line.rstrip("\n").partition(" ")
                values.setdefault(name, []).append(value)
        self.root = os.environ.get("PULP_COVERAGE_ROOT") or values["root"][0]
        self.interval = float(values["interval"][0])
        self.branch = True if "branch" in values else None
        self.context = values.get("context", [None])[0]
        self.config = values.get("config", [None])[0]
        self.packages = values.get("package", [])
        self.folders = values.get("folder", [])
        self.users = values.get("user", [])
        self.signal = values.get("signal", [None])[0]

    def wants_this_user(self):
        return not self.users or str(os.geteuid()) in self.users

    def can_wait(self):
        """Can measuring wait until a package is imported?

        Not if folders are measured, or everything; nor where a server embeds Python, whose threads may be there
        before the package. Apache is an exception: it says when a request begins.
        """
        if not self.packages or self.folders or any(name in sys.modules for name in self.packages):
            return False
        program = _program()
        return "python" in program or program in ("apache2", "httpd", "")


class Awaiting:
    """Starts to measure when one of the packages is about to be imported. Of importlib's kind, a finder."""

    def __init__(self, settings):
        self.settings = settings
        self.packages = frozenset(settings.packages)

    def find_spec(self, name, path=None, target=None):
        if name in self.packages:
            try:
                sys.meta_path.remove(self)
            except ValueError:
                # Another thread was first.
                return None
            _start(self.settings)
        return None


class Unsupported(Exception):
    """This coverage.py, or this Python, is not one that the hook works with."""


class MeasuredAlready(Exception):
    """The program measures itself with coverage.py."""

    def __init__(self):
        super().__init__("the program measures itself with coverage.py")


class Received:
    """Takes rows that coverage.py hands over because a context ends, or because the program asks it to save.

    coverage.py uses it as its `CoverageData`. It hands over seldom: the hook takes most rows out of the tracers' sets.
    A program that looks at the data, through `Coverage.current()`, is shown what this process has recorded so far.
    """

    def __init__(self, recorder):
        self.recorder = recorder
        self.context = None
        self.forget()

    def forget(self):
        import collections

        # Batches of rows, plugins, and files without rows. There is no lock: a signal handler may save, and so take
        # these, in the midst of any of these functions. A deque takes and gives one member at a time.
        self.batches = collections.deque()

    def take(self):
        """Everything so far: rows by context and file, plugins by file, and plugins of files without rows."""
        rows, plugins, touched = {}, {}, {}
        while self.batches:
            some_rows, some_plugins, some_touched = self.batches.popleft()
            for key, some in some_rows.items():
                rows.setdefault(key, set()).update(some)
            plugins.update(some_plugins)
            touched.update(some_touched)
        return rows, plugins, touched

    def set_context(self, context):
        before, self.context = self.context, context
        # What ran in the one may run in the other.
        self.recorder.record_again()
        return before

    def add_lines(self, rows):
        context = self.context or ""
        self.batches.append(({(context, name): set(some) for name, some in rows.items()}, {}, {}))

    add_arcs = add_lines

    def add_file_tracers(self, plugins):
        if plugins:
            self.batches.append(({}, dict(plugins), {}))

    def touch_files(self, names, plugin_name=None):
        self.batches.append(({}, {}, {name: plugin_name or "" for name in names}))

    def touch_file(self, name, plugin_name=""):
        self.touch_files([name], plugin_name)

    def write(self):
        self.recorder.flush()

    def close(self, force=False):
        pass

    def __bool__(self):
        return True

    def __getattr__(self, name):
        # All else that a `CoverageData` has.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.recorder.recorded(), name)


class NoTracer:
    """Stands in for the tracers of a collector that only translates rows."""

    def activity(self):
        return True

    def reset_activity(self):
        pass


class Measurement:
    """coverage.py at work in this process.

    All private names of coverage.py that the hook uses are used in this class, and `_probe` looks at each before
    anything of the program is changed.
    """

    def __init__(self, settings):
        import coverage

        self.version = coverage.__version__
        if coverage.version_info[:2] < OLDEST_COVERAGE:
            raise Unsupported("coverage.py %s is too old: 7.10 or later is needed" % self.version)
        self.coverage = coverage.Coverage(
            data_file=None,
            config_file=settings.config or False,
            branch=settings.branch,
            source_pkgs=settings.packages or None,
            source_dirs=settings.folders or None,
            context=settings.context,
            messages=False,
        )
        self._choose_options()

    def _choose_options(self):
        measured = self.coverage
        # The hook does these itself, and doing them twice would measure twice.
        measured.set_option("run:patch", [])
        measured.set_option("run:sigterm", False)
        measured.set_option("run:concurrency", self._concurrency())
        tracer = sys.modules.get("coverage.tracer")
        if tracer is not None and not hasattr(tracer, "CTracer"):
            # There is one C tracer a process, and another interpreter has it. The one in Python is slower.
            measured.set_option("run:timid", True)
        # A warning can be an error (`python -W error`), and would be the program's.
        measured._warn = lambda *args, **kwargs: None

    def _concurrency(self):
        """What the configuration says, and gevent or eventlet if the program runs on one of them.

        Without it, coverage.py mixes up the greenlets of a thread.
        """
        chosen = self.coverage.get_option("run:concurrency") or []
        chosen = [name for name in chosen if name != "multiprocessing"]
        if not {"greenlet", "gevent", "eventlet"}.intersection(chosen):
            gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
            # Without threads, a server may not end: coverage.py leaves greenlets waiting for each other.
            if gevent is not None and gevent.is_anything_patched():
                return ["gevent", "thread"]
            if eventlet is not None and eventlet.is_monkey_patched("thread"):
                return ["eventlet", "thread"]
        return chosen

    def start(self, received):
        """Begin to measure this thread, and threads to come."""
        import atexit
        import copy
        import threading

        self.threading = threading
        self.received = received
        # Of coverage.py's collectors only the last one of the stack may stop. So ours is never below one of the program's.
        if self._collectors_under_way():
            raise MeasuredAlready()
        self.coverage.start()
        try:
            self._probe()
            # It would stop before handlers run that the program has registered earlier.
            atexit.unregister(self.coverage._atexit)
            self.collector = self.coverage._collector
            self.branch = self.collector.branch
            self.uses_tracers = self.collector.core.systrace
            self._refuse_tracers_without_gil()
            self.collector.use_data(received, self.coverage.get_option("run:context"))
            self.coverage._data = received
            # Knows how tracers pack arcs into numbers, and what files are called.
            self.translator = copy.copy(self.collector)
            self.translator.tracers = [NoTracer()]
            self.translator.data_lock = None
        except BaseException:
            self.stop()
            raise

    def _collectors_under_way(self):
        return sys.modules["coverage.collector"].Collector._collectors

    def on_other_measurement(self, call):
        """Have `call` called when the program begins to measure itself: its collector pauses ours then."""
        stock = self.collector.pause

        def pause():
            stock()
            # When this one stops, its `Coverage` is not a current one any more.
            if self.coverage in self.coverage._instances:
                self.leave()
                call()

        self.collector.pause = pause

    def leave(self):
        """Leave coverage.py to the program, as if we had never started it. Ours is paused."""
        under_way, current = self._collectors_under_way(), self.coverage._instances
        for stack, ours in ((under_way, self.collector), (current, self.coverage)):
            if ours in stack:
                stack.remove(ours)
        self.coverage._started = False
        # Frames keep the tracer in C as a function for `sys.settrace`, which would take itself out, and others with it.
        ours = set(map(id, self.collector.tracers))
        for frame in sys._current_frames().values():
            while frame is not None:
                if id(frame.f_trace) in ours:
                    del frame.f_trace
                frame = frame.f_back

    # What is used of coverage.py beyond its documented interface. The values are kinds; `None` is anything.
    USED = {
        "_atexit": callable,
        "_data": None,
        "_instances": list,
        "_started": bool,
        "_collector._collectors": list,
        "_collector.pause": callable,
        "_collector.pid": int,
        "_collector.data": dict,
        "_collector.tracers": list,
        "_collector.data_lock": None,
        "_collector.file_tracers": dict,
        "_collector.should_trace": callable,
        "_collector.check_include": callable,
        "_collector.should_start_context": None,
        "_collector.use_data": callable,
        "_collector.flush_data": callable,
        "_collector._start_tracer": callable,
        "_collector._installation_trace": callable,
        "_collector.branch": None,
        "_collector.core.systrace": bool,
        "_file_mapper": callable,
        "_inorout.source_pkgs": list,
        "_inorout.find_possibly_unexecuted_files": callable,
    }

    def _probe(self):
        """Is all of it as it is known?"""
        for path, kind in self.USED.items():
            value = self.coverage
            for name in path.split("."):
                try:
                    value = getattr(value, name)
                except AttributeError:
                    raise self._unknown(path) from None
            if kind is callable and not callable(value) or isinstance(kind, type) and not isinstance(value, kind):
                raise self._unknown(path)

    def _unknown(self, path):
        return Unsupported("coverage.py %s has no Coverage.%s as this version of pulpcov knows it" % (self.version, path))

    def _refuse_tracers_without_gil(self):
        has_gil = getattr(sys, "_is_gil_enabled", lambda: True)
        if self.uses_tracers and not has_gil():
            # A tracer that another thread was in when the process forked stays locked in the child.
            raise Unsupported(
                "coverage.py's tracers hang in forks of a free-threaded Python: leave out the setting `core`, or set core = sysmon"
            )

    def stop(self):
        self.coverage.stop()

    def end(self):
        self.coverage._atexit()

    def take(self):
        """Move everything that was recorded out of coverage.py's sets, which stay in use all the time.

        To other threads, copying a set is one step, and so is removing the members of one set from another. What
        runs again in between is a member of the copy, so nothing is lost.
        """
        taken = {}
        for name, recorded in self.collector.data.copy().items():
            some = recorded.copy()
            if some:
                recorded.difference_update(some)
                taken[name] = some
        if taken:
            self.translator.data = taken
            self.translator.file_tracers = self.collector.file_tracers.copy()
            self.translator.flush_data()
        self.record_again()
        return self.received.take()

    def record_again(self):
        """Have what has run recorded again when it runs again: in a new process, or after somebody erased the data.

        Tracers do so anyway. sys.monitoring says only once that a line runs, unless it is told to begin anew.
        """
        if not self.uses_tracers:
            sys.monitoring.restart_events()

    def forget(self):
        """Forget what was recorded, and renew what another thread may have held when the process forked."""
        # coverage.py would take it for a remainder of the parent, and would not pause it.
        self.collector.pid = os.getpid()
        for recorded in self.collector.data.values():
            recorded.clear()
        self.renew_lock()
        self.received.forget()
        self.record_again()

    def renew_lock(self):
        # Tracers hold the lock's own methods, so it must stay the same lock.
        renew = getattr(self.collector.data_lock, "_at_fork_reinit", None)
        if renew is not None:
            renew()

    def unexecuted(self):
        """The modules of what is measured, with plugins, whether they ran or not."""
        for path, plugin in self.coverage._inorout.find_possibly_unexecuted_files():
            yield self.coverage._file_mapper(path), plugin or ""

    def imported_packages(self):
        return {name for name in self.coverage._inorout.source_pkgs if name in sys.modules}

    def on_new_file(self, call):
        """Have `call` called whenever a file runs for the first time."""
        stock = self.collector.should_trace
        not_traced = stock("<none>", None)

        def should_trace(*args):
            call()
            return stock(*args)

        # Names of files may be no names, and the working folder may be gone: tracers would raise that into the program.
        self._replace("should_trace", _guarded(should_trace, not_traced))
        self._replace("check_include", _guarded(self.collector.check_include, False))
        if self.collector.should_start_context is not None:
            self._replace("should_start_context", _guarded(self.collector.should_start_context, None))

    def _replace(self, name, call):
        for each in [self.collector] + self.collector.tracers:
            if hasattr(each, name):
                setattr(each, name, call)

    def trace_this_thread(self):
        if self.coverage._started and sys.gettrace() is None:
            self.collector._start_tracer()

    def trace_older_threads(self):
        """Measure threads that were there before. Pythons before 3.12 do not let us; sys.monitoring sees all threads."""
        trace_all = getattr(self.threading, "settrace_all_threads", None)
        if trace_all and self.uses_tracers and len(sys._current_frames()) > 1:
            of_this_thread = sys.gettrace()
            trace_all(self.collector._installation_trace)
            sys.settrace(of_this_thread)

    def forget_ended_threads(self):
        """Drop tracers that nothing else refers to. coverage.py keeps one for every thread there ever was."""
        tracers = self.collector.tracers
        others = tracers[1:]
        # Pythons count in different ways what is on its way to the one that counts.
        (unused,) = _references([object()])
        for tracer, references in zip(others, _references(others)):
            # It is in one list more.
            if references <= unused + 1:
                tracers.remove(tracer)


def _guarded(call, otherwise):
    """A part of the hook that coverage.py calls. What it is in place of a result if that fails."""

    def guarded(*args):
        with _undivided:
            try:
                return call(*args)
            except Exception as err:
                _report(_in_words(err))
                return otherwise

    return guarded


def _references(objects):
    """How many references there are to each."""
    return [sys.getrefcount(each) for each in objects]


class DataRoot:
    """The folder that processes of all users write into.

    A process writes into a folder of its user, `uid-1000`, with mode 0700. It reaches that folder through an open
    descriptor of the root: names can be changed by others, and after `chroot` they lead elsewhere.
    """

    FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    FIRST_DESCRIPTOR = 200

    def __init__(self, path):
        self.path = path
        self.descriptor = self.identity = None
        # Which folder "/" was when the root was opened: after `chroot`, the path leads elsewhere.
        self.slash = None
        # The name of the folder of each user that this process has been.
        self.names = {}

    def of_user(self):
        """Open the folder of this process's user, made if it is missing. The caller closes it."""
        root = self._open_root()
        user = os.geteuid()
        plain = "uid-%d" % user
        names = [self.names.get(user, plain), plain + "-" + _random_word(), plain + "-" + _random_word()]
        for name in names:
            folder = self._open_or_make(root, name)
            if folder is None:
                continue
            state = os.fstat(folder)
            if state.st_uid == user:
                _set_mode(folder, state, state.st_mode & 0o7755 | 0o700)
                self.names[user] = name
                return folder
            os.close(folder)
        raise PermissionError("%s in %s belongs to somebody else, and so do new folders there" % (plain, self.path))

    def _open_or_make(self, root, name):
        try:
            os.mkdir(name, 0o700, dir_fd=root)
        except FileExistsError:
            pass
        except PermissionError:
            raise PermissionError("no permission to write into %s" % self.path) from None
        flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._let_owner_in(os.open(name, flags | os.O_PATH, dir_fd=root))
            return os.open(name, flags | os.O_RDONLY, dir_fd=root)
        except OSError:
            # It is a link or a file, or only others may enter it: somebody else has taken the name.
            return None

    def _let_owner_in(self, place):
        """A folder that was made with an odd umask is closed to its owner too: only a descriptor of the place is to be had."""
        try:
            state = os.fstat(place)
            if state.st_uid == os.geteuid() and state.st_mode & 0o700 != 0o700:
                os.chmod("/proc/self/fd/%d" % place, state.st_mode & 0o7777 | 0o700)
        finally:
            os.close(place)

    def _open_root(self):
        """The descriptor of the root, opened again if the program closed it, or if another folder has its name now."""
        if self.descriptor is not None and not self._is_ours():
            # The program has closed it. What has its number now is not ours to close.
            self.descriptor = None
        is_outside = self.slash is not None and self.slash != _identity(os.stat("/"))
        if self.descriptor is not None and (is_outside or self._is_at_its_path()):
            return self.descriptor
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
        if not os.path.isdir(self.path):
            os.makedirs(self.path, exist_ok=True)
            # As /tmp has it: processes of all users write here.
            os.chmod(self.path, 0o1777)
        descriptor = os.open(self.path, self.FLAGS)
        self.identity, self.slash = _identity(os.fstat(descriptor)), _identity(os.stat("/"))
        self.descriptor = self._out_of_the_way(descriptor)
        return self.descriptor

    def _is_ours(self):
        try:
            return _identity(os.fstat(self.descriptor)) == self.identity
        except OSError:
            return False

    def _is_at_its_path(self):
        try:
            return _identity(os.stat(self.path)) == self.identity
        except OSError:
            return False

    def _out_of_the_way(self, descriptor):
        """Programs expect the lowest free descriptors for themselves."""
        import fcntl

        try:
            moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, self.FIRST_DESCRIPTOR)
        except OSError:
            # The limit of open files is lower.
            return descriptor
        os.close(descriptor)
        return moved

    def write_note(self, text):
        """Leave a note of this process for `pulpcov hook status`, in place of notes of processes that have ended."""
        folder = self.of_user()
        try:
            _remove_old_notes(folder)
            name = ".pulpcov_hook.%s.pid%d.note" % (_host(), os.getpid())
            _write_new(folder, name, text.encode("utf-8", "backslashreplace") + b"\n")
        except FileExistsError:
            pass
        finally:
            os.close(folder)


def _identity(stat):
    return stat.st_dev, stat.st_ino


def _remove_old_notes(folder):
    prefix = ".pulpcov_hook.%s.pid" % _host()
    for name in os.listdir(folder):
        if name.startswith(prefix) and name.endswith(".note"):
            number = name[len(prefix) : -len(".note")]
            if number.isdigit() and not _lives(int(number)):
                os.unlink(name, dir_fd=folder)


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _host():
    return os.uname().nodename.replace(".", "_").replace("/", "_")


def _random_word():
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(letters[byte % len(letters)] for byte in os.urandom(8))


def _write_new(folder, name, content):
    """Write a file that is not there yet. Its state."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(name, flags, 0o644, dir_fd=folder)
    try:
        # Whatever the umask takes away, this process reads it again.
        state = os.fstat(file)
        _set_mode(file, state, state.st_mode | 0o600)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
        return _state(os.fstat(file))
    except BaseException:
        os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(file)


def _set_mode(descriptor, state, mode):
    if state.st_mode & 0o7777 != mode & 0o7777:
        os.fchmod(descriptor, mode & 0o7777)


def _state(stat):
    """Tells one state of a file from another."""
    return stat.st_dev, stat.st_ino, stat.st_uid, stat.st_size, stat.st_mtime_ns


class Database:
    """A data file of coverage.py in memory: SQLite never opens a file."""

    def __init__(self, content):
        import sqlite3
        from coverage.numbits import numbits_union, nums_to_numbits

        self.numbits_union, self.nums_to_numbits = numbits_union, nums_to_numbits
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            self.connection.deserialize(content)
            self.files = dict(self.connection.execute("select path, id from file"))
            self.contexts = dict(self.connection.execute("select context, id from context"))
        except BaseException:
            self.close()
            raise

    @staticmethod
    def empty(branch):
        """A data file without rows, as the coverage.py that is installed makes it."""
        import sqlite3
        import zlib
        from coverage import CoverageData

        data = CoverageData(no_disk=True)
        (data.add_arcs if branch else data.add_lines)({})
        dumped = data.dumps()
        # In 7.10.0 there is nothing to close: connections end with each operation.
        if hasattr(data, "close"):
            data.close(force=True)
        if dumped[:1] != b"z":
            raise Unsupported("CoverageData.dumps is not as this version of pulpcov knows it")
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            connection.executescript(zlib.decompress(dumped[1:]).decode("utf-8"))
            return connection.serialize()
        finally:
            connection.close()

    def add(self, rows, plugins, touched, branch):
        """Add rows by context and file, and plugins. Was any of it new?"""
        before = self.connection.total_changes
        self.connection.execute("begin")
        for (context, name), some in rows.items():
            where = self._file(name), self._context(context)
            (self._add_arcs if branch else self._add_lines)(where, some)
        for name in touched:
            self._file(name)
        for name, plugin in {**plugins, **touched}.items():
            number = self.files.get(_valid(name))
            if plugin and number is not None:
                self.connection.execute("insert or ignore into tracer values (?, ?)", (number, plugin))
        self.connection.execute("commit")
        return self.connection.total_changes > before

    def _file(self, name):
        name = _valid(name)
        if name not in self.files:
            added = self.connection.execute("insert into file (path) values (?)", (name,))
            self.files[name] = added.lastrowid
        return self.files[name]

    def _context(self, context):
        context = _valid(context)
        if context not in self.contexts:
            added = self.connection.execute("insert into context (context) values (?)", (context,))
            self.contexts[context] = added.lastrowid
        return self.contexts[context]

    def _add_arcs(self, where, arcs):
        self.connection.executemany(
            "insert or ignore into arc (file_id, context_id, fromno, tono) values (?, ?, ?, ?)",
            [where + tuple(arc) for arc in arcs],
        )

    def _add_lines(self, where, lines):
        query = "select numbits from line_bits where file_id = ? and context_id = ?"
        known = self.connection.execute(query, where).fetchone()
        numbits = self.nums_to_numbits(lines)
        if known is not None:
            numbits = self.numbits_union(known[0], numbits)
            if numbits == known[0]:
                return
        self.connection.execute(
            "insert or replace into line_bits (file_id, context_id, numbits) values (?, ?, ?)",
            where + (numbits,),
        )

    def content(self):
        return self.connection.serialize()

    def close(self):
        self.connection.close()


def _valid(text):
    """Text that a data file can hold. Names of files need not be UTF-8, and contexts come from the program."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


class DataFile:
    """The data file of this process."""

    # SQLite's lock byte of a connection that is going to write ("File Locking And Concurrency In SQLite Version 3").
    RESERVED_BYTE = 0x40000001

    def __init__(self, root, branch):
        # Imported now: after `chroot` nothing can be imported.
        import fcntl
        import resource
        import sqlite3

        if not hasattr(sqlite3.Connection, "deserialize"):
            raise Unsupported("this Python's sqlite3 cannot make data files in memory: it has no `deserialize`")
        self.fcntl, self.resource, self.damage = fcntl, resource, sqlite3.Error
        self.root = root
        self.branch = branch
        self.empty = Database.empty(branch)
        # Is there a place to write to?
        os.close(self.root.of_user())
        self.rename()

    def rename(self):
        """Take a name that no other process has. There is no such file yet."""
        self.name = ".coverage.%s.pid%d.X%sx" % (_host(), os.getpid(), _random_word())
        self.state = None

    def add(self, rows, plugins, touched):
        """Add what is not in the file yet. `rows` are by context and file."""
        folder = self.root.of_user()
        try:
            content = self._with(self._read(folder), rows, plugins, touched)
            if content is not None:
                self._write(folder, content)
        finally:
            os.close(folder)

    def dumped(self):
        """The file as `CoverageData.loads` takes it; `None` if there is none."""
        import zlib

        folder = self.root.of_user()
        try:
            content = self._read(folder)
        finally:
            os.close(folder)
        if content is None:
            return None
        database = Database(content)
        try:
            return b"z" + zlib.compress("\n".join(database.connection.iterdump()).encode("utf-8"))
        finally:
            database.close()

    def _with(self, content, rows, plugins, touched):
        """The file with these rows; `None` if it has them already."""
        try:
            database = Database(self.empty if content is None else content)
            try:
                is_new = database.add(rows, plugins, touched, self.branch)
                return database.content() if is_new else None
            finally:
                database.close()
        except self.damage:
            if content is None:
                raise
            # It is damaged, or as large as a database in memory can be. It stays, and the next one is begun.
            self.rename()
            return self._with(None, rows, plugins, touched)

    def _read(self, folder):
        """What the file holds; `None` if there is none, or one that this process has not written."""
        if self.state is None:
            return None
        try:
            file = os.open(self.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            # It was combined and deleted, or this process has become another user since.
            self.rename()
            return None
        try:
            if _state(os.fstat(file)) != self.state:
                self.rename()
                return None
            size, content = self.state[3], bytearray()
            while len(content) < size:
                some = os.read(file, size - len(content))
                if not some:
                    break
                content += some
            return bytes(content)
        finally:
            os.close(file)

    def _write(self, folder, content):
        limit, _ = self.resource.getrlimit(self.resource.RLIMIT_FSIZE)
        if 0 <= limit < len(content):
            # The system would send SIGXFSZ, which may end the process.
            raise OSError("the data file takes %d bytes, and `ulimit -f` allows %d" % (len(content), limit))
        # No data file's name, so that nobody combines it.
        temporary = ".pulpcov_hook.%s.pid%d.%s.tmp" % (_host(), os.getpid(), _random_word())
        state = _write_new(folder, temporary, content)
        try:
            with self._lock(folder):
                os.rename(temporary, self.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
        self.state = state

    def _lock(self, folder):
        """Keep others from deleting the file that is going to be replaced: they lock it, look at it once more, and delete it."""
        return ReservedLock(self, folder)


class ReservedLock:
    """Holds SQLite's lock of a writer on a data file, if there is one."""

    def __init__(self, data_file, folder):
        self.fcntl = data_file.fcntl
        self.file = None
        if data_file.state is None:
            return
        try:
            self.file = os.open(data_file.name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            # It was deleted. The new file holds its rows too, which is one time more than needed.
            return
        try:
            self._wait(_monotonic() + PATIENCE)
        except BaseException:
            os.close(self.file)
            raise

    def _wait(self, deadline):
        while not self._try():
            if _monotonic() > deadline:
                raise TimeoutError("another process keeps the data file locked")
            _pause(0.005)

    def _try(self):
        try:
            self.fcntl.lockf(self.file, self.fcntl.LOCK_EX | self.fcntl.LOCK_NB, 1, DataFile.RESERVED_BYTE)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            # A file system without locks.
            pass
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.file is not None:
            os.close(self.file)


class Recorder:
    """Measures this process, and those that it forks."""

    def __init__(self, settings):
        self.settings = settings
        self.pid = os.getpid()
        # Rows that are not on disk yet.
        self.pending = {}, {}, {}
        # Packages whose modules are in a data file whether they ran or not.
        self.listed = None
        # `ended`: the interpreter ends. `disabled`: nothing can be saved any more.
        self.ended = self.disabled = False
        # uWSGI forks while any thread may have Python's lock, and a child has not that thread: the lock stays closed.
        # So there is no thread of ours until it has forked.
        self.will_fork = "uwsgi" in sys.modules or _program().startswith("uwsgi")
        self.received = Received(self)
        self._new_lock()

    def start(self):
        """Measure from now on. If that fails, nothing of the program is changed."""
        import atexit

        self.signals = Signals(self)
        self.installed = [self.signals]
        try:
            self.signals.defer()
            atexit.register(self._begin_to_end)
            _at_end.append(self._end)
            self.measurement = Measurement(self.settings)
            self.measurement.start(self.received)
            try:
                self._install()
            except BaseException:
                self.measurement.stop()
                raise
        except BaseException:
            self.disabled = True
            self._remove()
            atexit.unregister(self._begin_to_end)
            _at_end.clear()
            raise

    def _install(self):
        self.file = DataFile(_data_root, self.measurement.branch)
        self.flusher = Flusher(self.settings.interval, self._work)
        self.forks = Forks(self)
        for part in (self.forks, Ends(self), NativeThreads(self.measurement)):
            self.installed.append(part)
            part.install()
        self.signals.install()
        if sys.version_info < (3, 12) and not self.signals.are_set and _is_made_by_program():
            # Python 3.11 runs nothing in such an interpreter while it has a second thread. It saves when it ends.
            self.flusher.forbid()
        self.measurement.on_new_file(self._notice_fork_in_c)
        self.measurement.on_other_measurement(self._step_aside)
        self.measurement.trace_older_threads()
        if not self.will_fork:
            self.flusher.start()

    def _remove(self):
        for part in reversed(self.installed):
            part.remove()

    def record_again(self):
        self.measurement.record_again()

    def recorded(self):
        """What this process has recorded since its data file was begun, as a `CoverageData` of its own."""
        from coverage import CoverageData

        data = CoverageData(no_disk=True)
        self.flush()
        dumped = self.file.dumped()
        if dumped is not None:
            data.loads(dumped)
        return data

    # Saving.

    def flush(self, timeout=30):
        """Save what was recorded since the last time, unless this thread is in the midst of saving already."""
        with _undivided:
            if self.disabled or self.saver == _get_ident():
                return
            self.check_process()
            if not self.lock.acquire(timeout=timeout):
                return
            self.saver = _get_ident()
            try:
                self._save()
            except Exception as err:
                _report("%s; what was recorded is kept, and tried again" % _in_words(err))
            finally:
                self.saver = None
                self.lock.release()

    def _save(self):
        rows, plugins, touched = self.pending
        more_rows, more_plugins, more_touched = self.measurement.take()
        for key, some in more_rows.items():
            rows.setdefault(key, set()).update(some)
        plugins.update(more_plugins)
        touched.update(more_touched)
        if not rows and not touched:
            return
        imported = self.measurement.imported_packages()
        if imported != self.listed:
            # It takes a walk over all sources, so only if packages were imported since.
            touched.update(each for each in self.measurement.unexecuted() if each[0] not in touched)
        self.file.add(rows, plugins, touched)
        self.pending = {}, {}, {}
        self.listed = imported

    def _work(self):
        """What the thread does every few seconds."""
        self.flush()
        self.measurement.forget_ended_threads()
        self.signals.wake_main_thread()

    def _new_lock(self):
        # Held by who saves, and by who forks: each would find the other's work half done.
        self.lock = _RLock()
        self.saver = None

    # Processes.

    def check_process(self):
        """If this is a child, forget what the parent recorded, and measure on, in the midst of any function."""
        if os.getpid() == self.pid:
            return
        self.pid = os.getpid()
        if self.saver is not None:
            # The parent was saving, and nobody is there to finish it.
            self.ended = self.disabled = True
        try:
            if self.will_fork:
                # The parent has saved nothing, and may never: what it ran is its workers' too.
                self.will_fork = False
                self.measurement.renew_lock()
                self.measurement.record_again()
            else:
                self.measurement.forget()
                # The parent lists the modules of these.
                self.listed = self.measurement.imported_packages()
            self.pending = {}, {}, {}
            self._new_lock()
            _undivided.forked()
            self.file.rename()
            self.signals.forked()
            self.flusher.forget()
            if not self.ended:
                self.flusher.start()
        except Exception as err:
            _report(_in_words(err))

    def _notice_fork_in_c(self):
        """Servers written in C fork without telling Python, and their workers may not have been forked at all."""
        if self.forks.is_under_way():
            # Python knows of this one.
            return
        if os.getpid() != self.pid:
            self.check_process()
        elif self.will_fork and self._is_worker():
            self.will_fork = False
            self.flusher.start()

    def _is_worker(self):
        server = sys.modules.get("uwsgi")
        return server is not None and server.worker_id() > 0

    def _step_aside(self):
        """The program measures itself from now on."""
        self.ended = True
        self.flusher.stop(PATIENCE)
        self.flush(timeout=PATIENCE)
        self.disabled = True
        self._remove()
        _report("not measured any more: %s" % MeasuredAlready())

    def _begin_to_end(self):
        """The interpreter ends. Handlers of the program's are still to run, and no thread can be started any more."""
        self.ended = True

    def _end(self):
        """All handlers of the program's have run."""
        self.ended = True
        if self.disabled:
            return
        if os.getpid() == self.pid:
            self.flusher.stop(1)
        self.measurement.end()
        self.flush(timeout=PATIENCE)


class Turn:
    """One run of the flusher's thread: it ends before a fork, and another one goes on after it."""

    def __init__(self):
        # Closed locks: who waits for one waits for somebody to open it.
        self.wake, self.ended = _allocate_lock(), _allocate_lock()
        self.wake.acquire()
        self.ended.acquire()
        self.stops = False
        self.number = None

    def call(self):
        try:
            self.wake.release()
        except RuntimeError:
            # It has been called already.
            pass

    def wait(self, until):
        """Wait to be called, or until then. False if the turn is over."""
        if not self.stops:
            self.wake.acquire(timeout=max(0, until - _monotonic()))
        return not self.stops


class Flusher:
    """The thread that saves. It is not one of `threading`'s, which programs count, wait for and replace."""

    def __init__(self, interval, work):
        import _signal
        import _thread

        self.interval, self.work = interval, work
        self.signal, self.native_id = _signal, _thread.get_native_id
        self.all_signals = _signal.valid_signals()
        self.turn = None
        self.next_time = 0
        self.is_forbidden = False

    def forbid(self):
        self.is_forbidden = True

    def start(self):
        # Workers that start together do not save together.
        self.next_time = _monotonic() + self.interval * (0.5 + os.urandom(1)[0] / 512)
        self.resume()

    def resume(self):
        if self.turn is not None or self.is_forbidden:
            return
        turn = Turn()
        # A signal is to reach the program's threads, which may have blocked it. The thread inherits this mask.
        mask = self.signal.pthread_sigmask(self.signal.SIG_BLOCK, self.all_signals)
        try:
            _start_new_thread(self._run, (turn,))
        finally:
            self.signal.pthread_sigmask(self.signal.SIG_SETMASK, mask)
        self.turn = turn

    def _run(self, turn):
        try:
            turn.number = self.native_id()
            while turn.wait(self.next_time):
                self.next_time = _monotonic() + self.interval
                self.work()
        except Exception as err:
            _report("%s; no more is saved until the process ends" % _in_words(err))
        finally:
            turn.ended.release()

    def call(self):
        """Save now. A signal handler may call this."""
        turn = self.turn
        if turn is not None:
            turn.call()

    def forget(self):
        """In a child, which has no such thread."""
        self.turn = None

    def stop(self, timeout):
        """End the thread, if there is one, and wait until it has ended for the system too. False if there was none."""
        turn, self.turn = self.turn, None
        if turn is None:
            return False
        turn.stops = True
        turn.call()
        if turn.ended.acquire(timeout=timeout):
            for _ in range(100):
                if not os.path.exists("/proc/self/task/%s" % turn.number):
                    break
                _pause(0.0002)
        return True


class Fork:
    """What one fork holds until it is done."""

    def __init__(self):
        self.lock = self.mask = None
        self.has_stopped_flusher = False


class Forks:
    """Keeps a fork and a save apart, and has the child begin anew."""

    # Python warns of forks beside threads since 3.12, so there is none of ours. It counts threads when all functions of
    # `register_at_fork` have run in 3.13 and 3.14.
    WARNS = sys.version_info >= (3, 12)

    def __init__(self, recorder):
        self.recorder = recorder
        # By thread, for several may fork at once; and a function of the program's for `register_at_fork`, or a handler
        # that runs between them, may fork in the midst of a fork.
        self.under_way = {}
        # Who has stopped our thread, and is in `os.fork`.
        self.in_function, self.stopped = set(), set()
        self.wrapped = Wrapped(os)

    def install(self):
        # These stay for as long as the process lives. When coverage.py is stopped they do nothing.
        os.register_at_fork(
            before=self._guarded(self._before),
            after_in_parent=self._guarded(self._after_in_parent),
            after_in_child=self._guarded(self._after_in_child),
        )
        for name in ("fork", "forkpty"):
            self.wrapped.replace(name, self._undivided)

    def remove(self):
        self.wrapped.restore()

    def _guarded(self, call):
        def guarded():
            # What a fork holds is let go whatever has become of the recorder in between.
            if not self.recorder.disabled or self.is_under_way():
                _undivided.run(call)

        return guarded

    def is_under_way(self):
        """Is this thread in the midst of a fork?"""
        return _get_ident() in self.under_way

    def _before(self):
        fork = Fork()
        self.under_way.setdefault(_get_ident(), []).append(fork)
        self._hold(fork)
        fork.mask = self.recorder.signals.hold_back()

    def _hold(self, fork):
        if self.WARNS and self.recorder.flusher.stop(2 * PATIENCE):
            fork.has_stopped_flusher = True
        lock = self.recorder.lock
        if lock.acquire(timeout=2 * PATIENCE):
            fork.lock = lock

    def _done(self):
        """The last fork of this thread, and those that it is in the midst of."""
        forks = self.under_way[_get_ident()]
        return forks.pop(), forks

    def _after_in_parent(self):
        me = _get_ident()
        fork, outer = self._done()
        if not outer:
            del self.under_way[me]
        if fork.lock is not None:
            fork.lock.release()
        if fork.has_stopped_flusher:
            self.stopped.add(me)
        if me not in self.in_function:
            self._go_on()
        self.recorder.signals.let_through(fork.mask)

    def _go_on(self):
        me = _get_ident()
        if me in self.stopped and not self.recorder.ended:
            self.stopped.remove(me)
            self.recorder.flusher.resume()

    def _after_in_child(self):
        me = _get_ident()
        fork, outer = self._done()
        self.stopped.clear()
        self.in_function.intersection_update({me})
        try:
            self.recorder.check_process()
        finally:
            self.under_way = {me: outer} if outer else {}
            for each in outer:
                # What they held was the parent's.
                each.lock = None
                self._hold(each)
            # It may never come back to those.
            self.recorder.signals.let_through((outer or [fork])[0].mask)

    def _undivided(self, stock):
        def fork():
            me = _get_ident()
            with _undivided:
                self.in_function.add(me)
                try:
                    return stock()
                finally:
                    self.in_function.discard(me)
                    self._guarded(self._go_on)()

        return fork


class Ends:
    """Saves before the process leaves without Python's clean-up, or becomes another program."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.wrapped = Wrapped(os)

    def install(self):
        # All other ways to leave end in these.
        for name in ("_exit", "execv", "execve"):
            self.wrapped.replace(name, self._saving)

    def remove(self):
        self.wrapped.restore()

    def _saving(self, stock):
        def call(*args, **kwargs):
            _undivided.run(self.recorder.flush, PATIENCE)
            return stock(*args, **kwargs)

        return call


class Wrapped:
    """Functions of a module that are replaced by ones that call them."""

    def __init__(self, module):
        self.module = module
        self.stock = {}
        self.ours = {}

    def replace(self, name, wrap):
        stock = getattr(self.module, name)
        ours = wrap(stock)
        ours.__name__ = ours.__qualname__ = name
        ours.__doc__ = stock.__doc__
        ours.__module__ = stock.__module__
        self.stock[name], self.ours[name] = stock, ours
        setattr(self.module, name, ours)

    def restore(self):
        for name, stock in self.stock.items():
            # Somebody else may have wrapped ours since.
            if getattr(self.module, name) is self.ours[name]:
                setattr(self.module, name, stock)


class NativeThreads:
    """Threads of a server that embeds Python are new to `threading` when they first run Python code."""

    def __init__(self, measurement):
        self.measurement = measurement

    def install(self):
        # sys.monitoring sees all threads.
        if not self.measurement.uses_tracers:
            return
        self.dummy = self.measurement.threading._DummyThread
        self.stock = self.dummy.__init__

        def traced(thread, *args, **kwargs):
            self.stock(thread, *args, **kwargs)
            self._trace()

        self.ours = self.dummy.__init__ = traced
        server = sys.modules.get("mod_wsgi")
        if hasattr(server, "subscribe_events"):
            server.subscribe_events(lambda name, **details: self._trace())

    def _trace(self):
        _undivided.run(self.measurement.trace_this_thread)

    def remove(self):
        if self.measurement.uses_tracers and self.dummy.__init__ is self.ours:
            self.dummy.__init__ = self.stock


def _status(process):
    """The lines of what the system says of a process or a thread, as names and values; none if it does not say."""
    try:
        with open("/proc/%s/status" % process) as file:
            return [line.rstrip("\n").split(":\t", 1) for line in file]
    except OSError:
        return []


def _signals_of(process, *sets):
    """The signals that are members of these sets of a process or a thread, such as SigCgt."""
    masks = [int(value, 16) for name, value in _status(process) if name in sets]
    return {number for mask in masks for number in range(1, 65) if mask >> (number - 1) & 1}


class Signals:
    """SIGTERM saves before it ends the process, and another signal saves at once, whenever the program leaves them to the system.

    The program does not see these handlers: to it the signals are still the system's. All ways to set a handler lead to
    `_signal.signal`, which is replaced, so a handler of the program's may come and go at any time. Once the program has
    set one for the signal that saves, that signal is the program's for good: it may mean to die by it next.

    A third signal does nothing: it wakes the main thread, and only that thread runs handlers.
    """

    # The number of the system call that waits for locks.
    FUTEX = {"x86_64": "202", "aarch64": "98"}

    def __init__(self, recorder):
        import _signal
        import signal

        self.recorder = recorder
        self.module, self.outer = Wrapped(_signal), Wrapped(signal)
        self.signal = _signal
        self.stock, self.stock_get = _signal.signal, _signal.getsignal
        self.terminating, self.flushing = Handler(self._terminate), Handler(self._flush)
        self.waking = Handler(self._wake)
        self.handlers = {int(_signal.SIGTERM): self.terminating}
        if recorder.settings.signal:
            self.handlers[int(getattr(_signal, recorder.settings.signal))] = self.flushing
        self.waking_signal = self._unused_signal()
        if self.waking_signal is not None:
            self.handlers[self.waking_signal] = self.waking
        self.main_thread = None
        self.waits = self.woken_from = None
        self.has_woken = self.has_wakeup_fd = self.are_set = False

    def defer(self):
        """Keep the program's handlers out of the midst of the hook, those that it has and those that it sets."""
        self.module.replace("signal", self._hiding_signal)
        self.module.replace("getsignal", self._hiding_getsignal)
        self.outer.replace("siginterrupt", self._hiding_siginterrupt)
        for module in (self.module, self.outer):
            module.replace("set_wakeup_fd", self._noting_wakeup_fd)
            module.replace("raise_signal", self._ending)
            module.replace("pthread_kill", self._reaching_main_thread)
        try:
            self._defer_those_set()
        except ValueError:
            # This is not the main thread, and no handler runs in it.
            pass

    def _defer_those_set(self):
        for number in self.signal.valid_signals():
            handler = self.stock_get(number)
            if callable(handler) and type(handler) is not Handler:
                self.stock(number, Handler(handler))

    def install(self):
        try:
            self._set_handlers()
            self.are_set = True
        except ValueError:
            self._set_handlers_in_main_thread()

    def _set_handlers(self):
        self._defer_those_set()
        self.has_wakeup_fd = self._wakeup_fd() != -1
        caught = _signals_of("self", "SigCgt")
        for number, handler in list(self.handlers.items()):
            if self.stock_get(number) != self.signal.SIG_DFL:
                continue
            if number not in caught:
                self.stock(number, handler)
            elif handler is not self.terminating:
                # A handler in C, as `faulthandler` has.
                del self.handlers[number]
        self.main_thread = _get_ident()

    def _unused_signal(self):
        used = _signals_of("self", "SigCgt", "SigIgn", "SigBlk")
        for number in range(self.signal.SIGRTMAX, self.signal.SIGRTMIN, -1):
            if number not in used and number not in self.handlers:
                return number
        return None

    def _wakeup_fd(self):
        """The program's. Only setting another one tells: what is written to that goes on to the program's."""
        stock = self.module.stock["set_wakeup_fd"]
        reading, writing = os.pipe()
        try:
            os.set_blocking(reading, False)
            os.set_blocking(writing, False)
            descriptor = stock(writing)
            # A warning that the program may have wished to have is not worth one that it did not.
            stock(descriptor, warn_on_full_buffer=False)
            if descriptor != -1:
                try:
                    os.write(descriptor, os.read(reading, 4096))
                except BlockingIOError:
                    pass
            return descriptor
        finally:
            os.close(reading)
            os.close(writing)

    def _set_handlers_in_main_thread(self):
        """Have the main thread set the handlers when it next runs Python code. Other interpreters have no signals."""
        try:
            import ctypes
        except ImportError:
            return
        api = ctypes.pythonapi
        api.PyInterpreterState_Get.restype = ctypes.c_void_p
        api.PyInterpreterState_GetID.argtypes = [ctypes.c_void_p]
        api.PyInterpreterState_GetID.restype = ctypes.c_int64
        if api.PyInterpreterState_GetID(api.PyInterpreterState_Get()) != 0:
            return

        def call(_):
            if not self.recorder.disabled:
                _undivided.run(self._set_handlers)
            return 0

        # It must live until it is called.
        self.pending_call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(call)
        api.Py_AddPendingCall(self.pending_call, None)

    def remove(self):
        try:
            for number in self.signal.valid_signals():
                handler = self.stock_get(number)
                if type(handler) is Handler:
                    self.stock(number, self._shown(handler))
        except ValueError:
            # Only the main thread sets handlers. Those that stay are hidden, and do what the program's or the system's would.
            return
        self.module.restore()
        self.outer.restore()

    def _is_ours(self, handler):
        # A handler's own `==` is not to be called.
        return any(handler is ours for ours in (self.terminating, self.flushing, self.waking))

    def _shown(self, handler):
        """What the program takes it for."""
        if self._is_ours(handler):
            return self.signal.SIG_DFL
        return handler.call if type(handler) is Handler else handler

    def _hiding_signal(self, stock):
        def signal(signalnum, handler, /):
            is_default = isinstance(handler, int) and handler == self.signal.SIG_DFL
            ours = None if self.recorder.disabled else self.handlers.get(signalnum)
            if is_default and ours is not None:
                handler = ours
            elif callable(handler):
                handler = Handler(handler)
            before = self._shown(stock(signalnum, handler))
            if ours is not None and ours is not self.terminating and not is_default:
                del self.handlers[signalnum]
            return before

        return signal

    def _hiding_getsignal(self, stock):
        def getsignal(signalnum, /):
            return self._shown(stock(signalnum))

        return getsignal

    def _hiding_siginterrupt(self, stock):
        def siginterrupt(signalnum, flag, /):
            # With our handler, system calls would go on after the signal, and the handler would not run until they end.
            if not self._is_ours(self.stock_get(signalnum)):
                return stock(signalnum, flag)

        return siginterrupt

    def hold_back(self):
        """Python forgets signals that reach a child before it has settled: they wait in the system until it has."""
        return self.signal.pthread_sigmask(self.signal.SIG_BLOCK, self.handlers)

    def let_through(self, mask):
        if mask is not None:
            self.signal.pthread_sigmask(self.signal.SIG_SETMASK, mask)

    def forked(self):
        """This is a child, whose only thread is the main one."""
        if self.main_thread is not None:
            self.main_thread = _get_ident()

    def wake_main_thread(self):
        """Have the main thread look for signals, if it has waited for a lock since the last time.

        A handler in Python runs when the main thread comes to it. A thread that begins to wait at the very moment at which
        SIGTERM comes would not end, while without the hook it did. Once for each wait is enough: later signals interrupt it.
        """
        # A program that has Python write to a descriptor when signals come waits for that.
        if not self._handles_sigterm() or self.has_wakeup_fd or not self._can_wake():
            return
        before, self.waits = self.waits, self._wait_of_main_thread()
        if self.has_woken:
            # It waits on.
            self.has_woken, self.woken_from = False, self.waits
        elif self.waits is not None and self.waits == before and self.waits != self.woken_from:
            self.has_woken = True
            self.module.stock["pthread_kill"](self.main_thread, self.waking_signal)

    def _handles_sigterm(self):
        return self.stock_get(self.signal.SIGTERM) is self.terminating

    def _can_wake(self):
        """Does the signal reach the main thread, and do nothing but that?"""
        if self.main_thread is None or self.waking_signal not in self.handlers:
            return False
        thread = "self/task/%d" % os.getpid()
        return self.waking_signal in _signals_of(thread, "SigCgt") - _signals_of(thread, "SigBlk")

    def _wait_of_main_thread(self):
        """Tells one wait for a lock from another; `None` if the main thread does not wait for one."""
        thread = "self/task/%d" % os.getpid()
        try:
            with open("/proc/%s/syscall" % thread) as file:
                if file.read().split()[0] != self.FUTEX.get(os.uname().machine):
                    return None
        except OSError:
            # Not everybody is shown these.
            return None
        return [value for name, value in _status(thread) if name.endswith("ctxt_switches")]

    def _noting_wakeup_fd(self, stock):
        def set_wakeup_fd(fd, /, *, warn_on_full_buffer=True):
            before = stock(fd, warn_on_full_buffer=warn_on_full_buffer)
            self.has_wakeup_fd = fd != -1
            return before

        return set_wakeup_fd

    def _reaching_main_thread(self, stock):
        def pthread_kill(thread_id, signalnum, /):
            stock(thread_id, signalnum)
            if signalnum == self.signal.SIGTERM:
                self._reach_main_thread()

        return pthread_kill

    def _ending(self, stock):
        def raise_signal(signalnum, /):
            stock(signalnum)
            if signalnum == self.signal.SIGTERM and signalnum not in self.signal.pthread_sigmask(self.signal.SIG_BLOCK, ()):
                # The system would not let this thread go on.
                end = _monotonic() + 2 * PATIENCE
                while self._reach_main_thread() and _monotonic() < end:
                    _pause(0.01)

        return raise_signal

    def _reach_main_thread(self):
        """A signal to another thread does not interrupt what the main thread waits for. False if there is no need."""
        is_needed = not self.recorder.disabled and self._handles_sigterm() and self.main_thread != _get_ident()
        if is_needed and self._can_wake():
            self.module.stock["pthread_kill"](self.main_thread, self.waking_signal)
            return True
        return False

    def _wake(self, number, frame):
        pass

    def _flush(self, number, frame):
        if self.recorder.disabled:
            self._die(number)
        else:
            # Never here: the handler runs in the midst of the program.
            self.recorder.flusher.call()

    def _terminate(self, number, frame):
        self.recorder.flush(timeout=PATIENCE)
        self._die(number)

    def _die(self, number):
        self.stock(number, self.signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _start(settings):
    # Outside of all that is caught: what late handlers raise is the program's.
    with _undivided:
        _start_undivided(settings)


def _start_undivided(settings):
    global _data_root
    try:
        _data_root = DataRoot(settings.root)
        if sys.version_info < OLDEST_PYTHON:
            raise Unsupported("Python %d.%d is too old: 3.11 or later is needed" % sys.version_info[:2])
        Recorder(settings).start()
    except ImportError as err:
        _report("not measured: %s; pip install 'coverage>=7.10,<8'" % err)
    except (Unsupported, MeasuredAlready) as err:
        _report("not measured: %s" % err)
    except Exception as err:
        _report("not measured: %s" % _in_words(err))


def _wanted():
    """The settings, if this process is to be measured."""
    try:
        # Somebody else measures this process, or it is wished that nobody does.
        if any(os.environ.get(name) for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")):
            return None
        if os.environ.get("PULPCOV_HOOK") == "off":
            return None
        settings = Settings(SETTINGS)
        return settings if settings.wants_this_user() else None
    except Exception as err:
        _report("not measured: %s" % _in_words(err))
        return None


def _end():
    for end in _at_end:
        _undivided.run(end)


def _begin():
    import atexit

    settings = _wanted()
    if settings is None:
        return
    # Handlers run last in, first out: this one, which is in before the program's, runs after them.
    atexit.register(_end)
    if settings.can_wait():
        sys.meta_path.insert(0, Awaiting(settings))
    else:
        _start(settings)


_begin()
