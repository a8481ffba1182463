"""Text and tables as HTML, with whatever came from the files escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from edge_aiops.cli.output import printable

_NEXT_CELL = '</td><td class="right">'


def text(value: object) -> str:
    """`value` as text of a page: no markup, no control characters."""
    return escape(printable(str(value)))


def row(heading: str, cells: Iterable[str]) -> str:
    """A row of a table of numbers; heading and cells are markup."""
    return f'<tr><th scope="row">{heading}</th><td class="right">{_NEXT_CELL.join(cells)}</td></tr>'


def table(name: str, columns: Sequence[str], rows: Iterable[str], *, caption: str) -> str:
    """A table of the class `name`; `columns` are its headings, as cells of markup."""
    return (
        f'<table class="{name}" aria-label="{text(caption)}"><thead><tr>{"".join(columns)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def column(heading: str, name: str = "") -> str:
    """A heading of a column, in the class `name`."""
    return f'<th scope="col" class="{name or "left"}">{text(heading)}</th>'


def legend(side: str) -> str:
    """The colour of a side, `reference` or `current`, with its name."""
    return f'<span class="legend of-{side}">{side}</span>'
