"""Record the data files of this sample anew, with coverage.py 7.17.3.

Two hosts run the processes of a small service. The data files name the folders where the hosts have the service, and
so the folders must be free on the machine that runs this script; they are removed afterwards. Python 3.11 made the
committed files.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "target" / "pulp-host"
COVERAGE = "coverage==7.17.3"

WEB_ROOT = Path("/srv/pulp-checkout/src")
WORKER_ROOT = Path("/opt/pulp/lib/python3.11/site-packages")

# Give the process the name of its host, and its data file small pages, so that the sample stays small.
LAUNCHER = """
import socket, sqlite3, sys

host = sys.argv.pop(1)
socket.gethostname = lambda: host
connect = sqlite3.connect

def connect_with_small_pages(*args, **kwargs):
    connection = connect(*args, **kwargs)
    connection.execute("pragma page_size=1024").close()
    return connection

sqlite3.connect = connect_with_small_pages
sys.argv[0] = "coverage"
from coverage.cmdline import main
sys.exit(main())
"""

# The requests that each process of the web host answers, and the tasks that each process of the worker host runs.
WEB_PROCESSES = (
    ("GET /status", "GET /repositories", "GET /nowhere", "PUT /status"),
    ("POST /tasks/sync rpms", "POST /tasks/publish rpms", "GET /content/rpms/a.rpm", "GET /content/rpms/c.rpm"),
    ("POST /tasks/upload docs one.txt first", "POST /tasks/publish docs", "GET /content/docs/one.txt?offset=2"),
    ("POST /tasks/publish empty", "POST /tasks/nonsense", "GET /content/rpms/a.rpm"),
    ("POST /tasks/sync rpms", "GET /repositories?offset=0", "DELETE /repositories/rpms", "DELETE /repositories/x"),
)
WORKER_PROCESSES = (
    (),
    (),
    ("sync rpms", "sync rpms", "publish rpms"),
    ("sync rpms 2", "sync rpms 3", "publish rpms"),
    ("upload docs one.txt first", "upload docs one.txt second", "upload docs /etc/passwd x", "orphan_cleanup"),
    ("upload rpms old.rpm o", "sync rpms 0 yes", "publish empty"),
    ("unknown", "publish rpms", "orphan_cleanup"),
)


@contextlib.contextmanager
def installed(root):
    """Have the service in a host's folder for a while."""
    missing = next(folder for folder in reversed((root, *root.parents)) if not folder.exists())
    if root.exists():
        raise SystemExit(f"{root} exists: the sample is recorded there, and this would change it")
    shutil.copytree(HERE / "src", root, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        yield
    finally:
        shutil.rmtree(missing)


def install_coverage():
    """Install the version of coverage.py that records."""
    if not TOOLS.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--root-user-action=ignore"]
        subprocess.run([*pip, "--target", TOOLS, COVERAGE], check=True)


def record(host, root, service, arguments):
    """Run one process of a service under coverage."""
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{TOOLS}:{root}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }
    options = ["run", "--branch", "--parallel-mode", "--source=pulpmini", f"--context={service}"]
    command = [sys.executable, "-c", LAUNCHER, host, *options, "-m", f"pulpmini.{service}", *arguments]
    subprocess.run(command, cwd=root, env=environment, check=True)


def record_host(host, root, service, processes, data):
    """Run every process of a host, and collect the data files."""
    with installed(root):
        for arguments in processes:
            record(host, root, service, arguments)
        for file in root.glob(".coverage.*"):
            shutil.move(file, data / file.name)


def main():
    install_coverage()
    data = HERE / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    record_host("pulp-web-1", WEB_ROOT, "web", WEB_PROCESSES, data)
    record_host("pulp-worker-1", WORKER_ROOT, "worker", WORKER_PROCESSES, data)


if __name__ == "__main__":
    main()
