"""The server that Pulp copies files from. Whoever asks for something below /slow/ waits for ever."""

import hashlib
import http.server
import sys
import threading

FILES = {"%s.txt" % fruit: fruit.encode() * 1000 for fruit in ("apple", "pear", "plum")}
FILES["PULP_MANIFEST"] = "".join(
    "%s,%s,%d\n" % (name, hashlib.sha256(content).hexdigest(), len(content)) for name, content in FILES.items()
).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/slow/"):
            threading.Event().wait()
        content = FILES.get(self.path.removeprefix("/files/"))
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")


host, port = sys.argv[1].split(":")
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
