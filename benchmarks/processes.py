"""Servers as processes of their own, pinned to a core, with their memory."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SERVER_CORE, LOAD_CORE = 0, 1
_START_TIMEOUT_S = 60


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    @property
    def memory_bytes(self) -> int:
        """Its resident memory."""
        return _resident_bytes(self.process.pid)

    @property
    def tree_bytes(self) -> int:
        """Its resident memory and that of its worker processes."""
        return self.memory_bytes + sum(map(_resident_bytes, _children(self.process.pid)))


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [one for child in map(int, listed) for one in (child, *_children(child))]


def _resident_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(
    arguments: list[str],
    *,
    environment: dict[str, str] | None = None,
    port: int,
    ready: str,
    python: str = sys.executable,
    pin: bool = True,
) -> Iterator[Server]:
    """Start `python arguments` on the server's core; it is up when GET `ready` answers. Its children end with it.

    `pin`: without, it may use every core.
    """
    command = [python, *arguments]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            pinned(SERVER_CORE, command) if pin else command,
            cwd=ROOT,
            env=installed() | (environment or {}),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            _await(process, f"http://127.0.0.1:{port}{ready}", errors)
            yield Server(process, port)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def installed() -> dict[str, str]:
    """The environment, in which modules are compiled once, as installers and the first start do."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def pinned(core: int, command: list[str]) -> list[str]:
    """The command, kept to one core where there are two and the tool for it."""
    return ["taskset", "-c", str(core), *command] if (os.cpu_count() or 1) > 1 else command


def load(
    port: int,
    body: Path,
    *,
    connections: int,
    seconds: float,
    path: str = "/predict",
    headers: Sequence[str] = (),
) -> dict[str, Any]:
    """What the load generator, on its own core, measured."""
    arguments = ["-m", "benchmarks.load", "--port", str(port), "--path", path, "--body-file", str(body)]
    arguments += ["--connections", str(connections), "--seconds", str(seconds)]
    arguments += [f"--header={header}" for header in headers]
    done = subprocess.run(
        pinned(LOAD_CORE, [sys.executable, *arguments]), cwd=ROOT, capture_output=True, text=True, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    if measured["errors"]:
        raise RuntimeError(f"{measured['errors']} of {measured['requests']} requests to port {port} failed")
    return measured


def flood(port: int, body: Path, *, rate: float, seconds: float, deadline_ms: int) -> dict[str, Any]:
    """What came of a steady stream of requests from the other core."""
    arguments = ["-m", "benchmarks.flood", "--port", str(port), "--body-file", str(body)]
    arguments += ["--rate", str(rate), "--seconds", str(seconds), "--deadline-ms", str(deadline_ms)]
    done = subprocess.run(
        pinned(LOAD_CORE, [sys.executable, *arguments]), cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def post(port: int, path: str, content: object, *, method: str = "POST") -> Any:
    """The decoded answer to JSON, or to text as CSV."""
    is_text = isinstance(content, str)
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        data=(content if isinstance(content, str) else json.dumps(content)).encode(),
        headers={"Content-Type": "text/csv" if is_text else "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def _await(process: subprocess.Popen[bytes], url: str, errors: Any) -> None:
    give_up_at = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < give_up_at:
        if process.poll() is not None:
            errors.seek(0)
            raise RuntimeError(f"the server ended: {errors.read().decode(errors='replace')[-2000:]}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.01)
    raise TimeoutError(f"{url} did not answer within {_START_TIMEOUT_S} s")
