"""From the texts of CSV to numbers, flags and labels, by what a column has been so far."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum
from typing import Any

import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.baselines.dataset.reading import Block
from edge_aiops.observe.columns.classes import predicted_class
from edge_aiops.observe.columns.columns import Numbers

Cells = list[Any] | Numbers
"""A column: values that JSON has, None where there is none; or numbers, NaN where there is none."""

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

    def typed(self, block: Block) -> dict[str, Cells]:
        """The columns of a block; those of numbers in CSV as arrays, NaN where there is none.

        Raises `InvalidInput` that names the first value which does not fit.
        """
        if block.untyped:
            return {name: self._typed(name, texts, block) for name, texts in block.columns.items()}
        return {
            name: list(map(_label, cells)) if name in self._categorical else cells
            for name, cells in block.columns.items()
        }

    def _typed(self, name: str, texts: list[str], block: Block) -> Cells:
        if name in self._categorical:
            return [_label(text) if text else None for text in texts]
        kind = self._kinds.get(name) or self._learnt(name, texts, block)
        if kind is None or kind is _Kind.LABEL:
            return [text or None for text in texts]
        if kind is _Kind.NUMBER and (numbers := _all_numbers(texts)) is not None:
            return numbers
        read: Callable[[str], Any] = _number if kind is _Kind.NUMBER else _flag
        found = [None if text in BLANK else read(text) for text in texts]
        if None in found:
            for row, (text, value) in enumerate(zip(texts, found, strict=True)):
                if value is None and text not in BLANK:
                    raise _misfit(block.place(row), name, text, kind)
        return np.array(found, np.float64) if kind is _Kind.NUMBER else found

    def _learnt(self, name: str, texts: list[str], block: Block) -> _Kind | None:
        given = [text for text in texts if text not in BLANK]
        if not given:
            return None
        numbers = sum(_number(text) is not None for text in given)
        if numbers == len(given):
            kind = _Kind.NUMBER
        elif all(_flag(text) is not None for text in given):
            kind = _Kind.FLAG
        elif 2 * numbers > len(given):
            row = next(row for row, text in enumerate(texts) if text not in BLANK and _number(text) is None)
            raise _misfit(block.place(row), name, texts[row], _Kind.NUMBER)
        else:
            kind = _Kind.LABEL
        self._kinds[name] = kind
        return kind


def _all_numbers(texts: list[str]) -> Numbers | None:
    """The numbers, where every text is one."""
    try:
        return None if "_" in "".join(texts) else np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _flag(text: str) -> bool | None:
    return _FLAGS.get(text.strip().lower())


def _label(cell: Any) -> Any:
    label = None if cell is None else predicted_class(cell)
    return cell if label is None else label


def _misfit(place: str, name: str, text: str, kind: _Kind) -> InvalidInput:
    shown = text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}..."
    return InvalidInput(
        f"{place} of the dataset: {shown!r} in column {name!r} is {kind.value}, unlike most values of the column; "
        f"mend it, or send categorical={name} to count every value as a label, or ignore={name} to leave it out"
    )
