"""A worker process: runs the tasks of its command line, one after another."""

import signal
import sys

from pulpmini.tasks import Site, Task


class Worker:
    """Takes tasks until there are none, or until it is told to stop."""

    def __init__(self):
        self.site = Site()
        self.stopping = False

    def stop(self, signum, frame):
        """Finish the task at hand, and take no other."""
        self.stopping = True

    def work(self, lines):
        for line in lines:
            task = Task(*line.split())
            if self.stopping:
                task.cancel()
            print(task.run(self.site).state, line, task.error or task.result)


def main(lines):
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.stop)
    if not lines:
        print("nothing to do")
        return 0
    worker.work(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
