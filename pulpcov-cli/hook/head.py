"""Print after how many lines of a script an import can be added: `#!`, encoding, docstring, `__future__` imports."""

import ast
import sys

with open(sys.argv[1], "rb") as file:
    source = file.read()
end = 0
for number, line in enumerate(source.splitlines()[:2], 1):
    # The interpreter's line (`#!`) and the encoding.
    if line.startswith(b"#"):
        end = number
for position, node in enumerate(ast.parse(source).body):
    is_docstring = position == 0 and isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)
    if is_docstring or isinstance(node, ast.ImportFrom) and node.module == "__future__":
        end = max(end, node.end_lineno)
print(end)
