"""Writes down what became of requests: an event each, with as much of its payload as the capture policy lets in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.journal.capture import Capture
from edge_aiops.journal.events import NewEvent
from edge_aiops.journal.journal import Journal
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.outcomes import Outcome
from edge_aiops.serving.request import Arrival, GenerationCall

logger = logging.getLogger(__name__)


class Recorder:
    """Makes the events of one deployment, and hands them to the journal."""

    def __init__(self, deployment: Deployment, journal: Journal, capture: Capture) -> None:
        self._served_by = deployment.served_by
        self._policy = deployment.capture
        self._journal = journal
        self._capture = capture

    def append(self, events: Sequence[NewEvent]) -> tuple[list[str], asyncio.Future[None]]:
        """As `Journal.append`."""
        return self._journal.append(events)

    def note(self, event: NewEvent) -> None:
        """Journal an event that nobody waits for; where that fails, it is logged."""
        try:
            _, on_disk = self._journal.append([event])
        except EdgeAiopsError as error:
            _log_loss(error)
        else:
            on_disk.add_done_callback(lambda done: _log_loss(None if done.cancelled() else done.exception()))

    def prediction(
        self,
        arrival: Arrival,
        outcome: Outcome | None,
        *,
        ended_ns: int,
        rows: int = 0,
        batch_rows: int = 0,
        queue_us: int = 0,
        error: str | None = None,
    ) -> NewEvent:
        """The event of a prediction: its outcome, or the code of the error that came instead."""
        request = arrival.request
        assert not isinstance(request, GenerationCall)
        captured = self._capture.wanted(self._policy)
        short = captured and request.least_bytes <= self._capture.max_bytes
        return NewEvent(
            arrival.at_ms,
            self._served_by,
            request.request_id,
            request.user_id,
            request.session_id,
            rows,
            batch_rows,
            queue_us,
            (ended_ns - arrival.ticks_ns) // 1000,
            self._capture.features(self._policy, request.payload) if short else None,
            self._capture.text(outcome.prediction) if captured and outcome else None,
            outcome.confidence.decode() if outcome and outcome.confidence else None,
            outcome.label.decode() if outcome and outcome.label else None,
            error,
            request.prompt_tokens,
        )

    def text(
        self,
        arrival: Arrival,
        output: str,
        text: str,
        *,
        started_ns: int,
        first_ns: int | None,
        ended_ns: int,
        prompt_tokens: int | None,
        completion_tokens: int | None,
        error: str | None,
    ) -> NewEvent:
        """The event of a generated text: as far as it came, under the name of the model's `output`."""
        call = arrival.request
        assert isinstance(call, GenerationCall)
        captured = self._capture.wanted(self._policy)
        return NewEvent(
            arrival.at_ms,
            self._served_by,
            call.request_id,
            call.user_id,
            call.session_id,
            1,
            1,
            (started_ns - arrival.ticks_ns) // 1000,
            (ended_ns - arrival.ticks_ns) // 1000,
            self._capture.features(self._policy, call.payload) if captured else None,
            self._capture.text(msgspec.json.encode({output: text})) if captured and text else None,
            None,
            None,
            error,
            prompt_tokens,
            completion_tokens,
            None if first_ns is None else (first_ns - arrival.ticks_ns) // 1000,
        )


def _log_loss(error: BaseException | None) -> None:
    if error is not None:
        logger.warning("what became of a request could not be journaled: %s", error)
