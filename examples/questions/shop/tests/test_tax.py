from shop import tax


def test_rate():
    assert tax.RATE == 20
