"""Circuit breakers: a model that keeps failing as a whole rests, instead of costing every request the same failure.

What counts is a model that cannot be loaded, and one that crashes, hangs or runs out of memory; a request that a model
refuses or cannot answer says nothing of the model. After `serving.breaker_failures` of them in a row, none older than
`serving.breaker_window`, the circuit opens: requests are refused for `serving.breaker_rest`. Then one request is let
through. If it succeeds the circuit is closed again; if not, the model rests twice as long, up to
`serving.breaker_longest_rest`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import CircuitOpen, ModelCrashed, ModelHung, ModelOutOfMemory
from edge_aiops.base.settings import ServingSettings
from edge_aiops.serving.deployment import Key

_COUNTED = (ModelCrashed, ModelHung, ModelOutOfMemory)
_LONGEST_REASON = 300
_MOST_DOUBLINGS = 30


class Breaker:
    """The circuit of one model."""

    def __init__(self, name: str, *, clock: Clock, settings: ServingSettings) -> None:
        self._name = name
        self._clock = clock
        self._settings = settings
        self._failures = 0
        self._first_failed_ns = 0
        self._rests = 0
        self._opens_until_ns = 0
        self._trying = False
        self._reason = ""
        self.is_open = False
        """Whether the model rests, or nothing has succeeded since it did."""

    @property
    def is_resting(self) -> bool:
        """Whether every request is refused."""
        return self.is_open and self._rest_left_s() > 0

    @property
    def reason(self) -> str:
        """The last failure; empty if there was none since the last success."""
        return self._reason if self._failures else ""

    def succeeded(self) -> None:
        """A run of the model has ended well."""
        if self._failures:
            self._failures = self._rests = self._opens_until_ns = 0
            self.is_open = False

    def failed(self, error: BaseException) -> None:
        """A run of the model has ended with `error`; counts only if that says something of the model."""
        if isinstance(error, _COUNTED):
            self.failed_to_load(error)

    def failed_to_load(self, error: BaseException) -> None:
        """The model could not be loaded."""
        now_ns = self._clock.ticks_ns()
        self._reason = f"{error}"[:_LONGEST_REASON]
        if not self.is_open and (now_ns - self._first_failed_ns) / 1e9 > self._settings.breaker_window:
            self._failures = 0
        if not self._failures:
            self._first_failed_ns = now_ns
        self._failures += 1
        # Requests that were let through before may still fail while it rests.
        if self._failures >= self._settings.breaker_failures and not self._rest_left_s():
            rest_s = min(self._settings.breaker_rest * 2**self._rests, self._settings.breaker_longest_rest)
            self._rests = min(self._rests + 1, _MOST_DOUBLINGS)
            self._opens_until_ns = now_ns + round(rest_s * 1e9)
            self.is_open = True

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Let a request through an open circuit. Raises `CircuitOpen` while the model rests, or another tries it."""
        if self._trying or self._rest_left_s():
            raise self.refusal()
        self._trying = True
        try:
            yield
        finally:
            self._trying = False

    def refusal(self) -> CircuitOpen:
        """Why requests are refused, and until when."""
        return CircuitOpen(self.problem(), retry_after_s=self._rest_left_s() or float(self._settings.breaker_rest))

    def problem(self) -> str:
        """What is to be said of an open circuit."""
        left_s = self._rest_left_s()
        when = f"is tried again in {left_s:.1f} s" if left_s else "is being tried again"
        often = "once" if self._failures == 1 else f"{self._failures} times in a row"
        return f"model {self._name!r} failed {often} and {when}; the last time: {self._reason}"

    def _rest_left_s(self) -> float:
        return max(0.0, (self._opens_until_ns - self._clock.ticks_ns()) / 1e9)


class Breakers:
    """The circuits of the deployments of a node."""

    def __init__(self, *, clock: Clock, settings: ServingSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._by_key: dict[Key, Breaker] = {}

    def keep(self, keys: Iterable[Key]) -> None:
        """Have a circuit for each of these, and for no other; a new one is closed."""
        self._by_key = {key: self.of(key) for key in keys}

    def of(self, key: Key) -> Breaker:
        """The circuit of a deployment; a closed one if it has none."""
        return self._by_key.get(key) or Breaker(key.name, clock=self._clock, settings=self._settings)
