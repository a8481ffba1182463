"""How alerts speak: refusals that name what there is, values with their units, sentences."""

from __future__ import annotations

import reprlib
from collections.abc import Collection

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.nearest import nearest
from edge_aiops.observe.alerts.catalogue import Unit

_LISTED = 40
_LONG = 60
_SIDES = {">": "above", ">=": "at or above", "<": "below", "<=": "at or below", "==": "equal to", "!=": "other than"}


def one_of(field: str, value: object, known: Collection[str], *, noun: str) -> str:
    """`value`, if it is among `known`; else `InvalidInput` with the nearest of them, and all."""
    if isinstance(value, str) and value in known:
        return value
    article = "an" if noun[0] in "aeiou" else "a"
    raise InvalidInput.of(field, f"{shown(value)} is not {article} {noun}; {suggestion(value, known)}")


def suggestion(value: object, known: Collection[str]) -> str:
    """Which of `known` was meant, and what there is."""
    by_letters = {name.lower(): name for name in known}
    close = nearest(value.lower(), by_letters, likeness=0.5) if isinstance(value, str) else None
    meant = f"did you mean {by_letters[close]!r}? " if close else ""
    return f"{meant}There are: {', '.join(list(known)[:_LISTED]) or 'none'}"


def shown(value: object) -> str:
    """A value for a message, cut where it is long."""
    text = repr(value[:_LONG]) if isinstance(value, str) else reprlib.repr(value)
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."


def quantity(value: float, unit: Unit) -> str:
    """A value with its unit, as people write it."""
    if unit == "share":
        return f"{100 * value:.3g} %"
    if unit == "s":
        return str(Duration(round(value)))
    if unit == "ms" and value >= 10_000:
        return f"{value / 1000:.4g} s"
    suffix = {"ms": " ms", "perSecond": "/s"}.get(unit, "")
    return f"{value:,.0f}{suffix}" if value == round(value) and abs(value) < 1e15 else f"{value:.4g}{suffix}"


def compared(value: float | None, operator: str, threshold: float, unit: Unit) -> str:
    """Such as `812 ms, above 500 ms`."""
    said = "unknown" if value is None else quantity(value, unit)
    return f"{said}, {_SIDES[operator]} {quantity(threshold, unit)}"
