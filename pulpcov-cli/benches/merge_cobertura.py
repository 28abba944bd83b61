#!/usr/bin/env python3
"""How much faster than pycobertura does pulpcov read a large report in the format of Cobertura, and does it find the same?

    cargo build --release
    python3 -m venv venv && venv/bin/pip install pycobertura
    venv/bin/python pulpcov-cli/benches/merge_cobertura.py        # 12,000 classes, about 125 MB

The report is made up. pycobertura reads it and makes the figures of its own text report, which looks at each line of each class. pulpcov
merges it into a tracefile. Both have to find the same lines that did not run.

The script needs Python 3.9 or later, with pycobertura.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from compare_reports_with_coverage import run
from compare_with_coverage import TOP, find_program

LINES_OF_CLASS = 242

READ = """
import sys
from pycobertura import Cobertura
from pycobertura.reporters import TextReporter

summary = TextReporter(Cobertura(sys.argv[1])).get_summary_lines()
print(summary["Stmts"][-1], summary["Miss"][-1])
"""


def write_report(path: Path, classes: int) -> None:
    rng = random.Random("report")
    with path.open("w") as out:
        out.write('<?xml version="1.0" ?>\n<coverage line-rate="0.8" branch-rate="0" version="1" timestamp="1">\n')
        out.write("\t<sources>\n\t\t<source>/build/app</source>\n\t</sources>\n\t<packages>\n")
        for number in range(classes):
            if number % 100 == 0:
                out.write(f'\t\t<package name="part{number // 100}" line-rate="0.8" branch-rate="0">\n\t\t\t<classes>\n')
            name = f"part{number // 100}/file{number}.py"
            out.write(f'\t\t\t\t<class name="file{number}.py" filename="{name}" line-rate="0.8" branch-rate="0">\n')
            out.write("\t\t\t\t\t<methods/>\n\t\t\t\t\t<lines>\n")
            line = 0
            for _ in range(LINES_OF_CLASS):
                line += rng.randrange(1, 4)
                hits = rng.randrange(9)
                branch = ' branch="true" condition-coverage="50% (1/2)"' if rng.random() < 0.15 else ""
                out.write(f'\t\t\t\t\t\t<line number="{line}" hits="{hits}"{branch}/>\n')
            out.write("\t\t\t\t\t</lines>\n\t\t\t\t</class>\n")
            if number % 100 == 99 or number == classes - 1:
                out.write("\t\t\t</classes>\n\t\t</package>\n")
        out.write("\t</packages>\n</coverage>\n")


def found_by_pulpcov(tracefile: Path) -> tuple[int, int]:
    """Return the numbers of lines and of those that did not run, or not completely, as pycobertura counts them."""
    lines = misses = 0
    partial: set[str] = set()
    with tracefile.open() as records:
        for record in records:
            if record.startswith("BRDA:"):
                line, _, _, taken = record[5:].split(",")
                if taken.strip() in ("0", "-"):
                    partial.add(line)
            elif record.startswith("DA:"):
                line, hits = record[3:].split(",")
                lines += 1
                misses += int(hits) == 0 or line in partial
            elif record.startswith("end_of_record"):
                partial.clear()
    return lines, misses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--classes", type=int, default=12_000, help="how many classes (%(default)s)")
    parser.add_argument("--pulpcov", metavar="PROGRAM", help="pulpcov (target/release/pulpcov, or the one on PATH)")
    args = parser.parse_args()
    pulpcov = find_program("pulpcov", args.pulpcov, TOP / "target/release/pulpcov")
    with tempfile.TemporaryDirectory(prefix="pulpcov-merge-") as name:
        top = Path(name)
        report, tracefile, output = top / "coverage.xml", top / "ours.info", top / "output"
        write_report(report, args.classes)
        read = min(run(["cat", str(report)], Path("/dev/null"))[0] for _ in range(3))
        found = [run([pulpcov, "merge", str(report), "-o", str(tracefile)], output) for _ in range(5)]
        seconds, peak = min(seconds for seconds, _ in found), max(memory for _, memory in found)
        size = report.stat().st_size
        print(f"{args.classes} classes, {size / 1e6:.0f} MB: read once {read:.3f} s, merged {seconds:.3f} s, {peak >> 20} MiB")
        theirs, memory = run([sys.executable, "-c", READ, str(report)], output)
        print(f"pycobertura {theirs:.2f} s, {memory >> 20} MiB: pulpcov is {theirs / seconds:.0f} times as fast")
        expected = tuple(map(int, output.read_text().split()))
        if found_by_pulpcov(tracefile) != expected:
            sys.exit(f"the results differ: {found_by_pulpcov(tracefile)} and {expected}")
        print("the results are the same")


if __name__ == "__main__":
    main()
