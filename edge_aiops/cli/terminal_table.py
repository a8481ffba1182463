"""A table on a terminal: fitted to its width, so that nothing that one needs is cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_GAP = 2
_NARROWEST_SENTENCE = 60
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
        self._widths = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]

    def print(self) -> None:
        """Print it as wide as the terminal is."""
        console = Console(highlight=False, no_color=not self._styles)
        last = len(self._columns) - 1
        if not (self._sentence and self._rows):
            console.print(self._table(self._fitting(console.width, range(last + 1)), self._rows))
        elif self._width(range(last)) + _GAP + min(self._widths[last], _NARROWEST_SENTENCE) <= console.width:
            console.print(self._table(range(last + 1), self._rows))
        else:
            self._print_sentences_below(console, self._fitting(console.width, range(last)))

    def _fitting(self, width: int, shown: Sequence[int]) -> Sequence[int]:
        for name in self._optional:
            if self._width(shown) <= width:
                break
            shown = [number for number in shown if self._columns[number] != name]
        return shown

    def _width(self, shown: Sequence[int]) -> int:
        return sum(self._widths[number] for number in shown) + _GAP * (len(shown) - 1)

    def _print_sentences_below(self, console: Console, shown: Sequence[int]) -> None:
        for number, row in enumerate(self._rows):
            console.print(self._table(shown, [row], heading=number == 0, fixed=True))
            if row[-1]:
                console.print(Padding(Text(row[-1]), (0, 0, 0, _GAP)))

    def _table(
        self, shown: Sequence[int], rows: Sequence[Sequence[str]], *, heading: bool = True, fixed: bool = False
    ) -> Table:
        """Some columns and rows; `fixed` gives columns the widths that they have in the table as a whole."""
        style = "bold" if self._styles else ""
        table = Table(box=None, show_header=heading, header_style=style, pad_edge=False, padding=(0, _GAP, 0, 0))
        for number in shown:
            name, whole = self._columns[number], self._columns[number] in self._whole
            least = self._widths[number] if whole or fixed else None
            table.add_column(name, no_wrap=whole, overflow="fold", min_width=least)
        for row in rows:
            table.add_row(*(Text(row[number], style=self._styles.get(row[number], "")) for number in shown))
        return table
