"""The queue between the journal and whoever reads it: bounded, and given up where reading from disk is better."""

from __future__ import annotations

from edge_aiops.journal.events import RecordedEvent

MAX_EVENTS = 20_000
MAX_CHARACTERS = 32 * 1024**2
"""Of payloads that wait in memory."""


class Handover:
    """Events that have just reached the disk, in their order. Who is behind has to read the journal, and begins so."""

    def __init__(self) -> None:
        self.behind = True
        self._events: list[RecordedEvent] = []
        self._characters = 0

    def hand(self, events: list[RecordedEvent]) -> None:
        """Take in what was recorded; more than may wait is forgotten, with all that waits."""
        if self.behind:
            return
        self._events += events
        self._characters += sum(weight(one) for one in events)
        if len(self._events) > MAX_EVENTS or self._characters > MAX_CHARACTERS:
            self.fall_behind()

    def take(self) -> list[RecordedEvent]:
        """All that waits."""
        events, self._events, self._characters = self._events, [], 0
        return events

    def resume(self) -> None:
        """From now on keep what is recorded."""
        self.behind = False

    def fall_behind(self) -> None:
        """Forget what waits: it is in the journal."""
        self.behind = True
        self.take()


def weight(recorded: RecordedEvent) -> int:
    """The characters of an event's payloads."""
    return len(recorded.event.features or "") + len(recorded.event.prediction or "")
