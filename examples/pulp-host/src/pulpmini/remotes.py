"""Where content is synced from."""


class Unavailable(Exception):
    """The remote did not answer this time."""


class Remote:
    """A remote that has some files, and that may fail a number of times before it answers."""

    def __init__(self, files, failures=0, retries=2):
        self.files = files
        self.failures = failures
        self.retries = retries

    def fetch(self, path):
        """Ask once."""
        if self.failures:
            self.failures -= 1
            raise Unavailable(path)
        return self.files[path]

    def download(self, path):
        """Ask until there is an answer, or until there were enough tries."""
        for attempt in range(self.retries + 1):
            try:
                return self.fetch(path)
            except Unavailable:
                if attempt == self.retries:
                    raise
            except KeyError:
                return None

    def manifest(self):
        """The paths it offers, without signatures."""
        return [path for path in sorted(self.files) if not path.endswith(".asc")]
