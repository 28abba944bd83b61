"""Prices in cents."""

TAX = 0.2


def with_tax(price):
    return round(price * (1 + TAX))


def discount(price, percent):
    if not 0 <= percent <= 100:
        raise ValueError(f"{percent} is not a discount")
    return round(price * (100 - percent) / 100)
