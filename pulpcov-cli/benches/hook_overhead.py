"""Measure what the hook costs, compared with `coverage run -p`.

    python3 pulpcov-cli/benches/hook_overhead.py --pulpcov target/release/pulpcov --python VENV/bin/python

VENV needs coverage.py. The script installs the hook into an environment of its own, which uses the packages of VENV.

It measures:

- a program that computes: the processor time of the whole process, as the median of the runs
- a program that does nothing: the same
- a process that is not measured: the time that importing the hook takes
- a fork whose child runs a function and ends: the time that the parent takes to fork and wait
- a server that never ends: its processor time and its memory over `--seconds`, with and without saving
- gunicorn, if VENV has it: requests per second over `--seconds`, in three rounds
"""

import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMPUTE = """
def sieve(limit):
    composite = set()
    primes = []
    for number in range(2, limit):
        if number in composite:
            continue
        primes.append(number)
        for multiple in range(number * number, limit, number):
            composite.add(multiple)
    return primes

def main():
    for _ in range(100):
        sieve(20000)
"""

# This is as busy as a service that answers 50 requests per second, each with 200 functions in 40 modules.
SERVE = """
import os, resource, sys, time
from importlib import import_module

MODULES = [import_module("load.part%d" % number) for number in range(40)]

def main():
    end = time.monotonic() + float(os.environ["SECONDS"])
    while time.monotonic() < end:
        for module in MODULES:
            module.handle()
        time.sleep(0.02)
        now = time.monotonic()
        if now > main.next:
            main.next = now + float(os.environ["SECONDS"]) / 6
            with open("/proc/self/statm") as file:
                resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
            print(resident, "kB", file=sys.stderr)
    times = os.times()
    print("%.3f" % (times.user + times.system))

main.next = 0
"""

FORK = """
import os, time
from load import part0

def main():
    part0.handle()
    start = time.perf_counter()
    for _ in range(200):
        if os.fork() == 0:
            part0.handle()
            os._exit(0)
        os.wait()
    print((time.perf_counter() - start) * 1e3 / 200)
"""

WEB = """
from importlib import import_module

MODULES = [import_module("load.part%d" % number) for number in range(40)]

def application(environ, start_response):
    for module in MODULES:
        module.handle()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
"""

PART = "".join("def f%d(x):\n    if x:\n        return x + 1\n    return 0\n\n\n" % number for number in range(5)) + (
    "def handle():\n    return " + " + ".join("f%d(1)" % number for number in range(5)) + "\n"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulpcov", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulpcov-bench-") as folder:
        bench = Bench(args, Path(folder))
        bench.compare("computes", "import load.compute; load.compute.main()")
        bench.compare("does nothing", "import load")
        bench.unselected()
        bench.fork()
        bench.server()
        bench.requests()


def python_beside(python, venv):
    """Create an environment for the hook, with the packages of another Python. Return the environment's Python."""
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    beside = str(venv / "bin/python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-c", where], text=True).strip()
    site = subprocess.check_output([beside, "-c", where], text=True).strip()
    Path(site, "packages.pth").write_text(packages)
    return beside


def request(address):
    """Send a request. Return whether it was answered."""
    try:
        with socket.create_connection(address) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while some := connection.recv(4096):
                answer += some
            return answer.endswith(b"ok")
    except OSError:
        return False


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.pulpcov = os.path.abspath(args.pulpcov)
        load = folder / "load"
        load.mkdir()
        (load / "__init__.py").write_text("")
        (load / "compute.py").write_text(COMPUTE)
        (load / "serve.py").write_text(SERVE)
        (load / "fork.py").write_text(FORK)
        (load / "web.py").write_text(WEB)
        for number in range(40):
            (load / ("part%d.py" % number)).write_text(PART)
        self.python = python_beside(args.python, folder / "venv")

    def install(self, interval="5s"):
        command = [self.pulpcov, "hook", "install", "--python", self.python, "--source", "load"]
        command += ["--data-root", self.folder / "data", "--flush-interval", interval]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def run(self, command, **env):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="", **env)
        output = subprocess.run(command, cwd=self.folder, env=env, check=True, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, output

    def median(self, command, **env):
        self.run(command, **env)
        return statistics.median(self.run(command, **env)[0] for _ in range(self.args.runs))

    def compare(self, title, code):
        self.install()
        (self.folder / "main.py").write_text(code)
        plain = self.median([self.python, "main.py"], PULPCOV_HOOK="off")
        run = [self.python, "-m", "coverage", "run", "-p", "--source=load", "main.py"]
        coverage = self.median(run, PULPCOV_HOOK="off")
        hook = self.median([self.python, "main.py"])
        print(
            "a process that %s: %.0f ms not measured, %.0f ms by `coverage run -p`, %.0f ms by the hook (%+.1f%%)"
            % (title, plain * 1e3, coverage * 1e3, hook * 1e3, (hook / coverage - 1) * 100)
        )

    def unselected(self):
        self.install()
        code = (
            "import sys, time; sys.modules.pop('pulpcov_hook'); start = time.perf_counter(); import pulpcov_hook; "
            "print((time.perf_counter() - start) * 1e3)"
        )
        times = [float(self.run([self.python, "-c", code])[1].stdout) for _ in range(20)]
        print("the start of a process that is not selected: %.2f ms" % statistics.median(times))

    def fork(self):
        self.install("60m")
        (self.folder / "main.py").write_text("import load.fork; load.fork.main()")
        (self.folder / "rc").write_text("[run]\npatch = _exit, fork\nparallel = true\nsource = load\n")
        stock = [self.python, "-m", "coverage", "run", "--rcfile=rc", "main.py"]

        def take(command, **env):
            return statistics.median(float(self.run(command, **env)[1].stdout) for _ in range(self.args.runs))

        plain = take([self.python, "main.py"], PULPCOV_HOOK="off")
        coverage = take(stock, PULPCOV_HOOK="off")
        hook = take([self.python, "main.py"])
        print(
            "a fork and the end of its child: %.2f ms not measured, %.2f ms by `coverage run` with its patches, %.2f ms by the hook"
            % (plain, coverage, hook)
        )

    def requests(self):
        if subprocess.run([self.python, "-c", "import gunicorn"], stderr=subprocess.DEVNULL).returncode:
            print("requests: left out, for this Python has no gunicorn")
            return
        self.install()
        server = ["-m", "gunicorn", "--log-level=critical", "--bind=127.0.0.1:0", "load.web:application"]
        ways = {
            "not measured": ([self.python], {"PULPCOV_HOOK": "off"}),
            "`coverage run -p`": (
                [self.python, "-m", "coverage", "run", "--rcfile=rc"],
                {"PULPCOV_HOOK": "off"},
            ),
            "the hook": ([self.python], {}),
        }
        for number in range(1, 4):
            rates = {title: self.rate(command + server, env) for title, (command, env) in ways.items()}
            plain = rates["not measured"]
            shown = ["%s %.0f (%.2f)" % (title, rate, rate / plain) for title, rate in rates.items()]
            print("gunicorn, requests a second, round %d: %s" % (number, ", ".join(shown)))

    def rate(self, command, env):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = free.getsockname()
        command = [part.replace(":0", ":%d" % address[1]) if part.startswith("--bind") else part for part in command]
        process = subprocess.Popen(command, cwd=self.folder, env=dict(os.environ, **env), stderr=subprocess.DEVNULL)
        try:
            while not request(address):
                time.sleep(0.05)
            end, answered = time.monotonic() + self.args.seconds, 0
            while time.monotonic() < end:
                answered += request(address)
            return answered / self.args.seconds
        finally:
            process.terminate()
            process.wait()

    def server(self):
        seconds = self.args.seconds
        (self.folder / "main.py").write_text("import load.serve; load.serve.main()")
        spent = {}
        for title, interval in [("no flush", "60m"), ("a flush every 5 s", "5s"), ("a flush every second", "1s")]:
            self.install(interval)
            _, output = self.run([self.python, "main.py"], SECONDS=str(seconds))
            spent[title] = float(output.stdout) / seconds * 100
            memory = ", ".join(output.stderr.split("\n")).rstrip(", ")
            print("a server for %.0f s, %s: %.2f%% of a core; memory: %s" % (seconds, title, spent[title], memory))
        for title in list(spent)[1:]:
            print("%s: %.2f%% of a core more than none" % (title, spent[title] - spent["no flush"]))


if __name__ == "__main__":
    main()
