"""Sends requests at a steady rate whether or not they are answered, and counts what comes back, by status.

As many connections are used as there are requests under way, up to a limit: what would need more is not sent and
counted as `unsent`. Run as a process of its own, on a core of its own:

    python -m benchmarks.flood --port 9926 --body-file body.json --rate 2000 --seconds 4 --deadline-ms 200

prints a JSON object: seconds, unsent, statuses (counts by status), p50Ms and p99Ms of the 200s.
"""

from __future__ import annotations

import argparse
import json
import select
import statistics
import time
from collections import Counter
from pathlib import Path

from benchmarks.load import Connection, post

_MOST_CONNECTIONS = 1_500


class Flood:
    """A stream of the same request, and what became of it."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._poll = select.epoll()
        self._busy: dict[int, Connection] = {}
        self._idle: list[Connection] = []
        self.statuses: Counter[str] = Counter()
        self.unsent = 0
        self.latencies_ns: list[int] = []

    def send_one(self) -> None:
        """Send the request once more."""
        if not self._idle and len(self._busy) >= _MOST_CONNECTIONS:
            self.unsent += 1
            return
        connection = self._idle.pop() if self._idle else Connection(self._port)
        descriptor = connection.socket.fileno()
        self._busy[descriptor] = connection
        self._poll.register(descriptor, select.EPOLLIN)
        connection.send(self._request)

    def take(self, wait_s: float) -> None:
        """Take in the answers that come within `wait_s`."""
        for descriptor, _ in self._poll.poll(wait_s):
            connection = self._busy[descriptor]
            status = connection.status()
            if status is None:
                continue
            self.statuses[status] += 1
            if status == "200":
                self.latencies_ns.append(time.perf_counter_ns() - connection.sent_ns)
            self._poll.unregister(descriptor)
            self._idle.append(self._busy.pop(descriptor))


def flood(port: int, request: bytes, *, rate: float, seconds: float) -> dict[str, object]:
    """Send `rate` requests a second for `seconds`."""
    stream = Flood(port, request)
    started = time.perf_counter()
    sent = 0
    while (passed := time.perf_counter() - started) < seconds:
        while sent < passed * rate:
            stream.send_one()
            sent += 1
        stream.take(max(0.0, (sent + 1) / rate - passed))
    percentiles = statistics.quantiles(stream.latencies_ns, n=100) if len(stream.latencies_ns) > 1 else [0.0] * 99
    return {
        "seconds": passed,
        "unsent": stream.unsent,
        "statuses": dict(stream.statuses),
        "p50Ms": percentiles[49] / 1e6,
        "p99Ms": percentiles[98] / 1e6,
    }


def main() -> None:
    """Read the arguments, send, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--body-file", type=Path, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--deadline-ms", type=int, default=1_000)
    given = parser.parse_args()
    request = post("/predict", given.body_file.read_bytes(), [f"X-Deadline-Ms: {given.deadline_ms}"])
    print(json.dumps(flood(given.port, request, rate=given.rate, seconds=given.seconds)))


if __name__ == "__main__":
    main()
