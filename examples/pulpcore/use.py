"""Use Pulp through its REST API: `use.py STEP ...`."""

import os
import sys
import time

import requests

API = "http://%s/pulp/api/v3/" % os.environ["API"]
CONTENT = "http://%s/pulp/content/" % os.environ["CONTENT"]
UPSTREAM = "http://%s/" % os.environ["UPSTREAM"]
PATIENCE = 120

session = requests.Session()
session.auth = ("admin", "password")


def ask(method, path, **details):
    """One request. Paths that Pulp has answered with begin with a slash."""
    answer = session.request(method, requests.compat.urljoin(API, path), timeout=PATIENCE, **details)
    if not answer.ok:
        sys.exit("%s %s: %d %s" % (method, path, answer.status_code, answer.text[:1000]))
    return answer.json() if answer.content else None


def wait_for(what, condition):
    """What the condition answers as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while not (answer := condition()):
        if time.monotonic() > end:
            sys.exit("waited %d s for %s" % (PATIENCE, what))
        time.sleep(0.1)
    return answer


def wait_for_state(task, *states):
    def condition():
        found = ask("GET", task)
        if found["state"] in ("failed", "canceled", "completed") and found["state"] not in states:
            sys.exit("%s is %s, not %s: %s" % (found["name"], found["state"], states, found["error"]))
        return found["state"] in states and found

    return wait_for("%s to be %s" % (task, states), condition)


def do(method, path, **details):
    """A request that starts a task, and the task when it is done."""
    return wait_for_state(ask(method, path, **details)["task"], "completed")


# Steps


def services():
    """Wait until everything is there."""

    def ready():
        try:
            status = requests.get(API + "status/", timeout=PATIENCE).json()
        except requests.ConnectionError:
            return False
        return len(status["online_workers"]) == 2 and status["online_content_apps"]

    wait_for("Pulp", ready)


def copy():
    """Copy a repository, publish it, and get its files: at once, and when they are asked for."""
    for policy in ("immediate", "on_demand"):
        remote = ask("POST", "remotes/file/file/", json=dict(name=policy, url=UPSTREAM + "files/PULP_MANIFEST", policy=policy))
        repository = ask("POST", "repositories/file/file/", json=dict(name=policy))
        do("POST", repository["pulp_href"] + "sync/", json=dict(remote=remote["pulp_href"]))
        task = do("POST", "publications/file/file/", json=dict(repository=repository["pulp_href"]))
        publication = next(path for path in task["created_resources"] if "/publications/" in path)
        do("POST", "distributions/file/file/", json=dict(name=policy, base_path=policy, publication=publication))
        for name in ("PULP_MANIFEST", "pear.txt"):
            served = requests.get(CONTENT + policy + "/" + name, timeout=PATIENCE)
            original = requests.get(UPSTREAM + "files/" + name, timeout=PATIENCE)
            # Pulp writes the list of files in an order of its own.
            assert sorted(served.text.split()) == sorted(original.text.split()), (name, served.status_code, served.text)
        assert "plum.txt" in requests.get(CONTENT + policy + "/", timeout=PATIENCE).text


def upload():
    """Upload a file in two chunks, add it to a repository, and take it out again."""
    content = b"uploaded " * 1000
    repository = ask("POST", "repositories/file/file/", json=dict(name="uploads"))["pulp_href"]
    new = ask("POST", "uploads/", json=dict(size=len(content)))["pulp_href"]
    for start, end in ((0, 4000), (4000, len(content))):
        headers = {"Content-Range": "bytes %d-%d/%d" % (start, end - 1, len(content))}
        ask("PUT", new, files=dict(file=content[start:end]), headers=headers)
    added = do("POST", "content/file/files/", data=dict(upload=new, relative_path="new.txt", repository=repository))
    file = next(path for path in added["created_resources"] if "/content/" in path)
    assert ask("GET", file)["relative_path"] == "new.txt"
    do("POST", repository + "modify/", json=dict(remove_content_units=[file]))
    do("DELETE", repository)


def clean_up():
    """Have Pulp delete what is in no repository."""
    before = ask("GET", "content/file/files/")["count"]
    do("POST", "orphans/cleanup/", json=dict(orphan_protection_time=0))
    assert ask("GET", "content/file/files/")["count"] == before - 1


def cancel():
    """Cancel a task that would never end."""
    remote = ask("POST", "remotes/file/file/", json=dict(name="slow", url=UPSTREAM + "slow/PULP_MANIFEST"))
    repository = ask("POST", "repositories/file/file/", json=dict(name="slow"))
    task = ask("POST", repository["pulp_href"] + "sync/", json=dict(remote=remote["pulp_href"]))["task"]
    wait_for_state(task, "running")
    ask("PATCH", task, json=dict(state="canceled"))
    wait_for_state(task, "canceled")


def reclaim():
    """Have Pulp delete files that it could copy again."""
    repository = ask("GET", "repositories/file/file/?name=immediate")["results"][0]["pulp_href"]
    do("POST", "repositories/reclaim_space/", json=dict(repo_hrefs=[repository]))


def replicate():
    """Start a task that never ends, because another Pulp does not answer. Prints the worker that runs it."""
    details = dict(name="slow", base_url=UPSTREAM, api_root="/slow/", username="x", password="x")
    upstream = ask("POST", "upstream-pulps/", json=details)["pulp_href"]
    group = ask("POST", upstream + "replicate/")["task_group"]
    task = wait_for("the task", lambda: ask("GET", group)["tasks"])[0]["pulp_href"]
    wait_for_state(task, "running")
    # A worker is called PID@HOST.
    print(*(worker["name"].split("@")[0] for worker in ask("GET", "workers/")["results"] if worker["current_task"] == task))


def failed():
    """Wait until Pulp knows that the task of `replicate` is no more."""
    task = ask("GET", "tasks/?name__contains=replicate")["results"][0]["pulp_href"]
    assert "signal 9" in str(wait_for_state(task, "failed")["error"])


def profile():
    """A request that nothing else makes."""
    task = ask("GET", "tasks/?limit=1")["results"][0]["pulp_href"]
    ask("GET", task + "profile_artifacts/")


for step in sys.argv[1:]:
    globals()[step]()
