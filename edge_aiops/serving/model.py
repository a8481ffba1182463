"""A model in memory: runs calls together, journals what came out, answers when that is on disk."""

from __future__ import annotations

import asyncio
import logging
import os

import numpy as np
from msgspec import Raw

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, InvalidInput, ModelFailed
from edge_aiops.base.settings import ServingSettings
from edge_aiops.journal.capture import Capture
from edge_aiops.journal.events import NewEvent
from edge_aiops.journal.journal import Journal
from edge_aiops.plugin import Session, Tensors
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.features import FeatureReader
from edge_aiops.serving.lane import Call, Lane
from edge_aiops.serving.outcomes import Outcome, OutcomeReader, Span
from edge_aiops.serving.request import Arrival, PredictionResult

_NULL = b"null"

logger = logging.getLogger(__name__)


class ServedModel:
    """A loaded deployment, and everything that is worked out once per model rather than once per request."""

    def __init__(
        self,
        deployment: Deployment,
        session: Session,
        *,
        journal: Journal,
        capture: Capture,
        clock: Clock,
        settings: ServingSettings,
    ) -> None:
        signature = session.signature
        self.deployment = deployment
        self.session = session
        self._served_by = deployment.served_by
        self._journal = journal
        self._capture = capture
        self._clock = clock
        self._features = FeatureReader(signature, deployment.feature_names)
        self._outcomes = OutcomeReader(signature, class_labels=deployment.class_labels, task_type=deployment.task_type)
        self._lane = Lane(
            self._run,
            shared=signature.batchable,
            max_rows=settings.max_batch_rows,
            max_queued=settings.max_queued,
            slots=1 if signature.batchable else os.cpu_count() or 1,
        )

    async def predict(self, arrival: Arrival) -> PredictionResult:
        """The answer to one request, after its event is on disk.

        Raises `InvalidInput` that names the tensor, `ModelFailed`, `Unavailable`, or what the journal raises.
        """
        rows = self._features.read(bytes(arrival.request.features))
        return await self._lane.answer(Call(arrival, rows))

    def record_failure(self, arrival: Arrival, code: str) -> None:
        """Journal that a request got the error `code` instead of a prediction; nobody waits for the disk."""
        event = self._event(
            arrival, None, ended_ns=self._clock.ticks_ns(), rows=0, batch_rows=0, queue_us=0, error=code
        )
        try:
            _, committed = self._journal.append([event])
        except EdgeAiopsError as error:
            logger.warning("a failed prediction could not be journaled: %s", error)
        else:
            committed.add_done_callback(_log_failure)

    async def _run(self, calls: list[Call]) -> None:
        started_ns = self._clock.ticks_ns()
        try:
            outputs = await self.session.predict(_stacked(calls))
            outcomes = self._outcomes.read(outputs, _spans(calls))
        except Exception as error:
            # The boundary between us and a backend, which may raise anything.
            await self._failed(calls, error)
            return
        self._journal_and_answer(calls, outcomes, started_ns, self._clock.ticks_ns())

    async def _failed(self, calls: list[Call], error: Exception) -> None:
        if len(calls) > 1:
            # Whose rows were the cause is not known: each gets a run of its own.
            for call in calls:
                await self._run([call])
            return
        (call,) = calls
        if not isinstance(error, EdgeAiopsError):
            logger.error("model %s raised", "/".join(map(str, self._served_by)), exc_info=error)
            failure = ModelFailed(f"model {self._served_by.model_name!r} raised {type(error).__name__}: {error}")
            failure.__cause__ = error
            error = failure
        if not isinstance(error, InvalidInput):
            self.record_failure(call.arrival, error.code)
        if not call.answer.done():
            call.answer.set_exception(error)

    def _journal_and_answer(self, calls: list[Call], outcomes: list[Outcome], started_ns: int, ended_ns: int) -> None:
        batch_rows = sum(call.rows.length for call in calls)
        events = [
            self._event(
                call.arrival,
                outcome,
                ended_ns=ended_ns,
                rows=call.rows.length,
                batch_rows=batch_rows,
                queue_us=(started_ns - call.arrival.ticks_ns) // 1000,
            )
            for call, outcome in zip(calls, outcomes, strict=True)
        ]
        try:
            ids, committed = self._journal.append(events)
        except EdgeAiopsError as error:
            _settle(calls, error)
            return
        answers = [
            self._answer(inference_id, event, outcome)
            for inference_id, event, outcome in zip(ids, events, outcomes, strict=True)
        ]
        # The lane is free for the next run while the events of this one are written.
        committed.add_done_callback(lambda done: _settle(calls, done.exception() or answers))

    def _event(
        self,
        arrival: Arrival,
        outcome: Outcome | None,
        *,
        ended_ns: int,
        rows: int,
        batch_rows: int,
        queue_us: int,
        error: str | None = None,
    ) -> NewEvent:
        request, policy = arrival.request, self.deployment.capture
        captured = self._capture.wanted(policy)
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
            self._capture.features(policy, bytes(request.features)).decode() if captured else None,
            outcome.prediction.decode() if captured and outcome else None,
            outcome.confidence.decode() if outcome and outcome.confidence else None,
            outcome.label.decode() if outcome and outcome.label else None,
            error,
        )

    def _answer(self, inference_id: str, event: NewEvent, outcome: Outcome) -> PredictionResult:
        return PredictionResult(
            inference_id=inference_id,
            model_name=self._served_by.model_name,
            model_version=self._served_by.model_version,
            deployment_version=self._served_by.deployment_version,
            prediction=Raw(outcome.prediction),
            label=Raw(outcome.label or _NULL),
            confidence=Raw(outcome.confidence or _NULL),
            latency_ms=event.latency_us / 1000,
        )


def _stacked(calls: list[Call]) -> Tensors:
    if len(calls) == 1:
        return calls[0].rows.tensors
    names = calls[0].rows.tensors
    return {name: np.concatenate([call.rows.tensors[name] for call in calls]) for name in names}


def _spans(calls: list[Call]) -> list[Span]:
    spans = []
    start = 0
    for call in calls:
        spans.append(Span(start, start + call.rows.length, call.rows.many))
        start += call.rows.length
    return spans


def _settle(calls: list[Call], answers: list[PredictionResult] | BaseException) -> None:
    for place, call in enumerate(calls):
        if call.answer.done():
            continue
        if isinstance(answers, BaseException):
            call.answer.set_exception(answers)
        else:
            call.answer.set_result(answers[place])


def _log_failure(committed: asyncio.Future[None]) -> None:
    if not committed.cancelled() and (error := committed.exception()):
        logger.warning("a failed prediction could not be journaled: %s", error)
