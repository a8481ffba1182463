"""Durations as people write them: `250ms`, `5m`, `24h`, `1h30m`."""

from __future__ import annotations

import re

from edge_aiops.base.errors import InvalidInput

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


class Duration(float):
    """A span of time in seconds that prints the way people write it."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, field: str = "duration") -> Duration:
        """The duration that `text` says; `InvalidInput` that blames `field` otherwise."""
        if not _WHOLE.fullmatch(text):
            raise InvalidInput.of(
                field,
                f"{text!r} is not a duration; write a number with a unit: 250ms, 30s, 5m, 24h, 7d, 1h30m",
            )
        return cls(sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text)))

    def __str__(self) -> str:
        milliseconds = round(self * 1000)
        if milliseconds == 0:
            return "0s"
        parts = []
        for unit in ("w", "d", "h", "m", "s", "ms"):
            count, milliseconds = divmod(milliseconds, round(_UNITS_S[unit] * 1000))
            if count:
                parts.append(f"{count}{unit}")
        return "".join(parts)

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"
