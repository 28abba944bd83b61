"""Compare pulpcov with a version of coverage.py other than the reference version.

    tests/reference.py --try VERSION    any version on PyPI
    tests/reference.py --try newest     the newest version on PyPI; does nothing if that is the reference version

The tests that use the real coverage.py run against that version, in a copy of the project. The script prints each test
that fails, with the end of its output. The exit status is 0 if all tests pass, and 1 otherwise.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).parents[1]
STATED = pathlib.Path("pulpcov-core/reference-version.txt")

# The test modules that compare with coverage.py, or run the hook with it.
SUITES = """
    analyze authors commands data_root formats hook hook_places hook_refusals hook_signals html outputs parity
    properties python_facts pythons readers report
""".split()

# The number of lines that are shown of a failed test's output.
LINES = 25


def newest():
    """Return the newest version that pip would install."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "index", "versions", "coverage"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    return re.match(r"coverage \(([^)]+)\)", listed)[1]


def copy_of_project(version):
    """Copy all files of the project that git does not ignore, and make `version` the copy's reference version."""
    copy = TOP / "target/try-reference"
    shutil.rmtree(copy, ignore_errors=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True, check=True
    ).stdout
    for name in filter(None, os.fsdecode(names).split("\0")):
        if (TOP / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, copy / name)
    (copy / STATED).write_text(version)
    return copy


def run_tests(copy):
    """Run the tests. Return the exit status and the output. Keep the build and all virtual environments."""
    target = TOP / "target/try-reference-build"
    (copy / "target").symlink_to(target)
    target.mkdir(parents=True, exist_ok=True)
    command = "cargo test --workspace --all-features --test integration --no-fail-fast --".split()
    run = subprocess.run(
        [*command, *(suite + "::" for suite in SUITES)],
        cwd=copy, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, stdout=subprocess.PIPE, stderr=None, text=True,
    )
    return run.returncode, run.stdout


def failures(output):
    """Return the output of each failed test, by the test's name."""
    parts = re.split(r"^---- (\S+) stdout ----$", output, flags=re.M)
    return dict(zip(parts[1::2], (part.split("\nfailures:\n")[0].strip() for part in parts[2::2])))


def main(version):
    reference = (TOP / STATED).read_text().strip()
    if version == "newest":
        version = newest()
        if version == reference:
            print(f"coverage.py {version} is the newest, and the reference version.")
            return 0
    print(f"Comparing with coverage.py {version}; the reference version is {reference}.", flush=True)
    status, output = run_tests(copy_of_project(version))
    failed = failures(output)
    for name, text in failed.items():
        print(f"\n--- differs: {name}")
        print("\n".join(text.splitlines()[-LINES:]))
    summary = re.findall(r"^test result: .*$", output, flags=re.M)
    if not summary:
        print(output)
    print(f"\ncoverage.py {version}: {len(failed)} tests differ.", *summary)
    return 1 if status else 0
