from stock.orders import Stock
from stock.prices import with_tax

from tests.measured import MeasuredTest


class TestBoth(MeasuredTest):
    def test_value(self):
        stock = Stock()
        stock.add("pear", 3)
        self.assertEqual(sum(with_tax(50) * count for count in stock.counts.values()), 180)
