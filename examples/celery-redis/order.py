"""Order something of the workers."""

from tasks import cancel, reserve

orders = [reserve.delay("apples", 3), reserve.delay("pears", 250), cancel.delay("plums")]
for order in orders:
    print(order.get(timeout=30))
