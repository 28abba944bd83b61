from stock.prices import discount, with_tax

from tests.measured import MeasuredTest


class TestPrices(MeasuredTest):
    def test_tax(self):
        self.assertEqual(with_tax(100), 120)

    def test_discount(self):
        self.assertEqual(discount(200, 25), 150)
