"""What is ordered, and whether it is there."""


class Stock:
    def __init__(self):
        self.counts = {}

    def add(self, name, count=1):
        if count < 1:
            raise ValueError(f"{count} of {name} cannot be added")
        self.counts[name] = self.counts.get(name, 0) + count

    def take(self, name):
        if not self.counts.get(name):
            raise LookupError(f"there is no {name}")
        self.counts[name] -= 1

    def is_empty(self):
        return not any(self.counts.values())
