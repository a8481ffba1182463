"""A model in memory: runs calls together, journals what came out, answers when that is on disk."""

from __future__ import annotations

import asyncio
import logging
import os
from itertools import compress, repeat
from typing import Any, cast

from msgspec import Raw

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import DeadlineExceeded, EdgeAiopsError, InvalidInput, ModelFailed
from edge_aiops.base.settings import ServingSettings
from edge_aiops.journal.capture import Capture
from edge_aiops.journal.events import NewEvent
from edge_aiops.journal.journal import Journal
from edge_aiops.plugin import Session, Tensors, TextGenerator
from edge_aiops.serving import splitting
from edge_aiops.serving.breaker import Breaker
from edge_aiops.serving.call import Call
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.features import FeatureReader, Rows
from edge_aiops.serving.generation import Generations
from edge_aiops.serving.lane import Lane
from edge_aiops.serving.outcomes import Outcome, OutcomeReader
from edge_aiops.serving.recording import Recorder
from edge_aiops.serving.request import (
    Arrival,
    PredictionRequest,
    PredictionResult,
    Priority,
    TensorRequest,
    TensorResult,
)
from edge_aiops.serving.statistics import ModelStatistics, Moments

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
        breaker: Breaker,
        statistics: ModelStatistics,
    ) -> None:
        signature = session.signature
        self.deployment = deployment
        self.session = session
        self._served_by = deployment.served_by
        self._recorder = Recorder(deployment, journal, capture)
        self._clock = clock
        self.breaker = breaker
        self._statistics = statistics
        self._features = FeatureReader(signature, deployment.feature_names, missing_values=deployment.missing_values)
        self._outcomes = OutcomeReader(signature, class_labels=deployment.class_labels, task_type=deployment.task_type)
        generates = isinstance(session, TextGenerator)
        # Texts end one by one: a batch of them would answer all when the longest has ended.
        self._shared = signature.batchable and not generates
        self.default_deadline_s = float(settings.generation_deadline if generates else settings.default_deadline)
        self.generations = Generations(deployment, session, recorder=self._recorder, clock=clock, settings=settings)
        self._lane = Lane(
            self._run,
            clock=clock,
            shared=self._shared,
            max_rows=deployment.batching.max_rows or settings.max_batch_rows,
            max_wait_s=deployment.batching.max_wait_ms / 1000,
            max_queued=settings.max_queued,
            slots=1 if self._shared else settings.max_generations if generates else os.cpu_count() or 1,
        )

    @property
    def queued(self) -> int:
        """How many requests wait for a run."""
        return self._lane.queued + self.generations.queued

    async def predict(self, arrival: Arrival, *, limit_s: float, priority: Priority) -> PredictionResult:
        """The answer to a `PredictionRequest`, after its event is on disk.

        Raises `InvalidInput` that names the tensor, `ModelFailed`, `DeadlineExceeded` after `limit_s` seconds,
        `Unavailable`, or what the journal raises.
        """
        return await self.submit(arrival, limit_s=limit_s, priority=priority)

    def submit(self, arrival: Arrival, *, limit_s: float, priority: Priority) -> asyncio.Future[PredictionResult]:
        """The future answer of `predict`; what is wrong with the features, or a full lane, is raised at once."""
        assert isinstance(arrival.request, PredictionRequest)
        rows = self._features.read(arrival.request.features)
        answer = self._submitted(Call(arrival, rows, limit_s=limit_s, priority=priority))
        return cast("asyncio.Future[PredictionResult]", answer)

    async def infer(
        self, arrival: Arrival, *, limit_s: float, priority: Priority, recorded: bool = True
    ) -> TensorResult:
        """The answer to a `TensorRequest`, as `predict`; without an event unless `recorded`."""
        request = arrival.request
        assert isinstance(request, TensorRequest)
        rows = Rows.of_tensors(self.session.signature, request.tensors)
        if not recorded:
            rows = rows._replace(kind=("unrecorded", *rows.kind))
        answer = await self._submitted(
            Call(arrival, rows, limit_s=limit_s, priority=priority, recorded=recorded, waited_s=request.waited_s)
        )
        assert isinstance(answer, TensorResult)
        return answer

    def _submitted(self, call: Call) -> asyncio.Future[PredictionResult | TensorResult]:
        self._lane.submit(call)
        call.answer.add_done_callback(lambda answer: self._answered(call))
        return call.answer

    def _answered(self, call: Call) -> None:
        self._lane.ended(call)
        error = _error(call.answer)
        if isinstance(error, DeadlineExceeded) and not call.journaled and call.recorded:
            self._record_failure(call.arrival, error.code)

    def _record_failure(self, arrival: Arrival, code: str) -> None:
        """Journal that a request got the error `code` instead of a prediction; nobody waits for the disk."""
        ended_ns = self._clock.ticks_ns()
        self._statistics.add_failure(ended_ns - arrival.ticks_ns)
        self._recorder.note(self._recorder.prediction(arrival, None, ended_ns=ended_ns, error=code))

    async def _run(self, calls: list[Call]) -> None:
        started_ns = self._clock.ticks_ns()
        try:
            by_tensors = _by_tensors(calls)
            tensors = splitting.stacked(calls) if by_tensors else self._features.stacked([call.rows for call in calls])
            stacked_ns = self._clock.ticks_ns()
            outputs = await self.session.predict(tensors)
            self.breaker.succeeded()
            predicted_ns = self._clock.ticks_ns()
            run_ms = (predicted_ns - stacked_ns) / 1e6
            if self._shared and not splitting.row_by_row(outputs, calls):
                # Its first dimension is free but does not count rows, as in detectors: whose is what, nobody knows.
                self._lane.stop_sharing()
                if len(calls) > 1:
                    await self._run_apart(calls)
                    return
            spans = splitting.spans(calls)
            outcomes = self._outcomes.read(outputs, spans)
        except Exception as error:
            # The boundary between us and a backend, which may raise anything.
            await self._failed(calls, error)
            return
        # Who gave up has an event that says so, or wants none.
        waited = [not call.answer.done() for call in calls]
        calls, outcomes = list(compress(calls, waited)), list(compress(outcomes, waited))
        if not calls:
            return
        ended_ns = self._clock.ticks_ns()
        parts = list(compress(splitting.parts(outputs, spans), waited)) if by_tensors else None
        if not calls[0].recorded:
            taken_ms = [(ended_ns - call.arrival.ticks_ns) / 1e6 for call in calls]
            _settle(calls, list(map(self._tensors, repeat(""), taken_ms, repeat(run_ms), parts or [])))
            return
        self._statistics.add_run(
            [call.arrival.ticks_ns for call in calls],
            Moments(started_ns, stacked_ns, predicted_ns, ended_ns),
            at_ms=calls[-1].arrival.at_ms,
            rows=sum(call.rows.length for call in calls),
            run_rows=spans[-1].stop,
        )
        events = self._events(calls, outcomes, started_ns, ended_ns, batch_rows=spans[-1].stop)
        await self._journal_and_answer(calls, outcomes, events, parts, run_ms)

    async def _run_apart(self, calls: list[Call]) -> None:
        for call in calls:
            if call.answer.done():
                continue
            if self.breaker.is_open:
                call.answer.set_exception(self.breaker.refusal())
            else:
                await self._run([call])

    async def _failed(self, calls: list[Call], error: Exception) -> None:
        self.breaker.failed(error)
        if len(calls) > 1:
            # Whose rows were the cause is not known: each gets a run of its own.
            await self._run_apart(calls)
            return
        (call,) = calls
        if call.answer.done():  # who gave up has an event that says so, or wants none
            return
        if not isinstance(error, EdgeAiopsError):
            logger.error("model %s raised", "/".join(map(str, self._served_by)), exc_info=error)
            failure = ModelFailed(f"model {self._served_by.model_name!r} raised {type(error).__name__}: {error}")
            failure.__cause__ = error
            error = failure
        if not isinstance(error, InvalidInput) and call.recorded:
            self._record_failure(call.arrival, error.code)
        call.answer.set_exception(error)

    async def _journal_and_answer(
        self,
        calls: list[Call],
        outcomes: list[Outcome],
        events: list[NewEvent],
        parts: list[Tensors] | None,
        run_ms: float,
    ) -> None:
        """Answer the calls when their events are on disk."""
        try:
            ids, on_disk = self._recorder.append(events)
        except EdgeAiopsError as error:
            _settle(calls, error)
            return
        for call in calls:
            call.journaled = True
        answers: list[PredictionResult] | list[TensorResult]
        if parts is None:
            answers = list(map(self._answer, ids, events, outcomes))
        else:
            latencies_ms = [event.latency_us / 1000 for event in events]
            answers = list(map(self._tensors, ids, latencies_ms, repeat(run_ms), parts))
        on_disk.add_done_callback(lambda done: _settle(calls, _error(done) or answers))
        if self._shared:
            # What comes until then becomes one run, instead of several that wait for the next commit together.
            await asyncio.wait([on_disk])

    def _events(
        self, calls: list[Call], outcomes: list[Outcome], started_ns: int, ended_ns: int, *, batch_rows: int
    ) -> list[NewEvent]:
        return [
            self._recorder.prediction(
                call.arrival,
                outcome,
                ended_ns=ended_ns,
                rows=call.rows.length,
                batch_rows=batch_rows,
                queue_us=(started_ns - call.arrival.ticks_ns) // 1000,
            )
            for call, outcome in zip(calls, outcomes, strict=True)
        ]

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

    def _tensors(self, inference_id: str, latency_ms: float, run_ms: float, outputs: Tensors) -> TensorResult:
        return TensorResult(
            inference_id=inference_id,
            model_name=self._served_by.model_name,
            model_version=self._served_by.model_version,
            deployment_version=self._served_by.deployment_version,
            outputs=outputs,
            latency_ms=latency_ms,
            run_ms=run_ms,
        )


def _by_tensors(calls: list[Call]) -> bool:
    return isinstance(calls[0].arrival.request, TensorRequest)


def _settle(calls: list[Call], answers: list[PredictionResult] | list[TensorResult] | BaseException) -> None:
    for place, call in enumerate(calls):
        if call.answer.done():
            continue
        if isinstance(answers, BaseException):
            call.answer.set_exception(answers)
        else:
            call.answer.set_result(answers[place])


def _error(done: asyncio.Future[Any]) -> BaseException | None:
    return asyncio.CancelledError() if done.cancelled() else done.exception()
