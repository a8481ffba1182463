"""One request on its way through the lane of its model."""

from __future__ import annotations

import asyncio

from edge_aiops.serving.features import Rows
from edge_aiops.serving.request import Arrival, PredictionResult, Priority, TensorResult


class Call:
    """A request, the rows that it became, and the answer that its caller waits for.

    `limit_s`: how long the caller waits from now on. `recorded`: whether it becomes an inference event.
    """

    __slots__ = (
        "answer", "arrival", "due_at", "give_up_at", "journaled", "limit_s", "priority", "recorded", "rows", "run"
    )  # fmt: skip

    def __init__(
        self,
        arrival: Arrival,
        rows: Rows,
        *,
        limit_s: float,
        priority: Priority = Priority.LIVE,
        recorded: bool = True,
        waited_s: float = 0.0,
    ) -> None:
        """`limit_s`: of which the caller has waited `waited_s` already."""
        loop = asyncio.get_running_loop()
        self.arrival = arrival
        self.rows = rows
        self.priority = priority
        self.recorded = recorded
        self.journaled = False
        self.limit_s = limit_s
        self.give_up_at = loop.time() + limit_s - waited_s
        self.due_at = 0.0
        """When it should run at the latest, whoever else has come by then."""
        self.answer: asyncio.Future[PredictionResult | TensorResult] = loop.create_future()
        self.run: Run | None = None


class Run:
    """Calls that run together, and the task that runs them."""

    __slots__ = ("_first_open", "calls", "rows", "started_ns", "task")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.rows = 0
        self.started_ns = 0
        self.task: asyncio.Task[None] | None = None
        self._first_open = 0

    def begin(self, calls: list[Call], *, started_ns: int) -> None:
        """These are the calls."""
        self.calls = calls
        self.rows = sum(call.rows.length for call in calls)
        self.started_ns = started_ns
        for call in calls:
            call.run = self

    def end(self) -> None:
        """Let go of the calls, which know their run: what refers to each other in a circle stays in memory longer."""
        self.calls = []

    def is_awaited(self) -> bool:
        """Whether anybody still waits for it. Over all times that it is asked it looks at each call once."""
        while self._first_open < len(self.calls) and self.calls[self._first_open].answer.done():
            self._first_open += 1
        return self._first_open < len(self.calls)
