"""How deep JSON values nest."""

from __future__ import annotations

from typing import Any


def deeper_than(value: Any, limit: int) -> bool:
    """Whether lists and objects stand inside each other in more than `limit` levels; found level by level, so that
    depth costs no stack."""
    level = [value]
    for _ in range(limit + 1):
        level = [item for holder in level for item in _items(holder)]
        if not level:
            return False
    return True


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
