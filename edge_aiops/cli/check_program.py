"""Checks of what is installed, and of the machine apart from its data."""

from __future__ import annotations

import json
import platform
import socket
import sys
import time
from collections.abc import Iterator

from edge_aiops.base.settings import Settings
from edge_aiops.cli.checkup import Check, Finding

_OLDEST_SQLITE = (3, 37, 0)
"""The first with STRICT tables."""
_WAL_RESET_MENDED = (3, 51, 3)
_SANE_YEARS = range(2025, 2100)
_ANSWER_TIMEOUT_S = 3.0


def python(settings: Settings) -> Iterator[Finding]:
    """The interpreter."""
    # One that is too old was refused when edge_aiops was installed.
    yield Finding("OK", "Python", f"{platform.python_version()} at {sys.executable}")


def sqlite(settings: Settings) -> Iterator[Finding]:
    """The SQLite that Python was built with."""
    import sqlite3

    version, number = sqlite3.sqlite_version, sqlite3.sqlite_version_info
    if number < _OLDEST_SQLITE:
        yield Finding("FAIL", "SQLite", version, "use a Python that is built with SQLite 3.37 or newer")
    elif number < _WAL_RESET_MENDED:
        # sqlite.org/wal.html, "the WAL-reset bug": it takes two connections that checkpoint at the same instant.
        yield Finding("OK", "SQLite", f"{version}; its WAL-reset bug cannot occur: one connection writes each file")
    else:
        yield Finding("OK", "SQLite", version)


def extension(settings: Settings) -> Iterator[Finding]:
    """Our own compiled part."""
    try:
        import edge_aiops._stats  # noqa: F401  # whether it can be imported is the question
    except ImportError as error:
        yield Finding("FAIL", "extension", str(error), "install a wheel for this machine, or run `make setup`")
    else:
        yield Finding("OK", "extension", "edge_aiops._stats loads")


def plugins(settings: Settings) -> Iterator[Finding]:
    """Plugins and the frameworks that they need."""
    from edge_aiops.plugin.loader import Plugins
    from edge_aiops.plugin.registry import Backends

    loaded = Plugins()
    backends = Backends(loaded)
    for plugin in loaded.all():
        if plugin.status == "failed":
            yield Finding("WARN", "plugins", f"{plugin.name} failed: {plugin.error}", f"update {plugin.distribution}")
    usable = [name for name in sorted(backends.specs) if not (missing := backends.missing(name))]
    for name in backends.specs:
        if missing := backends.missing(name):
            yield Finding("WARN", "plugins", missing.partition("; try: ")[0], missing.partition("; try: ")[2])
    if usable:
        yield Finding("OK", "plugins", f"models of {', '.join(usable)} can be served")
    else:
        yield Finding("WARN", "plugins", "no backend, so no model can be served", "pip install edge-aiops-onnx")


def clock(settings: Settings) -> Iterator[Finding]:
    """Whether the wall clock can be right."""
    now = time.gmtime()
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", now)
    if now.tm_year not in _SANE_YEARS:
        yield Finding("FAIL", "clock", f"it says {said}", "set the clock, and have it kept by NTP")
        return
    latest = max((file.stat().st_mtime for file in settings.data_folder.glob("*/*.db*")), default=0.0)
    if latest > time.time() + 60:
        yield Finding(
            "WARN", "clock", f"it says {said}, and the data are from later than that", "set the clock; keep it by NTP"
        )
    else:
        yield Finding("OK", "clock", said)


def port(settings: Settings) -> Iterator[Finding]:
    """Whether a server answers at the address, or could listen there."""
    from edge_aiops.base.errors import SettingsError
    from edge_aiops.http.server import bound_socket

    http = settings.http
    address = f"{http.host}:{http.port}"
    try:
        bound_socket(http).close()
    except SettingsError as error:
        if _answers(http.host, http.port):
            yield Finding("OK", "port", f"an edge_aiops server answers on {address}")
        else:
            yield Finding("FAIL", "port", error.message.partition("; ")[0], "stop what uses it, or set http.port")
    else:
        yield Finding("OK", "port", f"{address} is free")


def _answers(host: str, port: int) -> bool:
    from http.client import HTTPConnection, HTTPException

    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = HTTPConnection(reached, port, timeout=_ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/livez")
        return bool(json.loads(connection.getresponse().read()) == {"status": "alive"})
    except (OSError, HTTPException, ValueError, socket.gaierror):
        return False
    finally:
        connection.close()


CHECKS: tuple[Check, ...] = (python, sqlite, extension, plugins, clock, port)
