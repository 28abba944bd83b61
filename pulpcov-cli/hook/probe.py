"""Print what `pulpcov hook` needs to know about this Python, as JSON."""

import json
import site
import sys
import sysconfig


def site_folder():
    """Return the folder for installed packages, or the first folder where Python reads `.pth` files if it differs."""
    folders = [folder for folder in site.getsitepackages() if folder in sys.path]
    preferred = sysconfig.get_path("purelib")
    return preferred if preferred in folders or not folders else folders[0]


def coverage_version():
    try:
        import coverage
    except ImportError:
        return None
    return coverage.__version__


print(
    json.dumps(
        {
            "executable": sys.executable,
            "version": "%d.%d.%d" % sys.version_info[:3],
            "site": site_folder(),
            "coverage": coverage_version(),
        }
    )
)
