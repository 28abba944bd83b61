"""Taxes."""

RATE = 20


def with_tax(price):
    """Return the price with its tax."""
    if price < 0:
        raise ValueError("the price is negative")
    return price + price * RATE // 100


def without_tax(price):
    """Return the price before its tax."""
    return price * 100 // (100 + RATE)
