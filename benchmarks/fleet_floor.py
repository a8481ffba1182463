"""The floor of ingest: aiohttp, and the bytes that came appended to a file, many with one fsync; nothing is checked.

python -m benchmarks.fleet_floor FILE PORT
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web


class Appender:
    """Appends what comes together with one fsync."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def append(self, content: bytes) -> None:
        """Return when it is on disk."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((content, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            await asyncio.to_thread(self._flush, b"".join(content for content, _ in together))
            for _, written in together:
                written.set_result(None)
        self._writing = None

    def _flush(self, content: bytes) -> None:
        os.write(self._file, content)
        os.fsync(self._file)


def application(file: Path) -> web.Application:
    """The bare handler."""
    appender = Appender(file)

    async def push(request: web.Request) -> web.Response:
        await appender.append(await request.read())
        return web.Response(body=b'{"cursors":{},"written":1}', content_type="application/json")

    async def alive(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/fleet/push", push)
    app.router.add_get("/livez", alive)
    return app


if __name__ == "__main__":
    web.run_app(application(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
