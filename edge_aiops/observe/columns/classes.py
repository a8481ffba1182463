"""Names and spellings that columns of outputs and of outcomes share."""

from __future__ import annotations

from typing import Any

LABEL, CONFIDENCE = "label", "confidence"

SUM_TOLERANCE = 1e-3
"""By how much the sum of probabilities may differ from one."""


def predicted_class(value: Any) -> str | None:
    """A class as the label that it is counted under: 7 and 7.0 as `7`, true as `true`."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value) if isinstance(value, str | int) else None
