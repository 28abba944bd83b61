"""A shopping cart."""

from shop.tax import with_tax

LIMIT = 10


class Cart:
    """What a customer wants to buy."""

    def __init__(self):
        self.prices = []

    def add(self, price, count=1):
        """Add something, some times."""
        if count > LIMIT:
            raise ValueError(
                f"at most {LIMIT}"
            )
        self.prices += [price] * count

    def total(self, discount=0):
        """Return what all of it costs."""
        total = sum(with_tax(price) for price in self.prices)
        if discount:
            total -= total * discount // 100
        return total
