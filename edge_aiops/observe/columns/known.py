"""Names under which something of a baseline may be found."""

from __future__ import annotations


def with_parents(name: str) -> list[str]:
    """A name and what it may be nested in or derived from: `a`, `a.b` and `a.b.length` of the latter."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
