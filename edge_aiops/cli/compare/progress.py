"""A bar on standard error for a comparison that takes longer than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edge_aiops.cli.output import is_plain
from edge_aiops.stats.files.datafile import DataFile

QUIET_S = 1.0
"""A comparison shorter than this shows no bar."""


@contextmanager
def progress(reference: DataFile, current: DataFile) -> Iterator[Callable[[int], None]]:
    """Gives what wants to be told of bytes that were read; shows them where somebody watches."""
    if is_plain(sys.stderr):
        yield lambda _: None
        return
    bar = _Bar(sum(file.size_bytes * passes for file, passes in ((reference, 2), (current, 1))))
    for file in (reference, current):
        bar.total += file.size_bytes if file.heading() is None else 0
    try:
        yield bar.advance
    finally:
        bar.close()


class _Bar:
    """Appears once `QUIET_S` have passed, and goes without a trace."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._done = 0
        self._shown_from = time.monotonic() + QUIET_S
        self._bar: Any = None
        self._task: Any = None

    def advance(self, read_bytes: int) -> None:
        """So many more bytes were read."""
        self._done += read_bytes
        if self._bar is None and time.monotonic() >= self._shown_from:
            self._show()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def close(self) -> None:
        """Take it away."""
        if self._bar is not None:
            self._bar.stop()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("comparing"), BarColumn(), DownloadColumn(binary_units=True), TimeRemainingColumn()
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=self.total)
        self._bar.start()
