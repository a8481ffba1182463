"""From the texts of CSV to numbers, flags and labels, by what a column has been so far."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum
from typing import Any

from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.baselines.dataset.reading import Block
from edge_aiops.observe.columns.classes import predicted_class

BLANK = frozenset(("", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "None"))
"""Texts that mean a missing value in columns of numbers and flags."""

_MOST_QUOTED = 40
_FLAGS = {"true": True, "false": False}


class _Kind(Enum):
    NUMBER = "no number"
    FLAG = "neither true nor false"
    LABEL = "no text"


class CellTypes:
    """Learns what columns are, and turns their texts into it. `categorical`: columns of labels, whatever they hold."""

    def __init__(self, categorical: Collection[str]) -> None:
        self._categorical = categorical
        self._kinds: dict[str, _Kind] = {}

    def typed(self, block: Block) -> dict[str, list[Any]]:
        """The columns of a block. Raises `InvalidInput` that names the first value which does not fit."""
        found = {name: self._typed(name, cells, block) for name, cells in block.columns.items() if block.untyped}
        typed = found or block.columns
        for name in self._categorical:
            if name in typed:
                typed = {**typed, name: [None if cell is None else _label(cell) for cell in typed[name]]}
        return typed

    def _typed(self, name: str, texts: list[str | None], block: Block) -> list[Any]:
        if name in self._categorical:
            return texts
        kind = self._kinds.get(name) or self._learnt(name, texts, block)
        if kind is None or kind is _Kind.LABEL:
            return texts
        if kind is _Kind.NUMBER:
            try:
                return list(map(float, texts))  # type: ignore[arg-type]  # None is refused, and read below
            except (TypeError, ValueError):
                pass
        read: Callable[[str], Any] = _number if kind is _Kind.NUMBER else _flag
        found: list[Any] = [None if text is None or text in BLANK else read(text) for text in texts]
        if None in found:
            for row, (text, value) in enumerate(zip(texts, found, strict=True)):
                if value is None and text is not None and text not in BLANK:
                    raise _misfit(block.place(row), name, text, kind)
        return found

    def _learnt(self, name: str, texts: list[str | None], block: Block) -> _Kind | None:
        given = [text for text in texts if text is not None and text not in BLANK]
        if not given:
            return None
        numbers = sum(_number(text) is not None for text in given)
        if numbers == len(given):
            kind = _Kind.NUMBER
        elif all(_flag(text) is not None for text in given):
            kind = _Kind.FLAG
        elif 2 * numbers > len(given):
            row = next(row for row, text in enumerate(texts) if text and text not in BLANK and _number(text) is None)
            raise _misfit(block.place(row), name, texts[row] or "", _Kind.NUMBER)
        else:
            kind = _Kind.LABEL
        self._kinds[name] = kind
        return kind


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _flag(text: str) -> bool | None:
    return _FLAGS.get(text.strip().lower())


def _label(cell: Any) -> Any:
    label = predicted_class(cell)
    return cell if label is None else label


def _misfit(place: str, name: str, text: str, kind: _Kind) -> InvalidInput:
    shown = text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}..."
    return InvalidInput(
        f"{place} of the dataset: {shown!r} in column {name!r} is {kind.value}, unlike most values of the column; "
        f"mend it, or send categorical={name} to count every value as a label, or ignore={name} to leave it out"
    )
