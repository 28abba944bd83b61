"""Which functions ran, by the data files.

    rows.py wait FOLDER [--pid PID] FILE:FUNCTION    until a data file in FOLDER, of that process, says that the function ended
    rows.py check DATA [--not] FILE:FUNCTION ...     that DATA has lines of each of the functions; or of none
"""

import argparse
import ast
import sys
import time
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import CoverageException

PATIENCE = 60


def body(path, function):
    """The first and the last line of a function's body."""
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function:
            statements = node.body[1:] if ast.get_docstring(node) else node.body
            return statements[0].lineno, statements[-1].end_lineno
    sys.exit("no function %s in %s" % (function, path))


def lines(data_file, wanted):
    """The lines of a function that ran, and its last line."""
    name, function = wanted.split(":")
    data = CoverageData(data_file)
    data.read()
    for path in data.measured_files():
        if path.endswith("/" + name):
            first, last = body(path, function)
            return {line for line in data.lines(path) if first <= line <= last}, last
    return set(), None


def ended(data_file, wanted):
    try:
        ran, last = lines(data_file, wanted)
    except CoverageException:
        # It was replaced at this moment.
        return False
    return last in ran


def wait(args):
    pattern = ".coverage.*.pid%s.*" % (args.pid or "*")
    end = time.monotonic() + PATIENCE
    while not any(ended(file, args.function[0]) for file in Path(args.data).rglob(pattern)):
        if time.monotonic() > end:
            sys.exit("no data file in %s says that %s ended" % (args.data, args.function[0]))
        time.sleep(0.1)


def check(args):
    wrong = False
    for wanted in args.function:
        ran, _ = lines(args.data, wanted)
        print("%3d lines ran of %s" % (len(ran), wanted))
        wrong |= bool(ran) == args.none
    sys.exit(wrong)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("command", choices=["wait", "check"])
parser.add_argument("data")
parser.add_argument("--pid")
parser.add_argument("--not", dest="none", action="store_true")
parser.add_argument("function", nargs="+")
args = parser.parse_args()
globals()[args.command](args)
