"""Compare the lines of services that coverage.py alone measures with those that the hook measures.

    python3 pulpcov-cli/benches/hook_services.py --pulpcov target/release/pulpcov

Servers and workers run the package `shop` of tests/fixtures/hook. Each service does the same work three times:

- coverage.py measures it, and SIGTERM stops it
- the hook measures it, and SIGTERM stops it
- the hook measures it, and SIGKILL ends it when its rows are on disk

The table shows how many lines of `shop` were measured, and which differ from coverage.py's. The script needs
redis-server, and PyPI for the first run.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from hook_overhead import python_beside

TOP = Path(__file__).resolve().parents[2]
SHOP = TOP / "tests/fixtures/hook/shop"
# The seconds that the script waits for anything.
PATIENCE = 20
PACKAGES = """
    APScheduler==3.11.* celery[redis]==5.7.* daphne==4.2.* Django==5.2.* dramatiq[redis]==2.2.* eventlet==0.41.* Flask==3.1.*
    gevent==26.9.* gunicorn==27.0.* huey==3.5.* Hypercorn==0.18.* rq==3.0.* uvicorn-worker==0.4.* uvicorn==0.54.* waitress==3.0.*
""".split()

# coverage.py needs these settings to measure processes that fork, and that SIGTERM stops.
STOCK = """
[run]
parallel = true
source = shop
patch = subprocess, _exit, fork
sigterm = true
"""

# The steps that each service runs, in two halves.
FIRST, SECOND = range(100, 106), range(106, 112)


class Trouble(Exception):
    """A service does not do what it should."""


def wait_for(what, condition):
    """Wait until the condition returns something true, and return that."""
    end = time.monotonic() + PATIENCE
    while not (answer := condition()):
        if time.monotonic() > end:
            raise Trouble("waited %d s for %s" % (PATIENCE, what))
        time.sleep(0.05)
    return answer


# A kind of service knows what to start, how to give it work, and how to stop it.


class Service:
    def __init__(self, *arguments, settings=""):
        self.arguments, self.settings = arguments, settings

    def terminate(self, run):
        run.process.terminate()


class Web(Service):
    """Answers requests at `{port}`."""

    def work(self, run):
        wait_for("an answer", lambda: run.get(FIRST[0]))
        for number in (*FIRST, *SECOND):
            wait_for("an answer to %d" % number, lambda: run.get(number))


class Reloading(Web):
    """A server that starts a new process when its source has changed."""

    def __init__(self, module, *arguments):
        super().__init__(*arguments)
        self.module = module

    def work(self, run):
        before = wait_for("an answer", lambda: run.get(FIRST[0]))
        for number in FIRST:
            wait_for("an answer to %d" % number, lambda: run.get(number))
        # Reloaders compare whole seconds, and some answer before they start to watch. So the time changes repeatedly.
        changed = run.folder / "shop" / self.module
        later = iter(range(10, 10 + 100 * PATIENCE, 10))

        def is_new():
            os.utime(changed, (time.time() + next(later),) * 2)
            return run.get(FIRST[0]) not in (None, before)

        wait_for("the reload", is_new)
        for number in SECOND:
            wait_for("an answer to %d" % number, lambda: run.get(number))

    def terminate(self, run):
        # The process that answers gets the signal first. The watching one would not pass it on, or would kill it.
        server = wait_for("an answer", lambda: run.get(FIRST[0]))
        os.kill(server, signal.SIGTERM)
        wait_for("the end of the server", lambda: server not in run.session())
        if not run.has_ended():
            run.process.terminate()


class Queue(Service):
    """Runs jobs of a client. `order` is Python code that orders the job for one `number`."""

    def __init__(self, order, *arguments):
        super().__init__(*arguments)
        self.order = order

    def work(self, run):
        run.client("for number in %r: %s" % ([*FIRST, *SECOND], self.order))
        wait_for("the jobs", lambda: run.jobs_done() >= len(FIRST) + len(SECOND))


class Celery(Service):
    """A worker of Celery, with a pool of two of this kind."""

    def __init__(self, pool, settings=""):
        worker = ("celery", "--app=shop.tasks", "worker", "--loglevel=error", "--concurrency=2")
        super().__init__(*worker, "--pool=" + pool, settings=settings)

    def work(self, run):
        order = "from shop.tasks import run_step; results = [run_step.delay(number) for number in %r]; " % [*FIRST, *SECOND]
        run.client(order + "[result.get(timeout=%d) for result in results]" % PATIENCE)


class Scheduler(Queue):
    """A service that orders its jobs itself."""

    def __init__(self, *arguments):
        super().__init__("pass", *arguments)


# coverage.py must be told this, and the hook finds it out. `thread` is included, because both also use native threads.
GEVENT, EVENTLET = "concurrency = gevent, thread", "concurrency = eventlet, thread"
UVICORN = ("uvicorn", "--port={port}", "--log-level=warning", "shop.asgi:application")
# gevent's workers do not always end at SIGTERM, with coverage.py or without. Their master kills them then.
GUNICORN = ("gunicorn", "--bind=127.0.0.1:{port}", "--workers=2", "--log-level=warning", "--no-control-socket")
GUNICORN += ("--graceful-timeout=5", "--worker-class")
FLASK = ("flask", "--app=shop.flask_app", "run", "--port={port}")
RQ = "import os, redis, rq; rq.Queue(connection=redis.Redis.from_url(os.environ['BROKER'])).enqueue('shop.jobs.run_step', number)"
DRAMATIQ = "from shop.actors import run_step; run_step.send(number)"
HUEY = "from shop.consumer import run_step; run_step(number)"
CONSUMER = ("huey.bin.huey_consumer", "shop.consumer.app", "--workers=2")

SERVICES = {
    "uvicorn": Web(*UVICORN),
    "uvicorn --workers 2": Web(*UVICORN, "--workers=2"),
    "uvicorn --reload": Reloading("asgi.py", *UVICORN, "--reload"),
    "hypercorn": Web("hypercorn", "--bind=127.0.0.1:{port}", "shop.asgi:application"),
    "hypercorn --workers 2": Web("hypercorn", "--bind=127.0.0.1:{port}", "--workers=2", "shop.asgi:application"),
    "daphne": Web("daphne", "--port={port}", "shop.asgi:application"),
    "gunicorn -k gevent": Web(*GUNICORN, "gevent", "shop.web:application", settings=GEVENT),
    "gunicorn -k uvicorn_worker.UvicornWorker": Web(*GUNICORN, "uvicorn_worker.UvicornWorker", "shop.asgi:application"),
    "waitress": Web("waitress", "--listen=127.0.0.1:{port}", "shop.web:application"),
    "flask run": Web(*FLASK),
    "flask run --debug": Reloading("flask_app.py", *FLASK, "--debug"),
    "django runserver": Reloading("django_app.py", "django", "runserver", "--settings=shop.django_app", "{port}"),
    "celery -P prefork": Celery("prefork"),
    "celery -P threads": Celery("threads"),
    "celery -P solo": Celery("solo"),
    "celery -P gevent": Celery("gevent", GEVENT),
    "celery -P eventlet": Celery("eventlet", EVENTLET),
    "rq": Queue(RQ, "rq.cli", "worker", "--quiet", "--url={broker}"),
    "dramatiq": Queue(DRAMATIQ, "dramatiq", "shop.actors", "--processes=2", "--threads=2"),
    "huey -k thread": Queue(HUEY, *CONSUMER, "--worker-type=thread"),
    "huey -k process": Queue(HUEY, *CONSUMER, "--worker-type=process"),
    "APScheduler": Scheduler("shop.scheduler"),
}


class Run:
    """One run of a service: it starts, does its work, and ends."""

    def __init__(self, bench, service):
        self.service, self.python = service, bench.python
        self.folder = Path(tempfile.mkdtemp(dir=bench.folder))
        self.data = self.folder / "data"
        self.data.mkdir()
        shutil.copytree(SHOP, self.folder / "shop", ignore=shutil.ignore_patterns("__pycache__"))
        self.port = free_port()
        self.redis = bench.redis
        self.redis("flushall")
        steps = ",".join(map(str, [*FIRST, *SECOND]))
        self.env = dict(os.environ, BROKER=bench.broker, STEPS=steps, PYTHONDONTWRITEBYTECODE="1")
        self.trouble = ""

    def start(self, launcher):
        arguments = [argument.format(port=self.port, broker=self.env["BROKER"]) for argument in self.service.arguments]
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [*launcher, "-m", *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def get(self, number):
        """Request a step. Return the number of the process that ran it, or `None` if there is no answer."""
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/%d" % (self.port, number), timeout=PATIENCE / 3) as answer:
                return int(answer.read().split()[0])
        except (OSError, urllib.error.HTTPError):
            return None

    def client(self, code):
        """Run Python code that is not measured."""
        env = dict(self.env, PULPCOV_HOOK="off")
        done = subprocess.run([self.python, "-c", code], cwd=self.folder, env=env, capture_output=True, text=True)
        if done.returncode:
            errors = re.findall(r"^[\w.]+Error: .*|^[\w.]*Timeout\w*.*", done.stderr, re.MULTILINE)
            raise Trouble("the client failed: " + "; ".join(errors[:1]))

    def jobs_done(self):
        return int(self.redis("llen", "done"))

    def stop(self):
        """Send SIGTERM, and wait until all processes have ended."""
        self.service.terminate(self)
        try:
            wait_for("the end after SIGTERM", lambda: self.has_ended() and not self.session())
        finally:
            self.kill()

    def has_ended(self):
        return self.process.poll() is not None

    def kill(self):
        for pid in self.session():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.log.close()

    def session(self):
        """Return the numbers of all processes of the run that still live."""
        listed = subprocess.run(["ps", "-o", "pid=,stat=", "--sid", str(self.process.pid)], capture_output=True, text=True).stdout
        return [int(pid) for pid, state in map(str.split, listed.splitlines()) if not state.startswith("Z")]

    def all_is_saved(self):
        """Return whether the data has the lines of all steps, and of the import. Another process may import."""
        lines = self.lines()
        return ("__init__.py", 1) in lines and all(("steps.py", 4 * number + 7) in lines for number in (*FIRST, *SECOND))

    def lines(self):
        """Return the lines of all data files."""
        lines = set()
        for file in self.data.rglob(".coverage.*"):
            try:
                lines |= lines_of(file)
            except sqlite3.Error:
                # The file is being replaced.
                pass
        return lines

    def failures(self):
        """Return the complaints of the hook and coverage.py.

        A process that only starts others has no data. The warning about that is left out.
        """
        text = (self.folder / "log").read_text(errors="replace")
        said = re.findall(r"(?:pulpcov hook, process \d+: |CoverageWarning: |Fatal Python error).*", text)
        return sorted({line for line in said if "no-data-collected" not in line})


def lines_of(file):
    """Return the lines of a data file, as pairs of a module and a line."""
    database = sqlite3.connect("file:%s?mode=ro" % file, uri=True)
    try:
        rows = database.execute("select path, numbits from line_bits join file on file.id = file_id").fetchall()
    finally:
        database.close()
    return {
        (os.path.basename(path), line)
        for path, numbits in rows
        for line in range(len(numbits) * 8)
        if numbits[line // 8] >> line % 8 & 1
    }


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Bench:
    def __init__(self, args, folder):
        self.folder = folder
        self.pulpcov = os.path.abspath(args.pulpcov)
        # The hook is installed into an environment of its own, which uses the packages of another.
        self.python = python_beside(packages(args), folder / "venv")
        see_pth_files(self.python)
        port = free_port()
        self.broker = "redis://127.0.0.1:%d/0" % port
        self.cli = ["redis-cli", "-p", str(port)]
        command = ["redis-server", "--save", "", "--port", str(port), "--dir", folder]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for("Redis", lambda: subprocess.run([*self.cli, "ping"], capture_output=True).returncode == 0)

    def redis(self, *command):
        return subprocess.check_output([*self.cli, *command], text=True).strip()

    def close(self):
        self.server.kill()
        self.server.wait()

    def row(self, title, service):
        stock, clean, killed = self.stock(service), self.hooked(service, kill=False), self.hooked(service, kill=True)
        if stock.lines():
            differences = [difference(stock, clean, "stopped"), difference(stock, killed, "killed")]
        else:
            differences = ["coverage.py has nothing"]
        runs = dict(zip(("coverage.py", "the hook, stopped", "the hook, killed"), (stock, clean, killed)))
        differences += ["%s: %s" % (name, run.trouble) for name, run in runs.items() if run.trouble]
        differences += ["%s said: %s" % (name, failure) for name, run in runs.items() for failure in run.failures()]
        cells = [len(run.lines()) or "nothing" for run in (stock, clean, killed)]
        print("| %s | %s | %s | %s | %s |" % (title, *cells, "; ".join(filter(None, differences)) or "none"), flush=True)

    def stock(self, service):
        run = Run(self, service)
        settings = run.folder / "settings"
        settings.write_text(STOCK + service.settings)
        launcher = [self.python, "-m", "coverage", "run", "--rcfile", settings, "--data-file", run.data / ".coverage"]
        self.live(run, launcher, run.stop)
        return run

    def hooked(self, service, kill):
        run = Run(self, service)
        hook = [self.pulpcov, "hook"]
        install = ["--source", "shop", "--data-root", run.data, "--flush-interval", "1s"]
        subprocess.run([*hook, "install", "--python", self.python, *install], check=True, stderr=subprocess.DEVNULL)
        self.live(run, [self.python], run.kill if kill else run.stop, saved=kill)
        subprocess.run([*hook, "uninstall", "--python", self.python], check=True, stderr=subprocess.DEVNULL)
        return run

    def live(self, run, launcher, end, saved=False):
        run.start(launcher)
        try:
            run.service.work(run)
            if saved:
                wait_for("the rows of all steps", run.all_is_saved)
            end()
        except Trouble as trouble:
            run.trouble = str(trouble)
        finally:
            run.kill()


def packages(args):
    """Return the Python of an environment with all packages that are run here. Create it if it is missing."""
    venv = Path(args.venvs).resolve() / ("%s-coverage-%s" % (Path(args.python).resolve().name, args.coverage))
    python = venv / "bin/python"
    if not (venv / "complete").exists():
        subprocess.run([args.python, "-m", "venv", "--clear", venv], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "coverage==%s" % args.coverage, *PACKAGES], check=True)
        (venv / "complete").touch()
    return python


def see_pth_files(python):
    """Have the Python read the .pth files of the packages. coverage.py measures subprocesses through such a file."""
    (pth,) = Path(python).parents[1].glob("lib/python*/site-packages/packages.pth")
    pth.write_text("import site; site.addsitedir(%r)\n" % pth.read_text().strip())


def difference(stock, other, how):
    """Return a text about the lines that are in only one of two runs."""

    def shown(lines):
        steps = [(line - 7) // 4 for module, line in sorted(lines) if module == "steps.py" and line >= 7 and line % 4 == 3]
        others = ["%s:%d" % line for line in sorted(lines) if line[0] != "steps.py"]
        return ", ".join(["step %d" % step for step in steps[:1]] + ["to %d" % step for step in steps[1:][-1:]] + others)

    of_stock, of_other = stock.lines(), other.lines()
    parts = [("without", of_stock - of_other), ("with", of_other - of_stock)]
    return "; ".join("%s, %s %s" % (how, word, shown(lines)) for word, lines in parts if lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulpcov", required=True)
    parser.add_argument("--python", default=sys.executable)
    version = (TOP / "pulpcov-core/reference-version.txt").read_text().strip()
    parser.add_argument("--coverage", default=version, help="the version of coverage.py")
    parser.add_argument("--venvs", default=TOP / "target/hook-services", help="where virtual environments are kept")
    parser.add_argument("service", nargs="*", help="of all, only these")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulpcov-bench-") as folder:
        bench = Bench(args, Path(folder))
        try:
            print("| | coverage.py, stopped | the hook, stopped | the hook, killed | differences from coverage.py |")
            print("|---|---|---|---|---|")
            for title, service in SERVICES.items():
                if not args.service or title in args.service:
                    bench.row(title, service)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
