"""Attaches coverage.py's data files to a subunit stream. Needs nothing but Python.

In a shell, after a worker has ended:

    python attach.py --route="$(hostname)" .coverage.* >>stream

In a worker that writes a stream to its standard output, when coverage.py has saved:

    attach.attach(data_file, test_id=test.id())

A file is split into packets of at most 1 MiB. A packet is written as a whole: threads wait for each other, and on Linux, so do
processes that attach to the same pipe or file.
"""

import argparse
import contextlib
import os
import struct
import sys
import threading
import zlib

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

CHUNK = 1 << 20

# The flags of a packet: version 2, and what is in it.
VERSION_2, TEST_ID, ROUTE, FILE, MIME_TYPE, EOF = 0x2000, 0x0800, 0x0400, 0x0040, 0x0020, 0x0010

threads = threading.Lock()


def attach(path, stream=None, test_id=None, route=None, name=None):
    """Writes the packets of a file to a binary stream, which is standard output if none is given."""
    stream = stream or sys.stdout.buffer
    with open(path, "rb") as file:
        content = file.read()
    for packet in packets(name or os.path.basename(path), content, test_id, route):
        with threads, alone(stream):
            stream.write(packet)
            stream.flush()


def packets(name, content, test_id=None, route=None):
    """Yields the packets of a file."""
    for start in range(0, max(len(content), 1), CHUNK):
        is_last = start + CHUNK >= len(content)
        yield packet(name, content[start : start + CHUNK], is_last, test_id, route)


def packet(name, content, is_last, test_id=None, route=None):
    """Returns a packet with a part of a file."""
    flags = VERSION_2 | FILE | MIME_TYPE | (EOF if is_last else 0)
    body = b""
    if test_id is not None:
        flags |= TEST_ID
        body += text(test_id)
    body += text("application/octet-stream") + text(name) + number(len(content)) + content
    if route is not None:
        flags |= ROUTE
        body += text(route)
    # The length counts everything: the signature, the flags, itself, the body and the checksum.
    for octets in (1, 2, 3):
        length = number(3 + octets + len(body) + 4)
        if len(length) == octets:
            break
    head = b"\xb3" + struct.pack(">H", flags) + length
    return head + body + struct.pack(">I", zlib.crc32(head + body))


def text(value):
    """Returns a text with its length."""
    value = value.encode()
    return number(len(value)) + value


def number(value):
    """Returns a number in as few octets as possible. The two highest bits say how many follow the first."""
    for more, limit in enumerate((1 << 6, 1 << 14, 1 << 22, 1 << 30)):
        if value < limit:
            return (value | more << (8 * more + 6)).to_bytes(more + 1, "big")
    raise ValueError(f"{value} is too large for a packet")


@contextlib.contextmanager
def alone(stream):
    """Keeps other processes from attaching to the same stream. Without Linux's /proc, nothing keeps them."""
    try:
        # Locks belong to what is open, and processes that were forked share that. So the stream is opened again.
        again = os.open(f"/proc/self/fd/{stream.fileno()}", os.O_WRONLY | os.O_NONBLOCK)
    except (OSError, ValueError):
        yield
        return
    try:
        fcntl.flock(again, fcntl.LOCK_EX)
        yield
    finally:
        os.close(again)


def main():
    parser = argparse.ArgumentParser(description="Write data files as packets of a subunit stream to standard output.")
    parser.add_argument("--test-id", help="the test that the files are attached to")
    parser.add_argument("--route", help="the route of the packets, such as the name of the machine")
    parser.add_argument("files", metavar="FILE", nargs="+")
    options = parser.parse_args()
    for path in options.files:
        attach(path, test_id=options.test_id, route=options.route)


if __name__ == "__main__":
    main()
