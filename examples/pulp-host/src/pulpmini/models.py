"""What the database holds."""

from dataclasses import dataclass, field


class ValidationError(Exception):
    """A request that cannot be met."""


@dataclass(frozen=True)
class Content:
    """One unit of content."""

    path: str
    sha256: str
    size: int

    def __post_init__(self):
        if self.path.startswith("/"):
            raise ValidationError(f"{self.path}: not a relative path")


@dataclass
class RepositoryVersion:
    """An immutable set of content."""

    number: int
    content: frozenset = frozenset()

    def added(self, previous):
        return self.content - previous.content

    def removed(self, previous):
        return previous.content - self.content


@dataclass
class Repository:
    """A name, and the versions that were made under it."""

    name: str
    retain: int | None = None
    versions: list = field(default_factory=lambda: [RepositoryVersion(0)])

    @property
    def latest(self):
        return self.versions[-1]

    def new_version(self, add=(), remove=()):
        """Make a version, unless nothing changes."""
        content = self.latest.content.union(add).difference(remove)
        if content == self.latest.content:
            return self.latest
        self.check_paths(content)
        self.versions.append(RepositoryVersion(self.latest.number + 1, content))
        if self.retain is not None:
            del self.versions[: -self.retain]
        return self.latest

    @staticmethod
    def check_paths(content):
        """No two units of content may have one path."""
        seen = set()
        for unit in content:
            if unit.path in seen:
                raise ValidationError(f"{unit.path}: more than once")
            seen.add(unit.path)
