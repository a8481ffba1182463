"""How commands print: tables for people, plain where nobody watches or NO_COLOR is set, JSON for programs."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO

_COLOURS = {
    **dict.fromkeys(("OK", "loaded", "ready", "production", "yes", "right", "winner"), "green"),
    **dict.fromkeys(("WARN", "blocked", "staging", "warning", "pending"), "yellow"),
    **dict.fromkeys(("FAIL", "failed", "wrong", "drifted", "critical", "firing"), "bold red"),
    **dict.fromkeys(("archived", "resolved", "off"), "dim"),
}
_LEAST_WRAPPED = 20
"""Columns; where there are fewer, the terminal wraps as it likes."""
_LONG = 8
_SHOWN = 3


def is_plain(stream: TextIO | None = None) -> bool:
    """Whether to print without colours and movement."""
    return not (stream or sys.stdout).isatty() or bool(os.environ.get("NO_COLOR"))


def printable(text: str) -> str:
    """`text` without control characters: what others wrote must not steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def print_json(value: object) -> None:
    """One JSON document."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value)).decode())


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    whole: Sequence[str] = (),
    optional: Sequence[str] = (),
    sentence: bool = False,
) -> None:
    """A table with a heading; cells that are None stay empty.

    Args:
        whole: Columns that are never broken, however narrow the terminal is.
        optional: Columns that a terminal without room for all does not show, the first of them first.
        sentence: Whether the last column is prose, and stands below its row where there is no room beside it.
    """
    cells = [[printable("" if cell is None else str(cell)).replace("\n", " ") for cell in row] for row in rows]
    if sys.stdout.isatty():
        from edge_aiops.cli.terminal_table import TerminalTable

        styles = {} if is_plain() else _COLOURS
        TerminalTable(columns, cells, styles, whole=whole, optional=optional, sentence=sentence).print()
    else:
        print("\n".join(aligned([columns, *cells])))


def print_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Names and values, one a line; those that are None are left out. On a terminal long values are filled."""
    lines = [(name, printable(str(value))) for name, value in facts if value is not None]
    if sys.stdout.isatty():
        indent = max((len(name) for name, _ in lines), default=0) + 2
        room = shutil.get_terminal_size().columns - indent
        print("\n".join(f"{name:<{indent}}{_filled(value, room, indent)}".rstrip() for name, value in lines))
    else:
        print("\n".join(aligned(lines)))


def _filled(text: str, width: int, indent: int) -> str:
    if width < _LEAST_WRAPPED:
        return text
    filled = [
        textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""] for line in text.split("\n")
    ]
    return ("\n" + " " * indent).join(part for lines in filled for part in lines)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines in which the columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def shortened(value: Any) -> str:
    """A JSON value on one line, long lists cut."""
    import json

    def cut(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: cut(item) for name, item in part.items()}
        if isinstance(part, list):
            kept = [cut(item) for item in part[: _SHOWN if len(part) > _LONG else None]]
            return [*kept, f"... {len(part)} values"] if len(part) > _LONG else kept
        return float(f"{part:.6g}") if isinstance(part, float) else part

    text = json.dumps(cut(value), ensure_ascii=False)
    return text if len(text) <= 200 else text[:197] + "..."


def percent(value: object) -> str | None:
    """A confidence as people read it; None where there is none."""
    if isinstance(value, list):
        return shortened([percent(item) for item in value])
    return f"{100 * value:.1f} %" if isinstance(value, int | float) else None


def local_time(at_ms: int) -> str:
    """Milliseconds since the epoch as local time."""
    return datetime.fromtimestamp(at_ms / 1000).strftime("%Y-%m-%d %H:%M:%S")


def size(size_bytes: float) -> str:
    """A number of bytes as people write it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} TiB"
