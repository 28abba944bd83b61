"""Adds a route to each packet of a stream, in front of the route that it has, as multiplexers do."""

import sys

from subunit import ByteStreamToStreamResult
from subunit.v2 import StreamResultToBytes


class Routed:
    def __init__(self, route):
        self.route = route
        self.output = StreamResultToBytes(sys.stdout.buffer)

    def status(self, route_code=None, **event):
        route_code = self.route if route_code is None else f"{self.route}/{route_code}"
        self.output.status(route_code=route_code, **event)


ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name="stdout").run(Routed(sys.argv[1]))
