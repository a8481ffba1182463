"""How the demo looks: lines that stay, with a progress bar below them where there is a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from edge_aiops.cli.demo.api import Prediction
from edge_aiops.cli.demo.samples import Sample
from edge_aiops.cli.output import is_plain, printable

_NAME_WIDTH, _LABEL_WIDTH, _BAR_WIDTH = 44, 15, 10
_PLAIN_WIDTH = 120


class Show:
    """Prints the story."""

    def __init__(self) -> None:
        plain = is_plain()
        self._console = Console(
            highlight=False,
            no_color=plain,
            force_terminal=False if plain else None,
            width=_PLAIN_WIDTH if plain else None,
        )
        self._width = min(_NAME_WIDTH, max(self._console.width - 58, 12))

    def say(self, text: str, *, style: str = "") -> None:
        """A line."""
        self._console.print(Text(printable(text), style=style), soft_wrap=True)

    def chapter(self, number: int, title: str, note: str = "") -> None:
        """The heading of a part of the story."""
        self._console.print()
        self._console.print(Text.assemble((f"{number}  {title}", "bold cyan"), ("  " + note if note else "", "dim")))

    @contextmanager
    def progress(self, what: str, count: int) -> Iterator[Progress]:
        """A bar that goes away when everything is done; `advance(task_id=0)` moves it."""
        columns = (TextColumn("  {task.description}"), BarColumn(bar_width=30), MofNCompleteColumn())
        plain = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=plain) as progress:
            progress.add_task(what, total=count)
            yield progress

    def heading(self) -> None:
        """The heading of the table of predictions."""
        cells = ("file", "the model says", "confidence", "answer in")
        widths = (self._width + 2, _LABEL_WIDTH + 2, _BAR_WIDTH + 10, 9)
        self._console.print(Text("  " + "".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True)), "bold"))

    def prediction(self, sample: Sample, predicted: Prediction) -> None:
        """A row of the table of predictions."""
        right = predicted.label == sample.truth
        filled = round(predicted.confidence * _BAR_WIDTH)
        self._console.print(
            Text.assemble(
                ("  " + cut(sample.name, self._width).ljust(self._width + 2), ""),
                (predicted.label.ljust(_LABEL_WIDTH + 2), "green" if right else "red"),
                ("█" * filled, "green" if right else "red"),
                ("░" * (_BAR_WIDTH - filled), "dim"),
                (f" {100 * predicted.confidence:5.1f} %", ""),
                (f"  {predicted.took_ms:6.1f} ms", "dim"),
                ("" if right else f"  not {sample.truth}", "red"),
            ),
            soft_wrap=True,
        )

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Names and values."""
        width = max(len(name) for name, _ in facts)
        for name, value in facts:
            self._console.print(
                Text.assemble((f"  {name.ljust(width)}  ", "dim"), (printable(value), "bold")), soft_wrap=True
            )


def cut(name: str, width: int) -> str:
    """The end of a long file name."""
    return name if len(name) <= width else "…" + name[1 - width :]
