import pytest

from shop.cart import Cart


def test_add():
    cart = Cart()
    cart.add(10, 2)
    assert cart.total() == 24


def test_add_one():
    cart = Cart()
    cart.add(10)
    assert cart.total() == 12


def test_discount():
    cart = Cart()
    cart.add(100)
    assert cart.total(discount=50) == 60


def test_limit():
    with pytest.raises(ValueError):
        Cart().add(1, 11)


def test_negative():
    with pytest.raises(ValueError):
        cart = Cart()
        cart.add(-1)
        cart.total()
