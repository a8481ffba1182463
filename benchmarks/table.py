"""One row a figure: ours, what it is held against in the same run, the ratio, the target."""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One figure. `met` is None where the row informs and has no target."""

    what: str
    ours: str
    against: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


def show(rows: list[Row]) -> None:
    """Print the rows."""
    table = Table("what", "ours", "floor or limit", "ratio", "target", "met", title="edge_aiops benchmarks")
    for row in rows:
        verdict = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[row.met]
        table.add_row(row.what, row.ours, row.against, row.ratio, row.target, verdict)
    Console(width=150).print(table)
