"""Boots: stretches of the journal, each with a random id, so that what is counted of one is never counted of another.

A boot begins when a process starts, and while it runs as often as whoever passes its counts on asks for it. It is on
disk before its first event or change of a label is. Which boot something belongs to follows from its number in the
journal alone: so whatever is made of a boot can be made again.
"""

from __future__ import annotations

import secrets
import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple


class Boot(NamedTuple):
    """A stretch of the journal, up to where the next one begins."""

    id: int
    """From 1 to 2**63 - 1, random."""
    first_place: int = 0
    """The place of its first event."""
    first_change: int = 0
    """The sequence number of its first change of a label."""
    width_ms: int = 0
    """How wide windows of it are at least, where they leave the node."""


class Boots:
    """The boots of which a journal has anything, in their order; the present one stands last."""

    def __init__(self, known: Sequence[Boot]) -> None:
        self._all = list(known)
        self._unwritten: list[Boot] = []

    @property
    def present(self) -> Boot:
        """What is recorded now belongs to this one."""
        return self._all[-1]

    @property
    def unwritten(self) -> tuple[Boot, ...]:
        """Those that have to reach the disk with what is recorded next."""
        return tuple(self._unwritten)

    def begin(self, place: int, change: int, *, width_ms: int = 0) -> Boot:
        """What is recorded from `place` and `change` on belongs to a new boot."""
        if self._unwritten and self.present[1:3] == (place, change):
            self._all.remove(self._unwritten.pop())  # it has nothing
        boot = Boot(new_boot(), place, change, width_ms)
        self._all.append(boot)
        self._unwritten.append(boot)
        return boot

    def written(self, boots: Collection[Boot]) -> None:
        """These are on disk."""
        self._unwritten = [boot for boot in self._unwritten if boot not in boots]

    def of_place(self, place: int) -> Boot:
        """The boot of an event."""
        if place >= self.present.first_place:  # so is nearly every one that is asked for
            return self.present
        return self._all[max(bisect_right(self._all, place, key=lambda boot: boot.first_place) - 1, 0)]

    def of_change(self, change: int) -> Boot:
        """The boot of a change of a label."""
        return self._all[max(bisect_right(self._all, change, key=lambda boot: boot.first_change) - 1, 0)]

    def changes_end(self, change: int) -> int | None:
        """The sequence number at which the boot of `change` has ended; None for the present one."""
        after = bisect_right(self._all, change, key=lambda boot: boot.first_change)
        return self._all[after].first_change if after < len(self._all) else None

    def growing(self, place: int, change: int) -> set[int]:
        """The boots that a reader who has come to `place` and `change` may read more of, and the present one."""
        oldest = min(self._all.index(self.of_place(place + 1)), self._all.index(self.of_change(change + 1)))
        return {boot.id for boot in self._all[oldest:]}


def new_boot() -> int:
    """A random id, from 1 to 2**63 - 1."""
    return secrets.randbelow(2**63 - 1) + 1


def write_boots(connection: sqlite3.Connection, boots: Iterable[Boot]) -> None:
    """Note boots, within the transaction that writes what belongs to them."""
    connection.executemany("INSERT OR IGNORE INTO boot VALUES (?, ?, ?, ?)", boots)


def read_boots(connection: sqlite3.Connection) -> Boots:
    """The boots of which the journal still has anything; the others are forgotten.

    Events that are of none, because they are older than boots are, or because the table was lost, get one of their own.
    """
    statement = "SELECT boot, first_place, first_change, width_ms FROM boot ORDER BY first_place, first_change"
    known = [Boot(*row) for row in connection.execute(statement)]
    (place,) = connection.execute("SELECT coalesce(min(place), 9223372036854775807) FROM event").fetchone()
    (change,) = connection.execute("SELECT coalesce(min(sequence), 9223372036854775807) FROM label_change").fetchone()
    while len(known) > 1 and known[1].first_place <= place and known[1].first_change <= change:
        connection.execute("DELETE FROM boot WHERE boot = ?", (known.pop(0).id,))
    if (not known or known[0].first_place > place or known[0].first_change > change) and (
        min(place, change) < 9223372036854775807
    ):
        known.insert(0, Boot(new_boot()))
        write_boots(connection, known[:1])
    return Boots(known)
