"""One benchmark under way, from its first round to what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from msgspec.structs import replace

from edge_aiops.plugin import Tensors
from edge_aiops.serving.benchmark.judging import Times, error_rate, judged, result_of
from edge_aiops.serving.benchmark.measuring import Participant, Rounds
from edge_aiops.serving.benchmark.messages import Benchmark, BenchmarkRequest, BenchmarkStatus, Progress
from edge_aiops.serving.benchmark.preparing import Preparation
from edge_aiops.serving.engine import Engine

logger = logging.getLogger(__name__)


class Run:
    """A benchmark that is under way."""

    def __init__(self, benchmark: Benchmark, preparation: Preparation, engine: Engine) -> None:
        self.benchmark = benchmark
        self.preparation = preparation
        self.task: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._stopped: BenchmarkStatus | None = None
        self._rounds = Rounds(engine, preparation.participants, preparation.inputs, advanced=self._advanced)

    def stop(self, status: BenchmarkStatus) -> None:
        """End it before its time, for this reason."""
        self._stopped = self._stopped or status
        if self._measuring:
            self._measuring.cancel()

    async def result(self) -> Benchmark:
        """The benchmark at its end, whatever that was."""
        wanted = self.benchmark
        measuring = asyncio.create_task(self._rounds.run(warmup=wanted.warmup, iterations=wanted.iterations))
        self._measuring = measuring
        if self._stopped:
            measuring.cancel()
        await asyncio.wait([measuring])
        if measuring.cancelled():
            return self._ended_early()
        if error := measuring.exception():
            logger.error("benchmark %d failed", self.benchmark.id, exc_info=error)
            return replace(self.benchmark, status="failed", verdict=f"failed: {type(error).__name__}: {error}")
        return await asyncio.to_thread(_judged, self.benchmark, self.preparation.participants)

    def _ended_early(self) -> Benchmark:
        status, progress = self._stopped or "cancelled", self.benchmark.progress
        verdict = f"{status} after {progress.done} of {progress.rounds} rounds"
        return replace(self.benchmark, status=status, verdict=verdict)

    def _advanced(self) -> None:
        progress = self.benchmark.progress
        self.benchmark = replace(self.benchmark, progress=replace(progress, done=progress.done + 1))


def begun(request: BenchmarkRequest, preparation: Preparation, now_ms: int) -> Benchmark:
    """A benchmark as it begins, without its id."""
    inputs: Sequence[Tensors] = preparation.inputs
    return Benchmark(
        id=0,
        status="running",
        task_type=request.task_type,
        equivalence_group=request.equivalence_group,
        models=[one.label for one in preparation.participants],
        iterations=request.iterations,
        warmup=request.warmup,
        inputs=len(inputs),
        test_data="generated" if preparation.generated else "given",
        seed=request.seed if preparation.generated else None,
        min_difference=request.min_difference,
        run_by=request.run_by,
        notes=request.notes,
        started_at=now_ms,
        ended_at=None,
        progress=Progress(done=0, rounds=request.warmup + request.iterations),
        verdict=None,
        winner=None,
        results=[],
        comparisons=[],
    )


def _judged(benchmark: Benchmark, participants: Sequence[Participant]) -> Benchmark:
    times = [Times(one.label, one.times_ms, error_rate(one)) for one in participants]
    winner, verdict, comparisons = judged(times, min_difference=benchmark.min_difference)
    results = [result_of(one, reference=one.label == benchmark.models[0], winner=winner) for one in participants]
    return replace(benchmark, status="done", verdict=verdict, winner=winner, results=results, comparisons=comparisons)
