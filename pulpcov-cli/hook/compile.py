"""Compile a module, so that a process that cannot write beside it need not, and print where the result is."""

import os
import py_compile
import sys

# Processes of all users are to read it, whatever the umask.
os.umask(0o022)
print(py_compile.compile(sys.argv[1], doraise=True))
