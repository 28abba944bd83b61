"""The HTTP API, without the HTTP."""

import re

from pulpmini import __version__, settings
from pulpmini.models import ValidationError
from pulpmini.tasks import REGISTRY, Site, Task

ROUTES = []


def route(method, pattern):
    """Let a function answer the requests that match."""

    def register(function):
        ROUTES.append((method, re.compile(pattern + r"/?(\?offset=(?P<offset>\d+))?"), function))
        return function

    return register


class Api:
    """Answers requests for one site."""

    def __init__(self):
        self.site = Site()
        self.settings = settings.load()

    def handle(self, method, url, *arguments):
        """The status and the body of an answer."""
        allowed = set()
        for known, pattern, function in ROUTES:
            match = pattern.fullmatch(url)
            if not match:
                continue
            if known == method:
                return self.answer(function, match, arguments)
            allowed.add(known)
        if allowed:
            return 405, f"allowed: {', '.join(sorted(allowed))}"
        return 404, "not found"

    def answer(self, function, match, arguments):
        """Call a view, and turn its errors into answers."""
        named = {name: value for name, value in match.groupdict().items() if value is not None}
        try:
            return function(self, *arguments, **named)
        except ValidationError as error:
            return 400, str(error)
        except Exception as error:
            return 500, repr(error)

    def page(self, items, offset):
        """Some of the items, and where the next ones start."""
        start = int(offset)
        stop = start + self.settings["PAGE_SIZE"]
        return {"results": items[start:stop], "next": stop if stop < len(items) else None}


@route("GET", "/status")
def status(api):
    return 200, {"version": __version__, "domains": api.settings["DOMAIN_ENABLED"]}


@route("GET", "/repositories")
def repositories(api, offset="0"):
    return 200, api.page(sorted(api.site.repositories), offset)


@route("POST", "/tasks/(?P<name>[a-z_]+)")
def run_task(api, *arguments, name):
    if name not in REGISTRY:
        return 404, "no such task"
    done = Task(name, *arguments).run(api.site)
    return (202, done.result) if done.state == "completed" else (409, done.error)


@route("GET", "/content/(?P<name>[^/?]+)/(?P<path>[^?]+?)")
def download(api, name, path, offset="0"):
    version = api.site.published.get(name)
    if version is None:
        return 404, "not published"
    for unit in version.content:
        if unit.path == path:
            if offset != "0":
                return 206, api.site.storage.ranges(unit, int(offset))
            return 200, api.site.storage.get(unit)
    return 404, "no such content"


@route("DELETE", "/repositories/(?P<name>[^/?]+)")
def delete(api, name):
    repository = api.site.repositories.pop(name, None)
    if repository is None:
        return 404, "no such repository"
    freed = sum(api.site.storage.release(unit) for unit in repository.latest.content)
    return 202, {"freed": freed}
