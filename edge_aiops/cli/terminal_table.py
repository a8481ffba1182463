"""A table on a terminal: fitted to its width, so that nothing that one needs is cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_GAP = 2
_NARROWEST_SENTENCE = 40
"""Columns below which a sentence is better read on lines of its own."""


class TerminalTable:
    """Rows of text. `styles` is how cells of certain words look; the rest is as in `print_table`."""

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        styles: Mapping[str, str],
        *,
        whole: Sequence[str],
        optional: Sequence[str],
        sentence: bool,
    ) -> None:
        self._columns, self._rows, self._styles = columns, rows, styles
        self._whole, self._optional, self._sentence = whole, optional, sentence
        self._heading_style = "bold" if styles else ""
        self._widths = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]

    def print(self) -> None:
        """Print it as wide as the terminal is."""
        console = Console(highlight=False, no_color=not self._styles)
        last = len(self._columns) - 1
        if not self._sentence:
            self._print_side_by_side(console, self._fitting(console.width, range(last + 1)))
        elif self._width(range(last)) + _GAP + min(self._widths[last], _NARROWEST_SENTENCE) <= console.width:
            self._print_side_by_side(console, range(last + 1))
        else:
            self._print_below_each_other(console, self._fitting(console.width, range(last)))

    def _fitting(self, width: int, shown: Sequence[int]) -> Sequence[int]:
        for name in self._optional:
            if self._width(shown) <= width:
                break
            shown = [number for number in shown if self._columns[number] != name]
        return shown

    def _width(self, shown: Sequence[int]) -> int:
        return sum(self._widths[number] for number in shown) + _GAP * (len(shown) - 1)

    def _print_side_by_side(self, console: Console, shown: Sequence[int]) -> None:
        console.print(self._table(shown, self._rows))

    def _print_below_each_other(self, console: Console, shown: Sequence[int]) -> None:
        console.print(self._table(shown, []))
        for row in self._rows:
            console.print(self._table(shown, [row], heading=False))
            console.print(Padding(Text(row[-1]), (0, 0, 0, _GAP)))

    def _table(self, shown: Sequence[int], rows: Sequence[Sequence[str]], *, heading: bool = True) -> Table:
        table = Table(
            box=None, show_header=heading, header_style=self._heading_style, pad_edge=False, padding=(0, _GAP, 0, 0)
        )
        for number in shown:
            name, width = self._columns[number], self._widths[number]
            whole = name in self._whole
            table.add_column(name, no_wrap=whole, overflow="fold", min_width=width if whole or self._sentence and number < len(self._columns)-1 else None)
        for row in rows:
            table.add_row(*(Text(row[number], style=self._styles.get(row[number], "")) for number in shown))
        return table
