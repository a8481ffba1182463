"""Runs benchmarks, one at a time, and remembers them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, EdgeAiopsError, NotFound
from edge_aiops.serving.benchmark.history import BenchmarkFilter, BenchmarkHistory
from edge_aiops.serving.benchmark.messages import Benchmark, BenchmarkPage, BenchmarkRequest
from edge_aiops.serving.engine import Engine
from edge_aiops.store.local import LocalDatabase

if TYPE_CHECKING:
    from edge_aiops.serving.benchmark.run import Run

logger = logging.getLogger(__name__)


class Benchmarks:
    """The benchmarks of a node. One runs at a time: two would measure each other."""

    def __init__(self, database: LocalDatabase, *, engine: Engine, clock: Clock) -> None:
        self._history = BenchmarkHistory(database)
        self._engine = engine
        self._clock = clock
        self._starting = False
        self._running: Run | None = None

    async def start(self, request: BenchmarkRequest) -> Benchmark:
        """Begin a benchmark; gives it as it begins, when all that can be refused has been looked at.

        Raises `Conflict` while another runs, and what `Preparation.of` says.
        """
        if self._running or self._starting:
            at = f", {self._running.benchmark.id}," if self._running else ""
            raise Conflict(f"a benchmark{at} runs already; wait for its end, or POST /benchmark/{{id}}/cancel")
        from edge_aiops.serving.benchmark.preparing import Preparation  # here, because few nodes ever run one
        from edge_aiops.serving.benchmark.run import Run, begun

        self._starting = True
        try:
            preparation = await Preparation.of(request, self._engine)
            try:
                benchmark = await self._history.add(
                    begun(request, preparation, self._clock.now_ms()),
                    [one.deployment.name for one in preparation.participants],
                )
            except BaseException:
                preparation.restore(self._engine)
                raise
        finally:
            self._starting = False
        self._running = run = Run(benchmark, preparation, self._engine)
        run.task = asyncio.create_task(self._finish(run), name=f"benchmark {benchmark.id}")
        return benchmark

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

    async def _finish(self, run: Run) -> None:
        try:
            ended = await run.result()
            await self._history.change(replace(ended, ended_at=self._clock.now_ms()))
        except EdgeAiopsError as error:
            logger.warning("benchmark %d could not be kept: %s", run.benchmark.id, error)
        finally:
            self._running = None
            run.preparation.restore(self._engine)
