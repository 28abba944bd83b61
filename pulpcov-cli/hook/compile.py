"""Compile a module and print the path of the result, because not every process may write it."""

import os
import py_compile
import sys

# Processes of all users must be able to read it, whatever the umask.
os.umask(0o022)
print(py_compile.compile(sys.argv[1], doraise=True))
