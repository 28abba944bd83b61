"""Compile a module, so that a process that cannot write beside it need not, and print where the result is."""

import py_compile
import sys

print(py_compile.compile(sys.argv[1], doraise=True))
