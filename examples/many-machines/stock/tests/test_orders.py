from stock.orders import Stock

from tests.measured import MeasuredTest


class TestOrders(MeasuredTest):
    def test_add(self):
        stock = Stock()
        stock.add("pear", 2)
        self.assertFalse(stock.is_empty())

    def test_take(self):
        stock = Stock()
        stock.add("pear")
        stock.take("pear")
        self.assertTrue(stock.is_empty())

    def test_take_what_is_not_there(self):
        self.assertRaises(LookupError, Stock().take, "pear")
