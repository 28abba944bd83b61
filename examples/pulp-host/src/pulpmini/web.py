"""A web process: answers the requests of its command line, one after another."""

import sys

from pulpmini.api import Api


def main(requests):
    """Answer requests such as `POST /tasks/sync rpms`, and give the number of those that failed."""
    api = Api()
    failed = 0
    for request in requests:
        status, body = api.handle(*request.split())
        print(status, body)
        if status >= 500:
            failed += 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
