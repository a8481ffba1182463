"""What monitoring tells of itself to whoever passes it on, such as a node's outbox to its hub.

All of it is told within the transaction that writes it here. So who passes it on may keep it in the same file, and
has neither more nor less than what is counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from edge_aiops.journal.boots import Boot
from edge_aiops.journal.events import LabelChange, RecordedEvent
from edge_aiops.observe.alerts.alert import Alert
from edge_aiops.observe.series import Summary, Window


class Delta(NamedTuple):
    """What a window grew by."""

    summary: Summary
    items: int
    """Events, or changes of labels."""


class Forwarding(Protocol):
    """Who passes on what monitoring counts."""

    def wants(self, recorded: RecordedEvent) -> bool:
        """Whether this event itself is to be passed on; asked for each one, so it must be quick."""

    def grown(self, connection: sqlite3.Connection, boot: Boot, deltas: Mapping[Window, Delta]) -> None:
        """Take in what was counted of one boot of the journal, as it may leave the node."""

    def happened(
        self, connection: sqlite3.Connection, changes: Sequence[LabelChange], events: Sequence[RecordedEvent]
    ) -> None:
        """Take in changes of labels, and the events that were wanted."""

    def alerted(self, connection: sqlite3.Connection, alerts: Iterable[Alert]) -> None:
        """Take in alerts as they are now."""
