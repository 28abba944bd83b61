"""Check the `rust-version` of a workspace. Standard input is the output of `cargo metadata`.

The compiler must be of that version or newer. No dependency may need a newer one.
"""

import json
import re
import subprocess
import sys


def version(text: str) -> tuple[int, ...]:
    numbers = [int(number) for number in re.findall(r"\d+", text)[:3]]
    return (*numbers, *[0] * (3 - len(numbers)))


metadata = json.load(sys.stdin)
members = [package for package in metadata["packages"] if package["id"] in metadata["workspace_members"]]
stated = {package["rust_version"] for package in members}
if len(stated) != 1 or None in stated:
    sys.exit(f"{sys.argv[1]}: its packages should state one rust-version, not {stated}")
ours = stated.pop()

compiler = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
if version(compiler) < version(ours):
    sys.exit(f"this is Rust {compiler}, and {sys.argv[1]} asks for {ours}")

newer = [
    f"{package['name']} {package['version']} asks for Rust {package['rust_version']}, and we state {ours}"
    for package in metadata["packages"]
    if package["rust_version"] and version(package["rust_version"]) > version(ours)
]
if newer:
    sys.exit("\n".join(newer))
print(f"{sys.argv[1]}: Rust {ours} will do for all {len(metadata['packages'])} packages; this is {compiler}")
