#!/usr/bin/env python3
"""How much faster than `lcov -a` does pulpcov merge tracefiles, and is the result the same?

    cargo build --release
    python3 pulpcov-cli/benches/merge_with_lcov.py                 # 30 tracefiles of about 10 MB
    python3 pulpcov-cli/benches/merge_with_lcov.py --lcov-files 3  # lcov merges only some of them

The tracefiles are made up: 900 C++ files, each with lines, functions and branches, and other counts in each tracefile. lcov takes
about three seconds for each, so it merges only the first ones, and its time is that of these. What both made of these is compared.

The script also prints the time to read every byte once. It needs Python 3.9 or later with its standard library, and lcov.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from compare_reports_with_coverage import run
from compare_with_coverage import TOP, find_program

SOURCES = 900


def shapes() -> list[tuple[str, list[int], list[tuple[int, str]], list[tuple[int, int]]]]:
    """Return for each source its name, lines, functions, and the numbers of branches."""
    rng = random.Random("sources")
    sources = []
    for number in range(SOURCES):
        lines = sorted(rng.sample(range(1, 2600), rng.randrange(200, 900)))
        functions = [(line, f"_ZN4app{number}8function{at}Ev") for at, line in enumerate(lines[::25])]
        branches = [(line, rng.randrange(2, 5)) for line in lines[::7]]
        sources.append((f"/build/src/module{number % 30}/file{number}.cpp", lines, functions, branches))
    return sources


def write_tracefile(path: Path, sources, seed: int) -> None:
    rng = random.Random(seed)
    with path.open("w") as out:
        for name, lines, functions, branches in sources:
            out.write(f"TN:\nSF:{name}\n")
            out.writelines(f"FN:{line},{function}\n" for line, function in functions)
            out.writelines(f"FNDA:{rng.randrange(3)},{function}\n" for _, function in functions)
            for line, count in branches:
                is_reached = rng.random() < 0.7
                for branch in range(count):
                    out.write(f"BRDA:{line},0,{branch},{rng.randrange(40) if is_reached else '-'}\n")
            out.writelines(f"DA:{line},{rng.randrange(200) if rng.random() < 0.8 else 0}\n" for line in lines)
            out.write("end_of_record\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=30, help="how many tracefiles (%(default)s)")
    parser.add_argument("--lcov-files", type=int, default=3, help="how many of them lcov merges (%(default)s)")
    parser.add_argument("--pulpcov", metavar="PROGRAM", help="pulpcov (target/release/pulpcov, or the one on PATH)")
    args = parser.parse_args()
    pulpcov = find_program("pulpcov", args.pulpcov, TOP / "target/release/pulpcov")
    with tempfile.TemporaryDirectory(prefix="pulpcov-merge-") as name:
        top = Path(name)
        sources = shapes()
        files = [top / f"{number}.info" for number in range(args.files)]
        for number, file in enumerate(files):
            write_tracefile(file, sources, number)
        size = sum(file.stat().st_size for file in files)
        output = top / "output"
        read = min(run(["cat", *map(str, files)], Path("/dev/null"))[0] for _ in range(3))
        merge = [pulpcov, "merge", "-o", str(top / "ours.info")]
        found = [run([*merge, *map(str, files)], output) for _ in range(5)]
        seconds, peak = min(seconds for seconds, _ in found), max(memory for _, memory in found)
        print(f"{len(files)} tracefiles, {size / 1e6:.0f} MB: read once {read:.3f} s, merged {seconds:.3f} s, {peak >> 20} MiB")
        some = files[: args.lcov_files]
        lcov = ["lcov", "-q", "--rc", "lcov_branch_coverage=1", "-o", str(top / "lcov.info")]
        theirs, _ = run([*lcov, *(part for file in some for part in ("-a", str(file)))], output)
        ours = min(run([*merge, *map(str, some)], output)[0] for _ in range(3))
        print(f"{len(some)} of them: lcov {theirs:.2f} s, pulpcov {ours:.3f} s, {theirs / ours:.0f} times as fast")
        texts = [
            subprocess.run([pulpcov, "merge", str(top / made)], capture_output=True, check=True).stdout
            for made in ("ours.info", "lcov.info")
        ]
        if texts[0] != texts[1]:
            sys.exit("the results differ")
        print("the results are the same")


if __name__ == "__main__":
    main()
