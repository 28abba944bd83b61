"""Tasks, their states, and the locks that they hold while they run."""

from contextlib import contextmanager

from pulpmini.models import Repository, ValidationError
from pulpmini.remotes import Remote, Unavailable
from pulpmini.storage import Storage

FINAL = ("completed", "failed", "canceled")
REGISTRY = {}


def task(function):
    """Register a function as a task."""
    REGISTRY[function.__name__] = function
    return function


class Site:
    """What the tasks of one process work on."""

    def __init__(self):
        self.storage = Storage()
        self.repositories = {}
        self.published = {}
        self.locks = set()

    def repository(self, name):
        return self.repositories.setdefault(name, Repository(name))

    @contextmanager
    def locked(self, *resources):
        """Hold the resources, or fail if another task does."""
        busy = self.locks.intersection(resources)
        if busy:
            raise ValidationError(f"{', '.join(sorted(busy))}: locked")
        self.locks.update(resources)
        try:
            yield
        finally:
            self.locks.difference_update(resources)


@task
def sync(site, name, failures="0", mirror="no"):
    """Bring what a remote has into a repository."""
    files = {"a.rpm": b"a", "b.rpm": b"bb", "b.rpm.asc": b"signature"}
    remote = Remote(files, failures=int(failures))
    repository = site.repository(name)
    units = []
    for path in remote.manifest():
        data = remote.download(path)
        if data is None:
            continue
        units.append(site.storage.put(path, data))
    gone = repository.latest.content.difference(units) if mirror == "yes" else ()
    return repository.new_version(units, gone).number


@task
def upload(site, name, path, text):
    """Add one file to a repository, in place of the one that has its path."""
    unit = site.storage.put(path, text.encode())
    repository = site.repository(name)
    old = [known for known in repository.latest.content if known.path == path]
    return repository.new_version([unit], [known for known in old if known != unit]).number


@task
def publish(site, name):
    """Make the latest version available."""
    version = site.repository(name).latest
    if version.number == 0:
        raise ValidationError(f"{name}: nothing to publish")
    site.published[name] = version
    return version.number


@task
def orphan_cleanup(site):
    """Count the artifacts that nothing holds."""
    return len(site.storage.orphans(site.repositories.values()))


class Task:
    """One run of a task."""

    def __init__(self, name, *arguments):
        self.name = name
        self.arguments = arguments
        self.state = "waiting"
        self.result = self.error = None

    def cancel(self):
        """Cancel it, unless it is over."""
        if self.state in FINAL:
            return False
        self.state = "canceled"
        return True

    def run(self, site):
        """Run it, and keep its result or its error."""
        if self.state == "canceled":
            return self
        self.state = "running"
        try:
            with site.locked(*self.arguments[:1]):
                self.result = REGISTRY[self.name](site, *self.arguments)
        except (ValidationError, Unavailable) as error:
            self.state, self.error = "failed", str(error)
        except KeyError:
            self.state, self.error = "failed", f"{self.name}: no such task"
        else:
            self.state = "completed"
        return self
