"""Artifacts, each kept once under its digest."""

import hashlib

from pulpmini.models import Content, ValidationError


class Storage:
    """Keeps bytes by their sha256."""

    def __init__(self):
        self._blobs = {}
        self._used = {}

    def put(self, path, data, expected=None):
        """Keep the bytes of a unit of content, and check its digest if one is expected."""
        digest = hashlib.sha256(data).hexdigest()
        if expected and digest != expected:
            raise ValidationError(f"{path}: expected {expected[:8]}, got {digest[:8]}")
        if digest not in self._blobs:
            self._blobs[digest] = data
        self._used[digest] = self._used.get(digest, 0) + 1
        return Content(path, digest, len(data))

    def get(self, content):
        """The bytes of a unit of content."""
        try:
            return self._blobs[content.sha256]
        except KeyError:
            raise ValidationError(f"{content.path}: its artifact is gone") from None

    def ranges(self, content, start, stop=None):
        """Part of the bytes, for a client that resumes a download."""
        data = self.get(content)
        stop = len(data) if stop is None else min(stop, len(data))
        if start >= stop:
            raise ValidationError(f"{content.path}: no bytes from {start} to {stop}")
        return data[start:stop]

    def release(self, content):
        """Forget one use; the bytes go with the last one."""
        self._used[content.sha256] -= 1
        if not self._used[content.sha256]:
            del self._used[content.sha256], self._blobs[content.sha256]
            return True
        return False

    def orphans(self, repositories):
        """Digests that no version of any repository holds."""
        held = {
            unit.sha256 for repository in repositories for version in repository.versions for unit in version.content
        }
        return sorted(set(self._blobs) - held)
