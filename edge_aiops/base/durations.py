"""Durations as people write them: `250ms`, `5m`, `24h`, `1h30m`."""

from __future__ import annotations

import re

from edge_aiops.base.errors import InvalidInput

_UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_BELOW_A_WEEK = {unit: length_ms for unit, length_ms in _UNITS_MS.items() if unit != "w"}
_LONGEST_S = 100 * 365 * 86_400
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
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
                f"{_shown(text)} is not a duration; write a number with a unit: 250ms, 30s, 5m, 24h, 7d, 1h30m",
            )
        seconds = sum(float(number) * _UNITS_MS[unit] for number, unit in _PART.findall(text)) / 1000
        if seconds > _LONGEST_S:
            raise InvalidInput.of(field, f"{_shown(text)} is longer than a hundred years")
        return cls(seconds)

    def __str__(self) -> str:
        milliseconds = round(self * 1000)
        if milliseconds and milliseconds % _UNITS_MS["w"] == 0:  # 2w, but 90d: nobody counts in weeks and days
            return f"{milliseconds // _UNITS_MS['w']}w"
        parts = []
        for unit, length_ms in _BELOW_A_WEEK.items():
            count, milliseconds = divmod(milliseconds, length_ms)
            if count:
                parts.append(f"{count}{unit}")
        return "".join(parts) or "0s"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
