"""The queue between the journal and whoever reads it: bounded, and given up where reading from disk is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_aiops.journal.events import RecordedEvent

SLICE_EVENTS = 128
SLICE_CHARACTERS = 64 * 1024
"""What is summarised before the event loop may go on with something else."""

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


def slices(recorded: Sequence[RecordedEvent]) -> Iterator[Sequence[RecordedEvent]]:
    """Parts of no more than a slice; a payload that is larger comes alone."""
    part: list[RecordedEvent] = []
    characters = 0
    for one in recorded:
        weighs = weight(one)
        if part and (len(part) == SLICE_EVENTS or characters + weighs > SLICE_CHARACTERS):
            yield part
            part, characters = [], 0
        part.append(one)
        characters += weighs
    if part:
        yield part
