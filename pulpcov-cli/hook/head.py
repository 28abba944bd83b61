"""Print how many lines of a script come before its first ordinary statement: comments on top, docstring, `__future__`."""

import ast
import sys

with open(sys.argv[1], "rb") as file:
    source = file.read()
end = 0
for number, line in enumerate(source.splitlines()[:2], 1):
    # The interpreter to run, the encoding.
    if line.startswith(b"#"):
        end = number
for position, node in enumerate(ast.parse(source).body):
    is_docstring = position == 0 and isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)
    if is_docstring or isinstance(node, ast.ImportFrom) and node.module == "__future__":
        end = max(end, node.end_lineno)
print(end)
