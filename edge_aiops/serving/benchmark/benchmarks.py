"""Runs benchmarks, one at a time, and remembers them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from msgspec.structs import replace

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, EdgeAiopsError, NotFound
from edge_aiops.plugin import Tensors
from edge_aiops.serving.benchmark.history import BenchmarkFilter, BenchmarkHistory
from edge_aiops.serving.benchmark.judging import Times, error_rate, judged, result_of
from edge_aiops.serving.benchmark.measuring import Participant, Rounds
from edge_aiops.serving.benchmark.messages import Benchmark, BenchmarkPage, BenchmarkRequest, BenchmarkStatus, Progress
from edge_aiops.serving.benchmark.preparing import Preparation
from edge_aiops.serving.engine import Engine
from edge_aiops.store.local import LocalDatabase

logger = logging.getLogger(__name__)


class Benchmarks:
    """The benchmarks of a node. One runs at a time: two would measure each other."""

    def __init__(self, database: LocalDatabase, *, engine: Engine, clock: Clock) -> None:
        self._history = BenchmarkHistory(database)
        self._engine = engine
        self._clock = clock
        self._starting = False
        self._running: _Run | None = None

    async def start(self, request: BenchmarkRequest) -> Benchmark:
        """Begin a benchmark; gives it as it begins, when all that can be refused has been looked at.

        Raises `Conflict` while another runs, and what `Preparation.of` says.
        """
        if self._running or self._starting:
            at = f", {self._running.benchmark.id}," if self._running else ""
            raise Conflict(f"a benchmark{at} runs already; wait for its end, or POST /benchmark/{{id}}/cancel")
        self._starting = True
        try:
            preparation = await Preparation.of(request, self._engine)
            try:
                begun = _begun(request, preparation, self._clock.now_ms())
                begun = await self._history.add(begun, [one.deployment.name for one in preparation.participants])
            except BaseException:
                preparation.restore(self._engine)
                raise
        finally:
            self._starting = False
        self._running = run = _Run(begun, preparation, self._engine)
        run.task = asyncio.create_task(self._finish(run), name=f"benchmark {begun.id}")
        return begun

    async def ended(self, number: int) -> Benchmark:
        """Wait until a benchmark has ended; gives it. Raises `NotFound`."""
        if self._running and self._running.benchmark.id == number and self._running.task:
            await asyncio.wait([self._running.task])
        return await self.get(number)

    async def cancel(self, number: int) -> Benchmark:
        """End a benchmark that runs; one that has ended stays as it is. Raises `NotFound`."""
        if self._running and self._running.benchmark.id == number:
            self._running.stop("cancelled")
        return await self.ended(number)

    async def get(self, number: int) -> Benchmark:
        """One benchmark, with its progress while it runs. Raises `NotFound`."""
        found = await self._history.get(number)
        if found is None:
            raise NotFound(f"there is no benchmark {number}; GET /benchmark/history lists them")
        return self._now(found)

    async def page(self, wanted: BenchmarkFilter, *, cursor: int | None, limit: int) -> BenchmarkPage:
        """Benchmarks, newest first."""
        page = await self._history.page(wanted, cursor=cursor, limit=limit)
        return replace(page, benchmarks=list(map(self._now, page.benchmarks)))

    async def close(self) -> None:
        """End what runs, as interrupted."""
        if self._running and self._running.task:
            self._running.stop("interrupted")
            await asyncio.wait([self._running.task])

    def _now(self, kept: Benchmark) -> Benchmark:
        """How a benchmark is, of which this was kept."""
        if self._running and self._running.benchmark.id == kept.id:
            return self._running.benchmark
        # Whoever ran it had no time to say how it ended.
        return replace(kept, status="interrupted") if kept.status == "running" else kept

    async def _finish(self, run: _Run) -> None:
        try:
            ended = await run.result()
            await self._history.change(replace(ended, ended_at=self._clock.now_ms()))
        except EdgeAiopsError as error:
            logger.warning("benchmark %d could not be kept: %s", run.benchmark.id, error)
        finally:
            self._running = None
            run.preparation.restore(self._engine)


class _Run:
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


def _begun(request: BenchmarkRequest, preparation: Preparation, now_ms: int) -> Benchmark:
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
