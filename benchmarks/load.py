"""A load generator: keeps a number of connections busy, one request at a time on each, and measures.

It speaks just enough HTTP/1.1 to cost little: the request is made once, an answer is complete when its
Content-Length has come. Run as a process of its own, on a core of its own:

    python -m benchmarks.load --port 9926 --path /predict --body-file body.json --connections 64 --seconds 4

prints a JSON object: requests, errors, seconds, p50Ms, p99Ms.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

_HEADER_END = b"\r\n\r\n"


class Connection:
    """One connection, with the answer that it is waiting for."""

    __slots__ = ("buffer", "sent_ns", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer = b""
        self.sent_ns = 0

    def send(self, request: bytes) -> None:
        """Send the next request; small enough for the socket's buffer, or sent in pieces."""
        self.sent_ns = time.perf_counter_ns()
        sent = self.socket.send(request)
        while sent < len(request):
            select.select([], [self.socket], [])
            sent += self.socket.send(request[sent:])

    def status(self) -> str | None:
        """Take in what came: None while the answer is incomplete, else its status."""
        received = self.socket.recv(262_144)
        if not received:
            raise ConnectionError("the server closed the connection")
        self.buffer = self.buffer + received if self.buffer else received
        end = self.buffer.find(_HEADER_END)
        if end < 0:
            return None
        start = self.buffer.lower().index(b"content-length:", 0, end) + 15
        length = int(self.buffer[start : self.buffer.index(b"\r\n", start)])
        if len(self.buffer) < end + 4 + length:
            return None
        status = self.buffer[9:12].decode("ascii")
        self.buffer = b""
        return status


def load(port: int, request: bytes, *, connections: int, seconds: float) -> dict[str, float]:
    """Keep `connections` busy for `seconds`; counts and latencies in milliseconds."""
    poll = select.epoll()
    busy = {}
    for _ in range(connections):
        connection = Connection(port)
        busy[connection.socket.fileno()] = connection
        poll.register(connection.socket.fileno(), select.EPOLLIN)
        connection.send(request)
    latencies: list[int] = []
    errors = 0
    started = time.perf_counter_ns()
    stop_at = started + int(seconds * 1e9)
    while (now := time.perf_counter_ns()) < stop_at:
        for descriptor, _ in poll.poll(0.1):
            connection = busy[descriptor]
            status = connection.status()
            if status is None:
                continue
            latencies.append(time.perf_counter_ns() - connection.sent_ns)
            errors += status[0] != "2"
            connection.send(request)
    for connection in busy.values():
        connection.socket.close()
    percentiles = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return {
        "requests": len(latencies),
        "errors": errors,
        "seconds": (now - started) / 1e9,
        "p50Ms": percentiles[49] / 1e6,
        "p99Ms": percentiles[98] / 1e6,
    }


def post(path: str, body: bytes, headers: Sequence[str] = ()) -> bytes:
    """The bytes of a POST; `headers`: further ones, as they are written."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def main() -> None:
    """Read the arguments, load, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/predict")
    parser.add_argument("--body-file", type=Path, required=True)
    parser.add_argument("--header", action="append", default=[], help='such as "Name: value"')
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4)
    given = parser.parse_args()
    request = post(given.path, given.body_file.read_bytes(), given.header)
    print(json.dumps(load(given.port, request, connections=given.connections, seconds=given.seconds)))


if __name__ == "__main__":
    main()
