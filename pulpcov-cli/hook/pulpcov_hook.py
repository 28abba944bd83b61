"""Measure the coverage of every process of this Python, for as long as it runs.

`pulpcov hook install` puts this module beside a `.pth` file that imports it, and a file of settings. coverage.py
does the measuring; this module starts it, and takes what it has recorded to a data file again and again, because
services fork, never end, or are killed.

Rules that everything here keeps:

- A failure never reaches the program. It is said once, on standard error, and the program goes on.
- A process that is not to be measured pays for reading a small file, and for nothing else.
- A data file is complete at any instant: it is written beside its place, and renamed.

What is used of coverage.py beyond its documented interface: the sets that its tracers record into
(`Collector.data`), the lock around them, and the object that they are handed to (`Collector.use_data`,
`Collector.flush_data`). All of them are the same from 7.10 to 7.17.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SETTINGS = os.path.join(HERE, "pulpcov_hook.conf")
NEEDED = (7, 10)

_reported = False


def _report(what):
    """Say what is wrong, once a process."""
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


def _program():
    return os.path.basename(os.readlink("/proc/self/exe"))


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
        return "python" in program or program in ("apache2", "httpd")


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


class Received:
    """What coverage.py takes for its data: rows that it hands over because a context ends, or because it is told to save.

    It hands over seldom; most rows are taken out of its sets.
    """

    def __init__(self, save, record_again):
        self.save = save
        self.record_again = record_again
        self.context = None
        self.forget()

    def forget(self):
        self.lock = _allocate_lock()
        self.rows = {}
        self.plugins = {}
        self.touched = {}

    def take(self):
        """Everything so far: rows, plugins, files without rows."""
        with self.lock:
            taken = self.rows, self.plugins, self.touched
            self.rows, self.plugins, self.touched = {}, {}, {}
        return taken

    def set_context(self, context):
        before, self.context = self.context, context
        # What ran in the one may run in the other.
        self.record_again()
        return before

    def add_lines(self, rows):
        with self.lock:
            for name, some in rows.items():
                self.rows.setdefault((self.context or "", name), set()).update(some)

    add_arcs = add_lines

    def add_file_tracers(self, plugins):
        with self.lock:
            self.plugins.update(plugins)

    def touch_files(self, names, plugin_name=None):
        with self.lock:
            self.touched.update((name, plugin_name or "") for name in names)

    def touch_file(self, name, plugin_name=""):
        self.touch_files([name], plugin_name)

    def write(self):
        self.save()

    def close(self, force=False):
        pass

    def __bool__(self):
        return True


class Taken:
    """In the place of a tracer, for a collector that holds what others have recorded."""

    @classmethod
    def translator(cls, collector):
        """A collector like this one, with rows of its own and without a tracer."""
        import copy

        translator = copy.copy(collector)
        translator.tracers = [cls()]
        translator.data_lock = None
        return translator

    def activity(self):
        return True

    def reset_activity(self):
        pass


class DataFile:
    """The data file of this process."""

    def __init__(self, root, branch):
        from coverage import CoverageData

        self.new_data = CoverageData
        self.root = root
        self.branch = branch
        self.rename()

    def rename(self):
        """Take a name that no other process has."""
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        chosen = "".join(letters[byte % len(letters)] for byte in os.urandom(8))
        host = os.uname().nodename.replace(".", "_").replace("/", "_")
        name = "%s.pid%d.X%sx" % (host, os.getpid(), chosen)
        self.path = os.path.join(self.root, ".coverage." + name)
        # No data file's name, so that nobody combines it.
        self.temporary = os.path.join(self.root, ".pulpcov_hook." + name + ".tmp")

    def add(self, rows, plugins, touched):
        """Add what is not in the file yet. `rows` are by context and file."""
        known = Known(self.path)
        try:
            if known.is_there:
                rows = known.without(rows, self.branch)
                touched = {name: plugin for name, plugin in touched.items() if not known.has_file(name)}
        finally:
            known.close()
        if not rows and not touched:
            return
        try:
            self._prepare(rows, plugins, touched)
            self._publish()
        except BaseException:
            _remove(self.temporary)
            raise

    def _prepare(self, rows, plugins, touched):
        """Write all there is to know beside the file."""
        import shutil

        _remove(self.temporary)
        try:
            shutil.copyfile(self.path, self.temporary)
        except FileNotFoundError:
            # The first rows of this process, or the first since its file was combined.
            pass
        data = self.new_data(basename=self.temporary)
        try:
            data.read()
            contexts = {}
            for (context, name), some in rows.items():
                contexts.setdefault(context, {})[name] = some
            for context, files in contexts.items():
                data.set_context(context)
                (data.add_arcs if self.branch else data.add_lines)(files)
            if not contexts:
                # Without it, coverage.py does not take names of files.
                (data.add_arcs if self.branch else data.add_lines)({})
            data.add_file_tracers(plugins)
            for name, plugin in touched.items():
                data.touch_file(name, plugin)
        finally:
            # In 7.10.0 there is nothing to close: connections end with each operation.
            if hasattr(data, "close"):
                data.close(force=True)

    def _publish(self):
        """Give the new file the old one's name, but not while somebody decides whether to delete the old one."""
        import sqlite3

        try:
            lock = sqlite3.connect(_uri(self.path, "rw"), uri=True, timeout=4, isolation_level=None)
        except sqlite3.OperationalError:
            # There is none.
            lock = None
        try:
            if lock is not None:
                lock.execute("begin immediate")
            os.replace(self.temporary, self.path)
        except PermissionError:
            # This process has become another user since, who cannot replace the file in a sticky folder.
            temporary = self.temporary
            self.rename()
            os.rename(temporary, self.path)
        finally:
            if lock is not None:
                lock.close()


class Known:
    """The rows that the data file holds already."""

    def __init__(self, path):
        import sqlite3

        self.is_there = os.path.exists(path)
        if self.is_there:
            try:
                self.database = sqlite3.connect(_uri(path, "ro"), uri=True, timeout=4)
                self.files = dict(self.database.execute("select path, id from file"))
                self.contexts = dict(self.database.execute("select context, id from context"))
            except sqlite3.OperationalError:
                # It was combined at this very moment.
                self.is_there = False

    def close(self):
        if hasattr(self, "database"):
            self.database.close()

    def has_file(self, name):
        return name in self.files

    def without(self, rows, branch):
        """Those of the rows that the file does not hold."""
        fresh = {}
        for (context, name), some in rows.items():
            where = self.files.get(name), self.contexts.get(context)
            some = self._arcs(where, some) if branch else self._lines(where, some)
            if some:
                fresh[context, name] = some
        return fresh

    def _arcs(self, where, arcs):
        query = "select fromno, tono from arc where file_id = ? and context_id = ?"
        return set(arcs).difference(self.database.execute(query, where))

    def _lines(self, where, lines):
        query = "select numbits from line_bits where file_id = ? and context_id = ?"
        row = self.database.execute(query, where).fetchone()
        if row is None:
            return lines
        bits = row[0]
        return {line for line in lines if line // 8 >= len(bits) or not bits[line // 8] >> line % 8 & 1}


def _uri(path, mode):
    from urllib.parse import quote

    return "file:%s?mode=%s" % (quote(os.fsencode(path)), mode)


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


class Recorder:
    """Measures this process, and those that it forks."""

    def __init__(self, settings):
        import coverage
        import threading

        if coverage.version_info[:2] < NEEDED:
            raise RuntimeError("coverage %s is too old: 7.10 or later is needed" % coverage.__version__)
        self.settings = settings
        self.threading = threading
        self.coverage = self._new_coverage(coverage.Coverage)
        self.received = Received(self.flush, self._record_again)
        self.pid = os.getpid()
        self.pending = {}, {}, {}
        # Packages whose modules are in the data whether they ran or not.
        self.listed = None
        self.ended = self.disabled = False
        # uWSGI forks while any thread may have Python's lock, and a child has not that thread: the lock stays closed.
        # So there is none of ours until it has forked.
        self.will_fork = "uwsgi" in sys.modules or _program().startswith("uwsgi")
        self.thread_runs = False
        self._new_locks()

    def _new_coverage(self, kind):
        settings = self.settings
        measured = kind(
            data_file=None,
            config_file=settings.config or False,
            branch=settings.branch,
            source_pkgs=settings.packages or None,
            source_dirs=settings.folders or None,
            context=settings.context,
            messages=False,
        )
        config = measured.config
        # What these do is done here, and doing it twice would measure twice.
        config.patch = []
        config.sigterm = False
        config.concurrency = [name for name in config.concurrency if name != "multiprocessing"]
        tracer = sys.modules.get("coverage.tracer")
        if tracer is not None and not hasattr(tracer, "CTracer"):
            # There is one C tracer a process, and another interpreter has it. The one in Python is slower.
            config.timid = True
        # A warning can be an error (`python -W error`), and would be the program's.
        measured._warn = lambda *args, **kwargs: None
        measured._warn_no_data = False
        measured._warn_unimported_source = False
        measured._warn_preimported_source = False
        measured._auto_save = False
        return measured

    def start(self):
        import atexit

        os.makedirs(self.settings.root, exist_ok=True)
        if not os.access(self.settings.root, os.W_OK | os.X_OK):
            raise PermissionError("no permission to write into %s" % self.settings.root)
        # Handlers run last in, first out: coverage.py stops before the last rows are written.
        atexit.register(self._end)
        self.coverage.start()
        self.collector = self.coverage._collector
        self.file = DataFile(self.settings.root, self.collector.branch)
        self.collector.use_data(self.received, self.coverage.config.context)
        self.translator = Taken.translator(self.collector)
        self.coverage._data = self.received
        self._notice_forks()
        self._notice_older_threads()
        self._notice_native_threads()
        self._notice_ends()
        self.signals = Signals(self)
        self.signals.install()
        self.wakeups = _SimpleQueue()
        if not self.will_fork:
            self._start_thread()

    def flush(self, timeout=None):
        """Take to the data file what was recorded since the last time. False if this thread is already at it."""
        if self.disabled:
            return True
        if self.lock_owner == _get_ident():
            return False
        self._check_process()
        if not self._acquire(30 if timeout is None else timeout):
            return True
        try:
            self._write()
        except Exception as err:
            _report("%s; what was recorded is kept, and tried again" % _in_words(err))
        finally:
            self._release()
        return True

    def _write(self):
        rows, plugins, touched = self.pending
        more_rows, more_plugins, more_touched = self._take()
        for key, some in more_rows.items():
            rows.setdefault(key, set()).update(some)
        plugins.update(more_plugins)
        touched.update(more_touched)
        if not rows and not touched:
            return
        listed = self._list_unexecuted(touched)
        self.file.add(rows, plugins, touched)
        self.pending = {}, {}, {}
        self.listed = listed

    def _take(self):
        """Move what was recorded out of coverage.py's sets, which stay in use all the time.

        Copying a set, and removing the members of one set from another, are each one step to other threads. What
        runs again in between is a member of the copy, so nothing is lost.
        """
        taken = {}
        for name, recorded in self.collector.data.copy().items():
            some = recorded.copy()
            if some:
                recorded.difference_update(some)
                taken[name] = some
        if taken:
            # coverage.py knows how its tracers pack arcs into numbers, and what files are called.
            self.translator.data = taken
            self.translator.flush_data()
        self._record_again()
        return self.received.take()

    def _record_again(self):
        """What has run may be recorded nowhere soon: in a new process, or when somebody has erased the data.

        Tracers record it when it runs again. sys.monitoring says only once that a line runs, unless it is told to begin anew.
        """
        if not self.collector.core.systrace:
            sys.monitoring.restart_events()

    def _list_unexecuted(self, touched):
        """Add the modules of what is measured that did not run. It takes a walk, so only if packages have been imported since."""
        inorout = self.coverage._inorout
        imported = {name for name in inorout.source_pkgs if name in sys.modules}
        if imported != self.listed:
            for path, plugin in inorout.find_possibly_unexecuted_files():
                touched.setdefault(self.coverage._file_mapper(path), plugin or "")
        return imported

    # Locks. A signal handler can run in the midst of a flush, and a fork must not: SQLite's own locks would stay
    # closed in the child for ever.

    def _new_locks(self):
        self.lock = _allocate_lock()
        self.lock_owner = None
        self.when_released = None

    def _acquire(self, timeout):
        if not self.lock.acquire(timeout=timeout):
            return False
        self.lock_owner = _get_ident()
        return True

    def _release(self):
        self.lock_owner = None
        self.lock.release()
        if self.when_released is not None:
            self.when_released()

    # The thread that flushes. It is not one of `threading`'s, which programs count, wait for and replace.

    def _start_thread(self):
        # Workers that start together do not flush together.
        self.next_flush = _monotonic() + self.settings.interval * (0.5 + os.urandom(1)[0] / 512)
        self.wakeups = _SimpleQueue()
        self._continue_thread()

    def _continue_thread(self):
        self.thread_ended = _allocate_lock()
        self.thread_ended.acquire()
        self.thread_runs = True
        _start_new_thread(self._keep_flushing, (self.wakeups, self.thread_ended))

    def _keep_flushing(self, wakeups, ended):
        try:
            self.thread_number = _get_native_id()
            while self._wait(wakeups):
                self.next_flush = _monotonic() + self.settings.interval
                self.flush()
                self._forget_ended_threads()
                self.signals.wake_main_thread()
        except Exception as err:
            _report("%s; no more is saved until the process ends" % _in_words(err))
        finally:
            ended.release()

    def _wait(self, wakeups):
        """False if the thread is to end."""
        try:
            return wakeups.get(timeout=max(0, self.next_flush - _monotonic()))
        except _Empty:
            return True

    def _stop_thread(self, timeout):
        """End the thread, if there is one, and wait until it has ended for the system too. False if there was none."""
        runs, self.thread_runs = self.thread_runs, False
        if not runs:
            return False
        self.wakeups.put(False)
        if not self.thread_ended.acquire(timeout=timeout):
            # It takes its end from the queue some time. Another one is not to.
            self.wakeups = _SimpleQueue()
            return True
        for _ in range(100):
            if not os.path.exists("/proc/self/task/%d" % self.thread_number):
                break
            # Sleeps, whatever has become of `time.sleep`.
            self.thread_ended.acquire(timeout=0.0002)
        return True

    def _forget_ended_threads(self):
        """coverage.py keeps a tracer for every thread there ever was. Those that nothing else refers to are of no use."""
        tracers = self.collector.tracers
        others = tracers[1:]
        # Pythons count in different ways what is on its way to the one that counts.
        (unused,) = _references([object()])
        for tracer, references in zip(others, _references(others)):
            # It is in one list more.
            if references <= unused + 1:
                tracers.remove(tracer)

    def trace_this_thread(self):
        if sys.gettrace() is None and not self.ended:
            self.collector._start_tracer()

    def _notice_older_threads(self):
        """Threads that were there before measuring began. Pythons before 3.12 do not let us; sys.monitoring sees all threads."""
        trace_all = getattr(self.threading, "settrace_all_threads", None)
        if trace_all and self.collector.core.systrace and len(sys._current_frames()) > 1:
            of_this_thread = sys.gettrace()
            trace_all(self.collector._installation_trace)
            sys.settrace(of_this_thread)

    def _notice_native_threads(self):
        """Threads of a server that embeds Python are new to `threading` when they first run Python code."""
        dummy = self.threading._DummyThread
        stock = dummy.__init__

        def traced(thread, *args, **kwargs):
            stock(thread, *args, **kwargs)
            try:
                self.trace_this_thread()
            except Exception as err:
                _report(_in_words(err))

        def on_event(name, **details):
            try:
                self.trace_this_thread()
            except Exception as err:
                _report(_in_words(err))

        # sys.monitoring sees all threads.
        if self.collector.core.systrace:
            dummy.__init__ = traced
            server = sys.modules.get("mod_wsgi")
            if hasattr(server, "subscribe_events"):
                server.subscribe_events(on_event)

    # Processes.

    def _notice_forks(self):
        # By thread, for several may fork at once: who has the lock, who has stopped our thread, who is in `os.fork`.
        holding, stopped, forking = set(), set(), set()

        def before():
            me = _get_ident()
            if self.lock_owner != me:
                # A fork beside other threads is worth a warning to Python (3.12), so there is none of ours.
                if self._stop_thread(10):
                    stopped.add(me)
                if self._acquire(10):
                    holding.add(me)
            self.signals.hold_back()

        def after_in_parent():
            self.signals.let_through()
            me = _get_ident()
            if me in holding:
                holding.remove(me)
                self._release()
            if me not in forking:
                go_on()

        def go_on():
            me = _get_ident()
            if me in stopped:
                stopped.remove(me)
                try:
                    self._continue_thread()
                except Exception as err:
                    _report(_in_words(err))

        def after_in_child():
            if _get_ident() in holding:
                self.lock_owner = None
            holding.clear()
            stopped.clear()
            self._check_process()
            self.signals.let_through()

        def counting_later(stock):
            def fork():
                forking.add(_get_ident())
                try:
                    return stock()
                finally:
                    forking.discard(_get_ident())
                    go_on()

            fork.__name__ = fork.__qualname__ = stock.__name__
            fork.__doc__ = stock.__doc__
            return fork

        os.register_at_fork(before=before, after_in_parent=after_in_parent, after_in_child=after_in_child)
        if sys.version_info[:2] in ((3, 13), (3, 14)):
            # The first releases count threads when all of the above have run.
            os.fork, os.forkpty = counting_later(os.fork), counting_later(os.forkpty)
        # Servers written in C fork without telling Python.
        lock_data = self.collector.lock_data

        def checked_lock_data():
            if os.getpid() != self.pid:
                self._check_process()
            elif self.will_fork and self._is_worker():
                # One that was not forked.
                self.will_fork = False
                self._start_thread()
            lock_data()

        self.collector.lock_data = checked_lock_data
        for tracer in self.collector.tracers:
            tracer.lock_data = checked_lock_data

    def _is_worker(self):
        server = sys.modules.get("uwsgi")
        return server is not None and server.worker_id() > 0

    def _check_process(self):
        """If this is a child, forget what the parent recorded, and measure on, in the midst of any function."""
        if os.getpid() == self.pid:
            return
        self.pid = os.getpid()
        if self.lock_owner is not None:
            # A flush is under way, and nobody is there to finish it.
            self.ended = self.disabled = True
        try:
            if self.will_fork:
                # The parent has saved nothing, and may never: what it ran is its workers' too.
                self.will_fork = False
            else:
                for recorded in self.collector.data.values():
                    recorded.clear()
            if self.collector.data_lock is not None:
                self.collector.data_lock = self.threading.Lock()
            self.received.forget()
            self.pending = {}, {}, {}
            self._new_locks()
            self.file.rename()
            self._record_again()
            self.thread_runs = False
            if not self.ended:
                self._start_thread()
        except Exception as err:
            _report(_in_words(err))

    def _notice_ends(self):
        def saving(stock):
            def call(*args, **kwargs):
                self.flush(timeout=5)
                return stock(*args, **kwargs)

            call.__name__ = call.__qualname__ = stock.__name__
            call.__doc__ = stock.__doc__
            return call

        # All other ways to leave, or to become another program, end in these.
        for name in ("_exit", "execv", "execve"):
            setattr(os, name, saving(getattr(os, name)))

    def _end(self):
        """The interpreter ends."""
        self.ended = True
        if os.getpid() == self.pid:
            self._stop_thread(1)
        self.flush(timeout=5)


class Signals:
    """SIGTERM saves before it ends the process, another signal flushes, where the program leaves them to the system.

    The program does not see these handlers: to it the signals are still the system's.
    """

    # The number of the system call that waits for locks.
    FUTEX = {"x86_64": "202", "aarch64": "98"}

    def __init__(self, recorder):
        self.recorder = recorder
        self.handlers = {}
        # Of threads that fork at this moment.
        self.masks = {}
        self.waits = self.woken_from = None
        self.is_waking = False

    def install(self):
        import signal

        self.signal = signal
        self.stock, self.stock_get = signal.signal, signal.getsignal
        self._add(signal.SIGTERM, self._terminate)
        if self.recorder.settings.signal:
            self._add(getattr(signal, self.recorder.settings.signal), self._flush)
        if self.handlers:
            self._hide()

    def _add(self, number, handler):
        if self.signal.getsignal(number) is not self.signal.SIG_DFL:
            return
        try:
            self.stock(number, handler)
        except ValueError:
            # Not the main thread of the main interpreter.
            return
        self.handlers[number] = handler

    def _hide(self):
        signal, stock, stock_get = self.signal, self.stock, self.stock_get

        def shown(handler):
            return signal.SIG_DFL if handler in self.handlers.values() else handler

        def set_signal(signalnum, handler):
            if handler is signal.SIG_DFL or handler == 0:
                handler = self.handlers.get(signalnum, handler)
            return shown(stock(signalnum, handler))

        def getsignal(signalnum):
            return shown(stock_get(signalnum))

        set_signal.__name__ = set_signal.__qualname__ = "signal"
        set_signal.__doc__, getsignal.__doc__ = stock.__doc__, stock_get.__doc__
        signal.signal, signal.getsignal = set_signal, getsignal

    def hold_back(self):
        """Python forgets signals that reach a child before it has settled: they are to wait in the system until it has."""
        if self.handlers:
            self.masks[_get_ident()] = self.signal.pthread_sigmask(self.signal.SIG_BLOCK, self.handlers)

    def let_through(self):
        mask = self.masks.pop(_get_ident(), None)
        if mask is not None:
            self.signal.pthread_sigmask(self.signal.SIG_SETMASK, mask)

    def wake_main_thread(self):
        """Have the main thread look for signals, if it has waited for a lock since the last time.

        A handler in Python runs when the main thread comes to it. One that begins to wait at the very moment at which SIGTERM comes
        would not end, while without the hook it did. Once for each wait is enough: later signals interrupt it.
        """
        if len(self.handlers) < 2 or any(self.stock_get(number) != self.handlers[number] for number in self.handlers):
            return
        flush = max(self.handlers, key=lambda number: number != self.signal.SIGTERM)
        before, self.waits = self.waits, self._wait_of_main_thread()
        if self.is_waking:
            # It waits on.
            self.is_waking, self.woken_from = False, self.waits
        elif self.waits is not None and self.waits == before and self.waits != self.woken_from:
            self.is_waking = True
            self.signal.pthread_kill(self.recorder.threading.main_thread().ident, flush)

    def _wait_of_main_thread(self):
        """Tells one wait for a lock from another; `None` if the main thread does not wait for one."""
        folder = "/proc/self/task/%d/" % self.recorder.threading.main_thread().native_id
        try:
            with open(folder + "syscall") as file:
                if file.read().split()[0] != self.FUTEX.get(os.uname().machine):
                    return None
            with open(folder + "status") as file:
                return [line for line in file if "ctxt_switches" in line]
        except OSError:
            # Not everybody is shown these.
            return None

    def _flush(self, number, frame):
        # Never here: the handler runs in the midst of the program.
        if not self.is_waking:
            self.recorder.wakeups.put(True)

    def _terminate(self, number, frame):
        if self.recorder.flush(timeout=5):
            self._die()
        else:
            # This thread is in the midst of a flush.
            self.recorder.when_released = self._die

    def _die(self):
        self.stock(self.signal.SIGTERM, self.signal.SIG_DFL)
        os.kill(os.getpid(), self.signal.SIGTERM)


def _references(objects):
    """How many references there are to each."""
    return [sys.getrefcount(each) for each in objects]


def _in_words(err):
    return "%s: %s" % (type(err).__name__, err) if str(err) else type(err).__name__


def _start(settings):
    global _allocate_lock, _get_ident, _get_native_id, _start_new_thread, _SimpleQueue, _Empty, _monotonic
    try:
        # Kept, because gevent and eventlet replace them.
        from _thread import allocate_lock as _allocate_lock, get_ident as _get_ident, get_native_id as _get_native_id
        from _thread import start_new_thread as _start_new_thread
        from time import monotonic as _monotonic
        from _queue import Empty as _Empty, SimpleQueue as _SimpleQueue

        Recorder(settings).start()
    except ImportError as err:
        _report("not measured: %s; pip install 'coverage>=7.10,<8'" % err)
    except Exception as err:
        _report("not measured: %s" % _in_words(err))


def _begin():
    try:
        # Somebody else measures this process, or it is wished that nobody does.
        if any(os.environ.get(name) for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")):
            return
        if os.environ.get("PULPCOV_HOOK") == "off":
            return
        settings = Settings(SETTINGS)
        if not settings.wants_this_user():
            return
        if settings.can_wait():
            sys.meta_path.insert(0, Awaiting(settings))
        else:
            _start(settings)
    except Exception as err:
        _report("not measured: %s" % _in_words(err))


_begin()
