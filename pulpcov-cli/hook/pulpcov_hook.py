"""Measure the coverage of every process of this Python, for as long as it runs.

`pulpcov hook install` puts this module into site-packages, with a `.pth` file that imports it and a file of settings.
coverage.py does the measuring. This module starts coverage.py, and saves every few seconds what it has recorded,
because services fork, never end, or are killed.

All code here keeps these rules:

- A failure never reaches the program. The hook reports it once, on standard error, and the program goes on.
- A process that is not measured reads one small file, and does nothing else.
- A data file is complete at any instant. The hook writes a new file beside it, and renames the new file.
- Nothing in the data root is trusted, because others may write there. The hook opens nothing that it has not made
  itself, follows no link, and never lets SQLite open a file.

The classes, from the outside in:

- `Settings` and `Awaiting` decide whether and when a process is measured.
- `Recorder` starts and stops everything, and saves.
- `Flusher` is the thread that saves every few seconds.
- `Forks`, `Signals` and `Ends` handle forks, signals and the end of the process. `Undivided` keeps signal handlers
  from interrupting them.
- `Measurement` holds coverage.py. `Received` takes the rows that coverage.py hands over.
- `DataFile`, `Database` and `DataRoot` keep the rows on disk.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SETTINGS = os.path.join(HERE, "pulpcov_hook.conf")
OLDEST_PYTHON = (3, 11)
OLDEST_COVERAGE = (7, 10)
# The seconds that a process waits for another thread or process. After that it goes on without saving.
PATIENCE = 5

# The functions that `_end` calls, after all other `atexit` handlers.
_at_end = []
# Whether this process has already reported a problem.
_reported = False
# The data root, set when measuring starts.
_data_root = None


def _report(what):
    """Report the first problem of a process, on standard error and in a note for `pulpcov hook status`."""
    global _reported
    if _reported:
        return
    _reported = True
    try:
        sys.stderr.write("pulpcov hook, process %d: %s\n" % (os.getpid(), what))
        sys.stderr.flush()
    except Exception:
        # Some services close standard error.
        pass
    try:
        if _data_root is not None:
            _data_root.write_note(what)
    except Exception:
        # The problem may be the data root itself.
        pass


def _in_words(err):
    return "%s: %s" % (type(err).__name__, err) if str(err) else type(err).__name__


def _program():
    """Return the name of the running program, or "" if /proc is not mounted."""
    try:
        return os.path.basename(os.readlink("/proc/self/exe"))
    except OSError:
        return ""


def _is_made_by_program():
    """Return whether a Python 3.11 program made this interpreter through `_xxsubinterpreters`.

    That module runs nothing in an interpreter that has two threads. Servers that embed Python do not use it.
    """
    if "python" not in _program():
        return False
    try:
        import _xxsubinterpreters
    except ImportError:
        return False
    return _xxsubinterpreters.get_current() != _xxsubinterpreters.get_main()


def _real(module, name):
    """Return a function of the standard library as it was before gevent or eventlet replaced it."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original(module, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return getattr(eventlet.original(module), name)
    return getattr(__import__(module), name)


# Looked up now, because a program may replace them later.
_allocate_lock = _real("_thread", "allocate_lock")
_RLock = _real("_thread", "RLock")
_get_ident = _real("_thread", "get_ident")
_start_new_thread = _real("_thread", "start_new_thread")
_monotonic = _real("time", "monotonic")


def _pause(seconds):
    """Sleep, even if the program has replaced `time.sleep`."""
    lock = _allocate_lock()
    lock.acquire()
    lock.acquire(timeout=seconds)


class Undivided:
    """Marks sections of the hook that no signal handler interrupts. Handlers run when the section is done.

    Python runs handlers in the main thread, between any two instructions. A handler may raise an exception, which is
    meant for the program and not for the hook. It may also fork, save or end the process when the hook is not ready.
    """

    def __init__(self):
        # The number of nested sections that each thread is in.
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
        """Call a function in a section. Report its errors. Only what a deferred handler raises reaches the program."""
        with self:
            try:
                return call(*args)
            except Exception as err:
                _report(_in_words(err))

    def defers(self, handler, number, frame):
        """Defer the handler if this thread is in a section. Return whether it was deferred."""
        me = _get_ident()
        if me not in self.depths:
            return False
        self.late.append((os.getpid(), me, handler, number, frame))
        return True

    def _run_late(self, me):
        # Signal handlers run only in the main thread, so only that thread has deferred ones.
        while self.late and self.late[0][1] == me:
            pid, _, handler, number, frame = self.late.pop(0)
            # The parent runs the handlers of signals that came before it forked.
            if pid == os.getpid():
                try:
                    handler(number, frame)
                finally:
                    self._run_late(me)

    def forked(self):
        """Forget other threads and the handlers that the parent deferred. Called in a child process."""
        me = _get_ident()
        self.depths = {me: self.depths[me]}
        self.late = [each for each in self.late if each[0] == os.getpid()]


_undivided = Undivided()


class Handler:
    """A signal handler that never interrupts a section of the hook."""

    def __init__(self, call):
        self.call = call

    def __call__(self, number, frame):
        if not _undivided.defers(self.call, number, frame):
            self.call(number, frame)


class Settings:
    """The settings that were chosen when the hook was installed. Each line has a name, a space and a value."""

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
        """Return whether measuring can wait until a package is imported.

        It cannot wait if folders are measured, or everything, or if a package is already imported. Nor can it wait in
        a server that embeds Python, where threads may start before the import. Apache is an exception, because
        mod_wsgi announces each request.
        """
        if not self.packages or self.folders or any(name in sys.modules for name in self.packages):
            return False
        program = _program()
        return "python" in program or program in ("apache2", "httpd", "")


class Awaiting:
    """A finder in `sys.meta_path` that starts measuring when a package is about to be imported."""

    def __init__(self, settings):
        self.settings = settings
        self.packages = frozenset(settings.packages)

    def find_spec(self, name, path=None, target=None):
        if name in self.packages:
            try:
                sys.meta_path.remove(self)
            except ValueError:
                # Another thread is already starting to measure.
                return None
            _start(self.settings)
        return None


class Unsupported(Exception):
    """The hook does not work with this coverage.py, or with this Python."""


class MeasuredAlready(Exception):
    """The program measures itself with coverage.py."""

    def __init__(self):
        super().__init__("the program measures itself with coverage.py")


class Received:
    """Takes the rows that coverage.py hands over. coverage.py uses it as its `CoverageData`.

    coverage.py hands over rows when a context ends, or when the program asks it to save. The hook takes all other rows
    out of the tracers' sets. A program that reads the data of `Coverage.current()` gets what this process has recorded.
    """

    def __init__(self, recorder):
        self.recorder = recorder
        self.context = None
        self.forget()

    def forget(self):
        import collections

        # A batch has rows, plugins, and files without rows. A signal handler may save, and take the batches, while one
        # of these functions runs. A lock would hang then. Each operation of a deque is a single step.
        self.batches = collections.deque()

    def take(self):
        """Take everything: rows by context and file, plugins by file, and plugins of files without rows."""
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
        # A line that ran in the old context may run in the new one.
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
        # Everything else that a `CoverageData` has.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.recorder.recorded(), name)


class NoTracer:
    """Stands in for the tracer of a collector that only translates rows."""

    def activity(self):
        return True

    def reset_activity(self):
        pass


class Measurement:
    """coverage.py at work in this process.

    Only this class uses private names of coverage.py. `_probe` checks them all before the hook changes the program.
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
        # The hook does these itself. If coverage.py did too, everything would be measured twice.
        measured.set_option("run:patch", [])
        measured.set_option("run:sigterm", False)
        measured.set_option("run:concurrency", self._concurrency())
        tracer = sys.modules.get("coverage.tracer")
        if tracer is not None and not hasattr(tracer, "CTracer"):
            # A process can load the C tracer once, and another interpreter has it. `timid` selects the slower tracer
            # in Python.
            measured.set_option("run:timid", True)
        # `python -W error` makes a warning an error, which would reach the program.
        measured._warn = lambda *args, **kwargs: None

    def _concurrency(self):
        """Return the `concurrency` of the configuration, or that of gevent or eventlet if the program runs on one.

        Without the right one, coverage.py mixes up the greenlets of a thread.
        """
        chosen = self.coverage.get_option("run:concurrency") or []
        chosen = [name for name in chosen if name != "multiprocessing"]
        if not {"greenlet", "gevent", "eventlet"}.intersection(chosen):
            gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
            # Without `thread`, coverage.py can leave greenlets waiting for each other, and a server may not end.
            if gevent is not None and gevent.is_anything_patched():
                return ["gevent", "thread"]
            if eventlet is not None and eventlet.is_monkey_patched("thread"):
                return ["eventlet", "thread"]
        return chosen

    def start(self, received):
        """Start measuring this thread, and all threads that start later."""
        import atexit
        import copy
        import threading

        self.threading = threading
        self.received = received
        # coverage.py can stop only the topmost collector of its stack. So ours never shares it with the program's.
        if self._collectors_under_way():
            raise MeasuredAlready()
        self.coverage.start()
        try:
            self._probe()
            # This handler would end measuring before the handlers run that the program registered earlier.
            atexit.unregister(self.coverage._atexit)
            self.collector = self.coverage._collector
            self.branch = self.collector.branch
            self.uses_tracers = self.collector.core.systrace
            self._refuse_tracers_without_gil()
            self.collector.use_data(received, self.coverage.get_option("run:context"))
            self.coverage._data = received
            # A copy of the collector unpacks the tracers' arcs and maps the names of files.
            self.translator = copy.copy(self.collector)
            self.translator.tracers = [NoTracer()]
            self.translator.data_lock = None
        except BaseException:
            self.stop()
            raise

    def _collectors_under_way(self):
        return sys.modules["coverage.collector"].Collector._collectors

    def on_other_measurement(self, call):
        """Call `call` when the program starts to measure itself. The program's collector then pauses ours."""
        stock = self.collector.pause

        def pause():
            stock()
            # Our collector also pauses when it stops, but our `Coverage` is not among the current ones then.
            if self.coverage in self.coverage._instances:
                self.leave()
                call()

        self.collector.pause = pause

    def leave(self):
        """Leave coverage.py to the program, as if the hook had never started it. Our collector is paused."""
        under_way, current = self._collectors_under_way(), self.coverage._instances
        for stack, ours in ((under_way, self.collector), (current, self.coverage)):
            if ours in stack:
                stack.remove(ours)
        self.coverage._started = False
        # Frames keep our C tracer as their trace function. When called, it would remove itself and other tracers.
        ours = set(map(id, self.collector.tracers))
        for frame in sys._current_frames().values():
            while frame is not None:
                if id(frame.f_trace) in ours:
                    del frame.f_trace
                frame = frame.f_back

    # The parts of coverage.py that the hook uses beyond its documented interface, with their kinds. `None` is any kind.
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
        """Raise `Unsupported` unless coverage.py has all of `USED`."""
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
            # If another thread is in a tracer while the process forks, the tracer stays locked in the child.
            raise Unsupported(
                "coverage.py's tracers hang in forks of a free-threaded Python: leave out the setting `core`, or set core = sysmon"
            )

    def stop(self):
        self.coverage.stop()

    def end(self):
        self.coverage._atexit()

    def take(self):
        """Move everything that was recorded out of coverage.py's sets, while coverage.py goes on filling them.

        For other threads, copying a set is one step, and so is removing the copy's members. A row that is recorded
        between the two steps is in the copy, or stays in the set. So nothing is lost.
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
        """Record lines again when they run again. A new process needs this, and so does one whose data is gone.

        Tracers do so anyway. `sys.monitoring` reports each line only once, until its events are restarted.
        """
        if not self.uses_tracers:
            sys.monitoring.restart_events()

    def forget(self):
        """Forget what the parent recorded, and renew the lock that one of its threads may have held."""
        # coverage.py discards a collector of another process, and would not pause ours.
        self.collector.pid = os.getpid()
        for recorded in self.collector.data.values():
            recorded.clear()
        self.renew_lock()
        self.received.forget()
        self.record_again()

    def renew_lock(self):
        # Tracers keep methods of this lock, so it cannot be replaced by a new one.
        renew = getattr(self.collector.data_lock, "_at_fork_reinit", None)
        if renew is not None:
            renew()

    def unexecuted(self):
        """Yield every module of the measured packages and folders with its plugin, whether it ran or not."""
        for path, plugin in self.coverage._inorout.find_possibly_unexecuted_files():
            yield self.coverage._file_mapper(path), plugin or ""

    def imported_packages(self):
        return {name for name in self.coverage._inorout.source_pkgs if name in sys.modules}

    def on_new_file(self, call):
        """Call `call` whenever a file runs for the first time."""
        stock = self.collector.should_trace
        not_traced = stock("<none>", None)

        def should_trace(*args):
            call()
            return stock(*args)

        # A file can have an impossible name, and the working folder can be gone. Tracers raise such errors into the
        # program.
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
        """Measure threads that started earlier. Python 3.11 has no way to do so. `sys.monitoring` sees all threads."""
        trace_all = getattr(self.threading, "settrace_all_threads", None)
        if trace_all and self.uses_tracers and len(sys._current_frames()) > 1:
            of_this_thread = sys.gettrace()
            trace_all(self.collector._installation_trace)
            sys.settrace(of_this_thread)

    def forget_ended_threads(self):
        """Drop tracers that nothing else refers to. coverage.py keeps one for every thread that ever ran."""
        tracers = self.collector.tracers
        others = tracers[1:]
        # How many references the counting itself adds depends on the version of Python.
        (unused,) = _references([object()])
        for tracer, references in zip(others, _references(others)):
            # One reference more, because a tracer is in two lists.
            if references <= unused + 1:
                tracers.remove(tracer)


def _guarded(call, otherwise):
    """Wrap a function of the hook that coverage.py calls. If it fails, report that, and return `otherwise`."""

    def guarded(*args):
        with _undivided:
            try:
                return call(*args)
            except Exception as err:
                _report(_in_words(err))
                return otherwise

    return guarded


def _references(objects):
    """Return the number of references to each object."""
    return [sys.getrefcount(each) for each in objects]


class DataRoot:
    """The folder that processes of all users write into.

    A process writes into its user's folder there, such as `uid-1000`, with mode 0700. It reaches that folder through
    an open descriptor of the root, because others can change names, and names lead elsewhere after `chroot`.
    """

    FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    FIRST_DESCRIPTOR = 200

    def __init__(self, path):
        self.path = path
        self.descriptor = self.identity = None
        # The identity of "/" when the root was opened. It tells whether the process has called `chroot` since.
        self.slash = None
        # The folder's name for each user that this process has been.
        self.names = {}

    def of_user(self):
        """Open the folder of this process's user, and make it if it is missing. The caller closes the descriptor."""
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
            # The name belongs to a link, a file, or a folder that only others may enter. Somebody else has taken it.
            return None

    def _let_owner_in(self, place):
        """Let the owner into a folder that was made with a umask that shuts the owner out.

        `place` is opened with `O_PATH`, because such a folder cannot be opened in any other way.
        """
        try:
            state = os.fstat(place)
            if state.st_uid == os.geteuid() and state.st_mode & 0o700 != 0o700:
                os.chmod("/proc/self/fd/%d" % place, state.st_mode & 0o7777 | 0o700)
        finally:
            os.close(place)

    def _open_root(self):
        """Return the root's descriptor. Open the root again if the program closed it or another folder has its name."""
        if self.descriptor is not None and not self._is_ours():
            # The program has closed it. The number may be a descriptor of the program's now, so it is not closed here.
            self.descriptor = None
        is_outside = self.slash is not None and self.slash != _identity(os.stat("/"))
        if self.descriptor is not None and (is_outside or self._is_at_its_path()):
            return self.descriptor
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
        if not os.path.isdir(self.path):
            os.makedirs(self.path, exist_ok=True)
            # The mode of /tmp, because processes of all users write here.
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
        """Move a descriptor to a high number. Programs expect the lowest free numbers for themselves."""
        import fcntl

        try:
            moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, self.FIRST_DESCRIPTOR)
        except OSError:
            # The limit of open files is lower than that.
            return descriptor
        os.close(descriptor)
        return moved

    def write_note(self, text):
        """Write a note about this process for `pulpcov hook status`. Remove notes of processes that have ended."""
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
    """Write a new file and return its state. Fail if the name exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(name, flags, 0o644, dir_fd=folder)
    try:
        # This process reads the file again, so the umask must not forbid that.
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
    """Return a value that differs if the file was replaced or changed."""
    return stat.st_dev, stat.st_ino, stat.st_uid, stat.st_size, stat.st_mtime_ns


class Database:
    """A data file of coverage.py in memory. SQLite never opens a file."""

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
        """Return a data file without rows, as the installed coverage.py makes it."""
        import sqlite3
        import zlib
        from coverage import CoverageData

        data = CoverageData(no_disk=True)
        (data.add_arcs if branch else data.add_lines)({})
        dumped = data.dumps()
        # 7.10.0 has no `close`: it closes its connection after each operation.
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
        """Add rows by context and file, and plugins. Return whether any of it was new."""
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
    """Return the text as a data file can hold it. File names need not be UTF-8, and programs choose contexts."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


class DataFile:
    """The data file of this process."""

    # The byte that a SQLite connection locks before it writes ("File Locking And Concurrency In SQLite Version 3").
    RESERVED_BYTE = 0x40000001

    def __init__(self, root, branch):
        # Imported now, because nothing can be imported after `chroot`.
        import fcntl
        import resource
        import sqlite3

        if not hasattr(sqlite3.Connection, "deserialize"):
            raise Unsupported("this Python's sqlite3 cannot make data files in memory: it has no `deserialize`")
        self.fcntl, self.resource, self.damage = fcntl, resource, sqlite3.Error
        self.root = root
        self.branch = branch
        self.empty = Database.empty(branch)
        # Raises an error if there is no place to write to.
        os.close(self.root.of_user())
        self.rename()

    def rename(self):
        """Choose a new name that no other process has. There is no such file yet."""
        self.name = ".coverage.%s.pid%d.X%sx" % (_host(), os.getpid(), _random_word())
        self.state = None

    def add(self, rows, plugins, touched):
        """Add what the file does not have yet. `rows` are by context and file."""
        folder = self.root.of_user()
        try:
            content = self._with(self._read(folder), rows, plugins, touched)
            if content is not None:
                self._write(folder, content)
        finally:
            os.close(folder)

    def dumped(self):
        """Return the file as `CoverageData.loads` takes it, or `None` if there is no file."""
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
        """Return the file's content with these rows added, or `None` if it has them all already."""
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
            # The file is damaged, or as large as a database in memory can be. It stays, and a new one begins.
            self.rename()
            return self._with(None, rows, plugins, touched)

    def _read(self, folder):
        """Return the file's content, or `None` if there is no file or this process has not written it."""
        if self.state is None:
            return None
        try:
            file = os.open(self.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            # The file was combined and deleted, or this process has become another user.
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
            # A write beyond the limit sends SIGXFSZ, which may end the process.
            raise OSError("the data file takes %d bytes, and `ulimit -f` allows %d" % (len(content), limit))
        # The name is not that of a data file, so nobody combines this file.
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
        """Keep others from deleting the file while it is replaced. They lock and check a file before they delete it."""
        return ReservedLock(self, folder)


class ReservedLock:
    """Holds SQLite's lock of a writer on the data file, if the file exists."""

    def __init__(self, data_file, folder):
        self.fcntl = data_file.fcntl
        self.file = None
        if data_file.state is None:
            return
        try:
            self.file = os.open(data_file.name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            # The file was deleted. The new file will repeat its rows, which does no harm.
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
            # The file system has no locks.
            pass
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.file is not None:
            os.close(self.file)


class Recorder:
    """Measures this process, and the processes that it forks."""

    def __init__(self, settings):
        self.settings = settings
        self.pid = os.getpid()
        # Rows that are not on disk yet.
        self.pending = {}, {}, {}
        # The packages whose modules are all listed in the data file, whether they ran or not.
        self.listed = None
        # `ended`: the flusher's thread does not start again. `disabled`: nothing is saved any more.
        self.ended = self.disabled = False
        # uWSGI forks while another thread may hold the GIL. The child does not have that thread, so its GIL would stay
        # locked. So the hook starts no thread before uWSGI has forked.
        self.will_fork = "uwsgi" in sys.modules or _program().startswith("uwsgi")
        self.received = Received(self)
        self._new_lock()

    def start(self):
        """Start measuring. If that fails, undo every change to the program."""
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
            # Python 3.11 runs nothing in such an interpreter while it has a second thread. So it saves only at its end.
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
        """Return a `CoverageData` with everything that this process has recorded in its current data file."""
        from coverage import CoverageData

        data = CoverageData(no_disk=True)
        self.flush()
        dumped = self.file.dumped()
        if dumped is not None:
            data.loads(dumped)
        return data

    # Saving.

    def flush(self, timeout=30):
        """Save what was recorded since the last time. Do nothing if this thread is already saving."""
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
            # This walks over all sources, so it is done only if another package was imported.
            touched.update(each for each in self.measurement.unexecuted() if each[0] not in touched)
        self.file.add(rows, plugins, touched)
        self.pending = {}, {}, {}
        self.listed = imported

    def _work(self):
        """Do what the flusher's thread does every few seconds."""
        self.flush()
        self.measurement.forget_ended_threads()
        self.signals.wake_main_thread()

    def _new_lock(self):
        # Held while saving and while forking, because neither may start while the other is half done.
        self.lock = _RLock()
        self.saver = None

    # Processes.

    def check_process(self):
        """If this is a forked child, forget what the parent recorded and go on measuring.

        The child starts in the middle of the functions that its parent was running.
        """
        if os.getpid() == self.pid:
            return
        self.pid = os.getpid()
        if self.saver is not None:
            # The parent was saving, and the thread that did so does not exist here.
            self.ended = self.disabled = True
        try:
            if self.will_fork:
                # The parent may never save. So what it ran goes into the files of its workers.
                self.will_fork = False
                self.measurement.renew_lock()
                self.measurement.record_again()
            else:
                self.measurement.forget()
                # The parent's file lists the modules of these packages.
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
        """Notice a fork that a server in C hides from Python. Also notice a worker that was not forked at all."""
        if self.forks.is_under_way():
            # `Forks` handles this fork.
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
        """Stop measuring, because the program measures itself from now on."""
        self.ended = True
        self.flusher.stop(PATIENCE)
        self.flush(timeout=PATIENCE)
        self.disabled = True
        self._remove()
        _report("not measured any more: %s" % MeasuredAlready())

    def _begin_to_end(self):
        """Note that the interpreter is ending. The program's handlers will still run, but no thread can start."""
        self.ended = True

    def _end(self):
        """Save for the last time. All of the program's handlers have run."""
        self.ended = True
        if self.disabled:
            return
        if os.getpid() == self.pid:
            self.flusher.stop(1)
        self.measurement.end()
        self.flush(timeout=PATIENCE)


class Turn:
    """One thread of the flusher. It ends before a fork, and the next one starts after the fork."""

    def __init__(self):
        # Both locks are held. Acquiring one means to wait until somebody releases it.
        self.wake, self.ended = _allocate_lock(), _allocate_lock()
        self.wake.acquire()
        self.ended.acquire()
        self.stops = False
        self.number = None

    def call(self):
        try:
            self.wake.release()
        except RuntimeError:
            # It was called before, and has not woken yet.
            pass

    def wait(self, until):
        """Wait until called, or until the time `until`. Return False if the thread is to end."""
        if not self.stops:
            self.wake.acquire(timeout=max(0, until - _monotonic()))
        return not self.stops


class Flusher:
    """Saves in a thread of its own, which is not a `threading.Thread`: programs count, join and replace those."""

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
        # The delay is random, so that workers that start together do not all save together.
        self.next_time = _monotonic() + self.interval * (0.5 + os.urandom(1)[0] / 512)
        self.resume()

    def resume(self):
        if self.turn is not None or self.is_forbidden:
            return
        turn = Turn()
        # The new thread inherits this mask, so that every signal goes to a thread of the program.
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
        """Forget the thread. Called in a child process, which does not have it."""
        self.turn = None

    def stop(self, timeout):
        """End the thread, and wait until the system has ended it too. Return False if there was none."""
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
    """What a fork holds until it is done."""

    def __init__(self):
        self.lock = self.mask = None
        self.has_stopped_flusher = False


class Forks:
    """Keeps forks and saves apart, and starts the hook afresh in a child."""

    # Python 3.12 and later warn if a process with threads forks, so the flusher's thread ends before a fork. Python
    # 3.13 and 3.14 count threads after all functions of `register_at_fork`, so it starts again only after `os.fork`.
    WARNS = sys.version_info >= (3, 12)

    def __init__(self, recorder):
        self.recorder = recorder
        # The forks of each thread, because several threads may fork at once. A thread can have several: the program's
        # own function for `register_at_fork`, or a signal handler, may fork during a fork.
        self.under_way = {}
        # The threads that are in `os.fork`, and those that have stopped the flusher.
        self.in_function, self.stopped = set(), set()
        self.wrapped = Wrapped(os)

    def install(self):
        # Python cannot remove these functions again. They do nothing once the recorder is disabled.
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
            # A fork releases what it holds, even if the recorder was disabled in between.
            if not self.recorder.disabled or self.is_under_way():
                _undivided.run(call)

        return guarded

    def is_under_way(self):
        """Return whether this thread is in the middle of a fork."""
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
        """Remove the innermost fork of this thread. Return it, and the forks around it."""
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
                # This was the parent's lock.
                each.lock = None
                self._hold(each)
            # The child may never return to the outer forks, so it unblocks the signals of them all.
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
    """Saves before the process ends without Python's clean-up, or runs another program."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.wrapped = Wrapped(os)

    def install(self):
        # All other functions of this kind call one of these.
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
    """Functions of a module that are replaced by wrappers."""

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
            # Somebody else may have wrapped our function since.
            if getattr(self.module, name) is self.ours[name]:
                setattr(self.module, name, stock)


class NativeThreads:
    """Measures threads of servers that embed Python. `threading` sees them when they first run Python code."""

    def __init__(self, measurement):
        self.measurement = measurement

    def install(self):
        # `sys.monitoring` sees all threads.
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
    """Return the names and values in the `status` file of a process or thread. Empty if it cannot be read."""
    try:
        with open("/proc/%s/status" % process) as file:
            return [line.rstrip("\n").split(":\t", 1) for line in file]
    except OSError:
        return []


def _signals_of(process, *sets):
    """Return the signals in these sets, such as SigCgt, of a process or thread."""
    masks = [int(value, 16) for name, value in _status(process) if name in sets]
    return {number for mask in masks for number in range(1, 65) if mask >> (number - 1) & 1}


class Signals:
    """Handles signals for which the program has no handler.

    SIGTERM saves before it ends the process, and the flush signal saves at once. A third signal does nothing but wake
    the main thread, because only that thread runs handlers.

    The program does not see these handlers: for it, the signals have their default action. Every way to set a handler
    goes through `_signal.signal`, which the hook replaces. So the program may set a handler, and take it away again, at
    any time. Once the program has set one for the flush signal, that signal is the program's for good: the program may
    next rely on its default action, which ends the process.
    """

    # The number of the system call that waits for locks, on each kind of machine.
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
        """Defer the program's handlers while the hook is at work: those that it has, and those that it sets later."""
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
            # This is not the main thread, so no handler interrupts it.
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
                # There is a handler in C, such as that of `faulthandler`.
                del self.handlers[number]
        self.main_thread = _get_ident()

    def _unused_signal(self):
        used = _signals_of("self", "SigCgt", "SigIgn", "SigBlk")
        for number in range(self.signal.SIGRTMAX, self.signal.SIGRTMIN, -1):
            if number not in used and number not in self.handlers:
                return number
        return None

    def _wakeup_fd(self):
        """Return the program's wakeup descriptor, or -1.

        Python tells it only when another one is set. Bytes that are written to that one meanwhile are passed on.
        """
        stock = self.module.stock["set_wakeup_fd"]
        reading, writing = os.pipe()
        try:
            os.set_blocking(reading, False)
            os.set_blocking(writing, False)
            descriptor = stock(writing)
            # Whether the program wanted warnings cannot be found out. An unwanted warning is worse than a missing one.
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
        """Set the handlers when the main thread next runs Python code. Subinterpreters get no signals."""
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

        # Kept, because it must live until it is called.
        self.pending_call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(call)
        api.Py_AddPendingCall(self.pending_call, None)

    def remove(self):
        try:
            for number in self.signal.valid_signals():
                handler = self.stock_get(number)
                if type(handler) is Handler:
                    self.stock(number, self._shown(handler))
        except ValueError:
            # Only the main thread can set handlers. Ours stay, but the program does not see them, and they do what its
            # own handlers or the default action would do.
            return
        self.module.restore()
        self.outer.restore()

    def _is_ours(self, handler):
        # `==` could call a method of the program's.
        return any(handler is ours for ours in (self.terminating, self.flushing, self.waking))

    def _shown(self, handler):
        """Return what the program sees in place of this handler."""
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
            # With our handler, system calls could resume after the signal, and the handler would run only at their end.
            if not self._is_ours(self.stock_get(signalnum)):
                return stock(signalnum, flag)

        return siginterrupt

    def hold_back(self):
        """Block our signals during a fork, and return the old mask.

        Python drops a signal that reaches a child too early. A blocked signal waits.
        """
        return self.signal.pthread_sigmask(self.signal.SIG_BLOCK, self.handlers)

    def let_through(self, mask):
        if mask is not None:
            self.signal.pthread_sigmask(self.signal.SIG_SETMASK, mask)

    def forked(self):
        """Note that this thread is the main one now. Called in a child process, which has no other thread."""
        if self.main_thread is not None:
            self.main_thread = _get_ident()

    def wake_main_thread(self):
        """Wake the main thread if it has waited for the same lock since the last call.

        A handler in Python runs only when the main thread runs Python code. If SIGTERM comes just as that thread starts
        to wait, the handler does not run, and the process does not end as it would without the hook. One wake-up for
        each wait is enough, because later signals interrupt the wait.
        """
        # A program with a wakeup descriptor needs no waking, because every signal writes to the descriptor.
        if not self._handles_sigterm() or self.has_wakeup_fd or not self._can_wake():
            return
        before, self.waits = self.waits, self._wait_of_main_thread()
        if self.has_woken:
            # The main thread goes on with the same wait.
            self.has_woken, self.woken_from = False, self.waits
        elif self.waits is not None and self.waits == before and self.waits != self.woken_from:
            self.has_woken = True
            self.module.stock["pthread_kill"](self.main_thread, self.waking_signal)

    def _handles_sigterm(self):
        return self.stock_get(self.signal.SIGTERM) is self.terminating

    def _can_wake(self):
        """Return whether the waking signal reaches the main thread and does nothing else."""
        if self.main_thread is None or self.waking_signal not in self.handlers:
            return False
        thread = "self/task/%d" % os.getpid()
        return self.waking_signal in _signals_of(thread, "SigCgt") - _signals_of(thread, "SigBlk")

    def _wait_of_main_thread(self):
        """Return a value that identifies the main thread's wait for a lock, or `None` if it does not wait for one."""
        thread = "self/task/%d" % os.getpid()
        try:
            with open("/proc/%s/syscall" % thread) as file:
                if file.read().split()[0] != self.FUTEX.get(os.uname().machine):
                    return None
        except OSError:
            # Not every process may read this.
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
                # Without the hook, this thread would end here. So it waits until the main thread ends the process.
                end = _monotonic() + 2 * PATIENCE
                while self._reach_main_thread() and _monotonic() < end:
                    _pause(0.01)

        return raise_signal

    def _reach_main_thread(self):
        """Wake the main thread, which a signal to another thread does not. Return False if that was not needed."""
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
            # The flusher's thread saves, because this handler interrupts the program anywhere.
            self.recorder.flusher.call()

    def _terminate(self, number, frame):
        self.recorder.flush(timeout=PATIENCE)
        self._die(number)

    def _die(self, number):
        self.stock(number, self.signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _start(settings):
    # Deferred handlers run at the end of this block. No `except` encloses it, so what they raise reaches the program.
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
    """Return the settings, or `None` if this process is not to be measured."""
    try:
        # Somebody else measures this process, or the hook is switched off.
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
    # Handlers run in reverse order. This one is registered before the program's, so it runs after them.
    atexit.register(_end)
    if settings.can_wait():
        sys.meta_path.insert(0, Awaiting(settings))
    else:
        _start(settings)


_begin()
