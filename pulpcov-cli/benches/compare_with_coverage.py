#!/usr/bin/env python3
"""How much faster than coverage.py is pulpcov on this machine, and is the result the same?

    cargo build --release
    python3 pulpcov-cli/benches/compare_with_coverage.py            # every shape
    python3 pulpcov-cli/benches/compare_with_coverage.py hosts --runs 5 --scale 0.2

For each shape of data, the script makes a folder of data files in a temporary folder. coverage.py and pulpcov combine
it by turns, and keep the inputs. The script compares the rows of both results. It prints the median wall times, their
ratio, and each program's peak memory.

It also prints the floor: the time to read every input byte once and to write the result once. "and synced" is the time
if the result is then synced to disk, as pulpcov does.

It needs Python 3.9 or later with its standard library, and coverage.py 7 as a command.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SENTENCE = "!coverage.py: This is a private format, don't read it directly!"
# The checkouts of the other hosts in the shape `hosts`. The first host's checkout is the working folder.
OTHER_HOSTS = ["/builds/group/shop", r"C:\agent\_work\1\shop"]
NAMES = "JOIN file ON file.id = file_id JOIN context ON context.id = context_id"
TABLES = """
    CREATE TABLE coverage_schema (version integer);
    CREATE TABLE meta (key text, value text, unique (key));
    CREATE TABLE file (id integer primary key, path text, unique (path));
    CREATE TABLE context (id integer primary key, context text, unique (context));
    CREATE TABLE line_bits (
        file_id integer, context_id integer, numbits blob,
        foreign key (file_id) references file (id), foreign key (context_id) references context (id),
        unique (file_id, context_id));
    CREATE TABLE arc (
        file_id integer, context_id integer, fromno integer, tono integer,
        foreign key (file_id) references file (id), foreign key (context_id) references context (id),
        unique (file_id, context_id, fromno, tono));
    CREATE TABLE tracer (
        file_id integer primary key, tracer text, foreign key (file_id) references file (id));
"""


@dataclass(frozen=True)
class Shape:
    """What the processes of a deployment leave behind."""

    what: str
    data_files: int
    sources: int
    touched: float  # the share of the sources that a process or a context runs
    contexts: int = 0  # in each data file
    arcs: bool = False
    hosts: bool = False
    json: bool = False
    different: int | None = None  # the number of data files that are not copies of the first

    def scaled(self, by: float) -> Shape:
        """Return the shape with more or fewer data files. With a single data file, scale its contexts instead."""
        if self.data_files == 1:
            return replace(self, contexts=max(1, round(self.contexts * by)))
        return replace(self, data_files=max(2, round(self.data_files * by)))


SHAPES = {
    "services": Shape("the processes of a service", 400, 300, 0.6),
    "hosts": Shape("three hosts with checkouts in different places", 300, 200, 0.6, hosts=True),
    "branches": Shape("test shards with branch coverage", 100, 600, 0.5, arcs=True),
    "contexts": Shape("test shards with a context a test", 30, 400, 0.25, contexts=300),
    "arcs-ctx": Shape("the same with branch coverage", 20, 300, 0.25, contexts=100, arcs=True),
    "one-big": Shape("one file with very many contexts", 1, 1250, 0.0175, contexts=26_000),
    "many": Shape("more processes with fewer sources", 600, 200, 0.6),
    "dups": Shape("copies of one data file", 152, 300, 0.6, different=6),
    "zope": Shape("a hundred shards with branches and contexts", 100, 300, 0.25, contexts=48, arcs=True),
    "json4": Shape("data files of coverage.py 4.x", 400, 300, 0.6, json=True),
}


def make_data(shape: Shape, folder: Path, work: Path) -> None:
    """Fill `folder` with data files of a project that is checked out in `work`."""
    sources = make_sources(shape.sources)
    for name, _ in sources:
        # coverage.py follows an alias only to a file that exists.
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).touch()
    for number in range(shape.data_files):
        name_rng = random.Random(f"name {number}")
        # Copies have the same bytes as the first data file.
        rng = random.Random(number if number < (shape.different or shape.data_files) else 0)
        root = [str(work), *OTHER_HOSTS][number % 3 if shape.hosts else 0]
        slash = "\\" if "\\" in root else "/"
        data: dict[str, dict[str, list]] = {}
        for context in [f"tests/test_{n % 90}.py::test_{number}_{n}|run" for n in range(shape.contexts)] or [""]:
            for name, statements in sources:
                if rng.random() < shape.touched:
                    path = f"{root}/{name}".replace("/", slash)
                    data.setdefault(context, {})[path] = what_ran(rng, statements, shape.arcs)
        file = folder / f".coverage.host-{number % 3}.pid{4000 + number}.X{name_rng.getrandbits(24):06x}x"
        (write_json if shape.json else write_sqlite)(file, data, shape.arcs)


def make_sources(count: int) -> list[tuple[str, list[int]]]:
    """Return made-up modules and their statements. Most are short, and some are very long."""
    rng = random.Random("sources")
    sources = []
    for number in range(count):
        length = 15 + int(rng.paretovariate(1.2) * 60) % 3000
        statements = [line for line in range(1, length + 1) if rng.random() < 0.6] or [1]
        sources.append((f"shop/area{number % 19}/part{number % 5}/module{number}.py", statements))
    return sources


def what_ran(rng: random.Random, statements: list[int], arcs: bool) -> list:
    """Return a few stretches of a file's statements, or the arcs between these."""
    lines: set[int] = set()
    for _ in range(rng.randint(1, 5)):
        start = rng.randrange(len(statements))
        lines.update(statements[start : start + rng.randint(4, 40)])
    ran = sorted(lines)
    if not arcs:
        return ran
    jumps = {(-1, ran[0]), (ran[-1], -1), *zip(ran, ran[1:])}
    jumps.update((line, rng.choice(ran)) for line in ran[::6])
    return sorted(jumps)


def write_json(file: Path, data: dict, arcs: bool) -> None:
    file.write_text(SENTENCE + json.dumps({"arcs" if arcs else "lines": data.get("", {})}))


def write_sqlite(file: Path, data: dict, arcs: bool) -> None:
    db = sqlite3.connect(file)
    db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
    db.execute("INSERT INTO coverage_schema VALUES (7)")
    db.executemany("INSERT INTO meta VALUES (?, ?)", [("version", "7.17.3"), ("has_arcs", str(int(arcs)))])
    file_ids: dict[str, int] = {}
    for context_id, (context, files) in enumerate(data.items(), 1):
        db.execute("INSERT INTO context VALUES (?, ?)", (context_id, context))
        for path, ran in files.items():
            if path not in file_ids:
                file_ids[path] = len(file_ids) + 1
                db.execute("INSERT INTO file VALUES (?, ?)", (file_ids[path], path))
            key = (file_ids[path], context_id)
            if arcs:
                db.executemany("INSERT INTO arc VALUES (?, ?, ?, ?)", [(*key, *arc) for arc in ran])
            else:
                db.execute("INSERT INTO line_bits VALUES (?, ?, ?)", (*key, to_numbits(ran)))
    db.commit()
    db.close()


def to_numbits(lines: list[int]) -> bytes:
    return sum(1 << line for line in set(lines)).to_bytes(max(lines) // 8 + 1, "little")


def rows_of(file: Path) -> set[tuple]:
    """Return the rows of a combined data file. They do not depend on its ids or the order of its rows."""
    db = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    rows: set[tuple] = {("file", path) for (path,) in db.execute("SELECT path FROM file")}
    rows.update(db.execute(f"SELECT path, context, fromno, tono FROM arc {NAMES}"))
    for path, context, bits in db.execute(f"SELECT path, context, numbits FROM line_bits {NAMES}"):
        rows.add((path, context, bits.rstrip(b"\0")))
    db.close()
    return rows


def rows_of_json(folder: Path) -> set[tuple]:
    """Return the rows that the result must have, for a folder of 4.x data files."""
    ran: dict[str, set[int]] = {}
    for file in folder.iterdir():
        for path, lines in json.loads(file.read_text()[len(SENTENCE) :])["lines"].items():
            ran.setdefault(path, set()).update(lines)
    rows: set[tuple] = {("file", path) for path in ran}
    rows.update((path, "", to_numbits(sorted(lines))) for path, lines in ran.items())
    return rows


def check(expected: Path, result: Path) -> None:
    """Exit with 1 if `result` has other rows than `expected`, which is a data file or a folder of 4.x data files."""
    same = (rows_of_json(expected) if expected.is_dir() else rows_of(expected)) == rows_of(result)
    sys.exit(0 if same else 1)


def apart(function, *args) -> bool:
    """Call `function` in a process of its own. Return whether it succeeded.

    A program's peak memory includes that of the process that starts it. So this process must stay small.
    """
    process = multiprocessing.get_context("spawn").Process(target=function, args=args)
    process.start()
    process.join()
    return process.exitcode == 0


def combine(program: str, inputs: Path, result: Path, work: Path) -> tuple[float, int]:
    """Combine a folder. Return the seconds and the bytes of memory that the program took."""
    result.unlink(missing_ok=True)
    command = [program, "combine", "--keep", "--quiet", "--rcfile=rc", f"--data-file={result}"]
    # The data files are named one by one, because they are not named after the result.
    files = sorted(str(file) for file in inputs.iterdir())
    start = time.perf_counter()
    process = subprocess.Popen([*command, *files], cwd=work, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    return took, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def floor(inputs: Path, result: Path, work: Path) -> tuple[float, float]:
    """Read the inputs and copy the result. Return the seconds until the copy is written, and until it is on disk."""
    (work / "copy").unlink(missing_ok=True)
    start = time.perf_counter()
    for file in inputs.iterdir():
        with file.open("rb") as opened:
            while opened.read(1 << 20):
                pass
    shutil.copyfile(result, work / "copy")
    written = time.perf_counter() - start
    with (work / "copy").open("rb") as copy:
        os.fsync(copy.fileno())
    return written, time.perf_counter() - start


def compare(name: str, shape: Shape, programs: dict[str, str], runs: int, top: Path) -> bool:
    """Measure one shape and print the results. Return whether the rows are the same."""
    inputs, work = top / "data", top / "work"
    inputs.mkdir()
    work.mkdir()
    (work / "rc").write_text("\n    ".join(["[paths]\nsource =", str(work), *OTHER_HOSTS]) + "\n")
    if not apart(make_data, shape, inputs, work):
        sys.exit(f"the data of {name} could not be made")
    # coverage.py 7 does not read what coverage.py 4 wrote.
    compared = {who: program for who, program in programs.items() if not (shape.json and who == "coverage.py")}
    results = {who: top / f"{who}.result" for who in compared}
    seconds: dict[str, list[float]] = {who: [] for who in compared}
    memory = dict.fromkeys(compared, 0)
    for _ in range(runs):
        for who, program in compared.items():
            took, peak = combine(program, inputs, results[who], work)
            seconds[who].append(took)
            memory[who] = max(memory[who], peak)
    same = apart(check, results.get("coverage.py", inputs), results["pulpcov"])

    size = sum(file.stat().st_size for file in inputs.iterdir()) / 1e6
    print(f"{name}: {shape.what}; {shape.data_files} files, {size:.0f} MB")
    median = {who: statistics.median(times) for who, times in seconds.items()}
    for who in compared:
        print(f"    {who:<12}{median[who]:8.3f} s {memory[who] / 2**20:8.0f} MiB")
    floors = [floor(inputs, results["pulpcov"], work) for _ in range(3)]
    for what, at_least in zip(("floor", "and synced"), map(statistics.median, zip(*floors))):
        print(f"    {what:<12}{at_least:8.3f} s; pulpcov takes {median['pulpcov'] / at_least:.1f} times that")
    verdict = "the same rows" if same else "THE ROWS DIFFER"
    if "coverage.py" in median:
        print(f"    pulpcov is {median['coverage.py'] / median['pulpcov']:.1f} times as fast; {verdict}", flush=True)
    else:
        print(f"    {verdict} as in the inputs; coverage.py 7 does not read these", flush=True)
    return same


def find_program(name: str, given: str | None, *others: Path) -> str:
    for candidate in [given] if given else [*map(str, others), name]:
        if found := shutil.which(candidate):
            return os.path.abspath(found)
    sys.exit(f"{given or name} is not there: say where with --{name}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog="shapes: " + "; ".join(f"{name} ({shape.what})" for name, shape in SHAPES.items()),
    )
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help="what to measure (all)")
    parser.add_argument("--coverage", metavar="PROGRAM", help="coverage.py's command (the one on PATH)")
    parser.add_argument("--pulpcov", metavar="PROGRAM", help="pulpcov (target/release/pulpcov, or the one on PATH)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many data files (%(default)s)")
    args = parser.parse_args()
    if unknown := set(args.shapes) - set(SHAPES):
        parser.error(f"no such shape: {', '.join(sorted(unknown))}")
    if args.runs < 1:
        parser.error("--runs must be 1 or more")
    programs = {
        "coverage.py": find_program("coverage", args.coverage),
        "pulpcov": find_program("pulpcov", args.pulpcov, TOP / "target/release/pulpcov"),
    }
    all_same = True
    for name in args.shapes or SHAPES:
        with tempfile.TemporaryDirectory(prefix="pulpcov-compare-") as folder:
            # Without symbolic links, because both programs resolve them in paths.
            top = Path(folder).resolve()
            all_same &= compare(name, SHAPES[name].scaled(args.scale), programs, args.runs, top)
    sys.exit(0 if all_same else 1)


if __name__ == "__main__":
    main()
