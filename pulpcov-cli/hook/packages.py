"""Print the paths of the named packages as a JSON list, without importing their code."""

import importlib.util
import json
import os
import sys


def places(package):
    top, *parts = package.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if not spec.submodule_search_locations:
        return [spec.origin] if spec.origin else []
    inside = [os.path.join(folder, *parts) for folder in spec.submodule_search_locations]
    return [path if os.path.isdir(path) else path + ".py" for path in inside]


found = [path for package in sys.argv[1:] for path in places(package)]
print(json.dumps([path for path in found if os.path.exists(path)]))
