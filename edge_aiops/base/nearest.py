"""Which of the names that there are somebody meant who wrote another."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The one of `known` that is most like `name`; None if none is so much like it, between 0 and 1."""
    import difflib  # here, because a process that is told nothing wrong has no need of it

    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=likeness)), None)
