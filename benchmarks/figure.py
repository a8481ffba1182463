"""A figure: one row of a table of contests."""

from __future__ import annotations

from dataclasses import dataclass

_PER_MS = {"ms": 1.0, "us": 1e3, "ns": 1e6}
_BYTES = {"KB": 1e3, "MB": 1e6}


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Args:
        key: what cases call it.
        what: what the row says.
        unit: ms, us or ns: the time of the work; KB or MB: what the work answers, in bytes.
        limit: what ours must not exceed, in `unit`; None informs only.
        cores: how many cores the contenders are kept to.
    """

    key: str
    what: str
    unit: str
    limit: float | None = None
    cores: int = 1

    @property
    def is_size(self) -> bool:
        """Whether the figure is a number of bytes, not a time."""
        return self.unit in _BYTES

    def reading(self, ms: float, answer: float | None) -> float:
        """What was measured, in the figure's unit."""
        return (answer or 0) / _BYTES[self.unit] if self.is_size else ms * _PER_MS[self.unit]
