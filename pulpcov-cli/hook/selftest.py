"""Try the hook in this Python: start it, run lines, fork, save, kill the process, and read the rows back.

The arguments are the text of the hook's module, and the lines of its settings that matter here. Prints what does not
work, or an empty line.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

# The seconds after which a step has failed.
PATIENCE = 120
PACKAGE = "pulpcov_hook_selftest"
WORK = """\
def parent():
    return "parent"


def child():
    return "child"
"""
PARENT_LINE, CHILD_LINE = 2, 6
# `run` sets PULPCOV_HOOK=off, so that an installed hook does not start. This starts the hook under test instead.
BEGIN = """\
import os, sys
sys.path.insert(0, %r)
sys.modules.pop("pulpcov_hook", None)
del os.environ["PULPCOV_HOOK"]
import pulpcov_hook
"""
PROGRAM = BEGIN + """\
from %s import work
work.parent()
if os.fork() == 0:
    work.child()
    os._exit(0)
os.wait()
sys.stdin.read()
"""
START = BEGIN + "import %s\n"


def main(module, settings):
    folder = tempfile.mkdtemp(prefix="pulpcov-hook-")
    try:
        package = os.path.join(folder, PACKAGE)
        os.mkdir(package)
        write(os.path.join(package, "__init__.py"), "")
        write(os.path.join(package, "work.py"), WORK)
        write(os.path.join(folder, "pulpcov_hook.py"), module)
        common = ["root " + os.path.join(folder, "data"), "interval 0.1", "package " + PACKAGE]
        without_config = [line for line in settings if not line.startswith("config ")]
        install(folder, common + without_config)
        problem = measure(folder)
        if problem is None and without_config != settings:
            # Only the user can say what this configuration file measures. So this only checks that the hook starts.
            install(folder, common + settings)
            problem = start(folder)
        print(problem or "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(path, text):
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def install(folder, lines):
    write(os.path.join(folder, "pulpcov_hook.conf"), "\n".join(lines) + "\n")


def run(folder, program):
    environment = {name: value for name, value in os.environ.items() if "PULP" not in name and "COVERAGE" not in name}
    environment["PULPCOV_HOOK"] = "off"
    # A file, because somebody would have to read a pipe.
    with open(os.path.join(folder, "stderr"), "wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            stdin=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
        )


def complaint(folder):
    """Return what the hook reported, if anything. Other lines on standard error, such as warnings, are no failure."""
    for line in said(folder):
        if line.startswith("pulpcov hook, "):
            return line.split(": ", 1)[-1]
    return None


def said(folder):
    with open(os.path.join(folder, "stderr"), "rb") as file:
        return file.read().decode("utf-8", "replace").splitlines()


def end(folder, process):
    """Return why the process failed: its last line on standard error, or its exit status."""
    last = [line for line in said(folder) if line.strip()][-1:]
    return "".join(last) or "a process that is measured ends with status %d" % process.returncode


def measure(folder):
    """Kill a process after it has saved. Return `None` if its rows and its child's are there, and else the problem."""
    process = run(folder, PROGRAM % (folder, PACKAGE))
    try:
        deadline = time.monotonic() + PATIENCE
        while missing(folder, process.pid):
            if problem := complaint(folder):
                return problem
            if process.poll() is not None:
                return end(folder, process)
            if time.monotonic() > deadline:
                return missing(folder, process.pid)
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()
    return complaint(folder) or missing(folder, process.pid)


def missing(folder, pid):
    from coverage import CoverageData

    ran = {}
    for path in glob.glob(os.path.join(folder, "data", "uid-*", ".coverage.*")):
        data = CoverageData(basename=path)
        data.read()
        of_process = ".pid%d." % pid in path
        for name in data.measured_files():
            if name.endswith("work.py"):
                ran.setdefault(of_process, set()).update(data.lines(name) or [])
    if PARENT_LINE not in ran.get(True, ()):
        return "what a process saved before it was killed is not in its data file"
    if CHILD_LINE not in ran.get(False, ()):
        return "what a forked process recorded is not in its data file"
    return None


def start(folder):
    process = run(folder, START % (folder, PACKAGE))
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "with this configuration file, a process does not end"
    return complaint(folder) or (end(folder, process) if process.returncode else None)


main(sys.argv[1], sys.argv[2:])
