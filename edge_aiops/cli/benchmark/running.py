"""Starts a benchmark on a server, shows how far it is, and waits for its end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from edge_aiops.base.errors import Unavailable
from edge_aiops.cli.client import Client
from edge_aiops.cli.output import is_plain

_ASK_AGAIN_S = 0.2


def run(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The benchmark at its end; it is cancelled if the command is interrupted. Raises `Unavailable` if it failed."""
    benchmark: dict[str, Any] = client.send("POST", "/benchmark/compare", json.dumps(asked).encode())
    path = f"/benchmark/history/{benchmark['id']}"
    try:
        with _bar(benchmark["progress"]["rounds"]) as bar:
            while benchmark["status"] == "running":
                time.sleep(_ASK_AGAIN_S)
                benchmark = client.get(path)
                bar(benchmark["progress"]["done"])
    except KeyboardInterrupt:
        client.send("POST", f"/benchmark/{benchmark['id']}/cancel", b"")
        raise
    if benchmark["status"] != "done":
        raise Unavailable(f"benchmark {benchmark['id']} was {benchmark['verdict']}")
    return benchmark


@contextmanager
def _bar(rounds: int) -> Iterator[Any]:
    """Gives what wants to be told of the rounds done; shows them where somebody watches."""
    if is_plain(sys.stderr):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("rounds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=rounds)
        yield lambda done: progress.update(task, completed=done)
