"""Compare three ways to measure Celery's workers: what is in the data after SIGTERM, and after SIGKILL?

    python3 pulpcov-cli/benches/hook_celery.py --pulpcov target/release/pulpcov --python VENV/bin/python

VENV needs coverage.py and celery[redis]. redis-server must be installed.

A worker with two children runs the tasks of examples/celery-redis. Then the worker gets SIGTERM, or the worker and its
children get SIGKILL. coverage.py combines and reports the data that is left.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hook_overhead import python_beside

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/celery-redis"
INTERVAL = 1

PATCHED = """
[run]
parallel = true
source = tasks
patch = subprocess, _exit, fork
sigterm = true
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulpcov", required=True)
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulpcov-bench-") as folder:
        bench = Bench(args, Path(folder))
        try:
            bench.table()
        finally:
            bench.redis.kill()
            bench.redis.wait()


class Bench:
    def __init__(self, args, folder):
        self.folder = folder
        self.pulpcov = os.path.abspath(args.pulpcov)
        for name in ("tasks.py", "order.py"):
            shutil.copy(EXAMPLE / name, folder)
        # The hook is installed into an environment of its own, not into VENV.
        self.python = python_beside(args.python, folder / "venv")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.env = dict(os.environ, BROKER="redis://127.0.0.1:%d/0" % port, PYTHONDONTWRITEBYTECODE="1")
        command = ["redis-server", "--save", "", "--port", str(port), "--dir", folder]
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def table(self):
        print("| | SIGTERM | SIGKILL |\n|---|---|---|")
        ways = [
            ("`coverage run -p`", self.plain),
            ("the same with `patch = subprocess, _exit, fork` and `sigterm = true`", self.patched),
            ("the hook, saving every second", self.hooked),
        ]
        for title, start in ways:
            left = [self.left(start, number) for number in (signal.SIGTERM, signal.SIGKILL)]
            print("| %s | %s | %s |" % (title, *left), flush=True)

    def plain(self, data):
        return [self.python, "-m", "coverage", "run", "-p", "--source=tasks", "--data-file", data / ".coverage"]

    def patched(self, data):
        settings = data / "settings"
        settings.write_text(PATCHED)
        return [self.python, "-m", "coverage", "run", "--rcfile", settings, "--data-file", data / ".coverage"]

    def hooked(self, data):
        command = [self.pulpcov, "hook", "install", "--python", self.python, "--source", "tasks"]
        command += ["--data-root", data, "--flush-interval", "%ds" % INTERVAL]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return [self.python]

    def left(self, start, number):
        """Run and end one worker. Return the total that coverage.py reports."""
        data = Path(tempfile.mkdtemp(dir=self.folder))
        command = start(data) + ["-m", "celery", "-A", "tasks", "worker", "--concurrency=2", "--loglevel=error"]
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        worker = subprocess.Popen(command, cwd=self.folder, env=self.env, start_new_session=True, **quiet)
        try:
            outside = dict(self.env, PULPCOV_HOOK="off")
            subprocess.run([self.python, "order.py"], cwd=self.folder, env=outside, check=True, stdout=subprocess.DEVNULL)
            # An interval, and a second more for a busy machine.
            time.sleep(INTERVAL + 1)
            if number == signal.SIGTERM:
                worker.terminate()
            else:
                os.killpg(worker.pid, number)
            worker.wait(60)
        finally:
            try:
                os.killpg(worker.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return self.total(data)

    def total(self, data):
        coverage = [self.python, "-m", "coverage"]
        env = dict(self.env, COVERAGE_FILE=str(data / ".coverage"), PULPCOV_HOOK="off")
        run = dict(cwd=self.folder, env=env, capture_output=True, text=True)
        # The hook writes into a folder of each user.
        folders = [data, *data.glob("uid-*")]
        combined = subprocess.run([*coverage, "combine", "--rcfile=", *folders], **run)
        if "No data to combine" in combined.stdout + combined.stderr:
            return "nothing"
        total = subprocess.run([*coverage, "report", "--rcfile=", "--format=total"], **run)
        return total.stdout.strip() + "%" if total.returncode == 0 else "nothing"


if __name__ == "__main__":
    main()
