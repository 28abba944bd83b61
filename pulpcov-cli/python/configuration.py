"""Print coverage.py's configuration as its plugins leave it, and the statements of files that they trace, as JSON.

The arguments are a JSON object: `rcfile`, `data_file`, `options`, `traced`. Only coverage.py's public interface is used.
"""

import json
import sys

import coverage

asked = json.loads(sys.argv[1])
rcfile = asked["rcfile"]
measured = coverage.Coverage(
    data_file=asked["data_file"] if asked["traced"] else None,
    config_file=True if rcfile is None else rcfile or False,
)
# Plugins are loaded with the data.
measured.load() if asked["traced"] else measured.get_data()
options = {}
for name in asked["options"]:
    try:
        options[name] = measured.get_option(name)
    except coverage.CoverageException:
        # This version of coverage.py does not have it.
        pass
traced = {}
for path in asked["traced"]:
    try:
        _, statements, excluded, _, _ = measured.analysis2(path)
    except coverage.CoverageException:
        # The report says itself what is wrong with the file.
        continue
    traced[path] = {"statements": list(statements), "excluded": list(excluded)}
json.dump({"options": options, "traced": traced}, sys.stdout)
