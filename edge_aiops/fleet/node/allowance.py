"""How many bytes may be sent, for links that are paid for by what goes over them."""

from __future__ import annotations

from edge_aiops.base.clock import Clock

_HOUR_S, _DAY_S = 3_600, 86_400


class Allowance:
    """Token buckets of an hour and a day, full at the start. What must go may overdraw them; then all else waits."""

    def __init__(self, *, per_hour: int, per_day: int, clock: Clock) -> None:
        """0 bytes set no limit."""
        self._clock = clock
        self._buckets = [_Bucket(most, span_s) for most, span_s in ((per_hour, _HOUR_S), (per_day, _DAY_S)) if most]
        self._at_ns = clock.ticks_ns()

    def spend(self, count: int) -> None:
        """Note that bytes were sent."""
        self._refill()
        for bucket in self._buckets:
            bucket.left -= count

    @property
    def wait_s(self) -> float:
        """How long it is until something may be sent; 0 where it may now."""
        self._refill()
        return max([-bucket.left / bucket.per_s for bucket in self._buckets if bucket.left < 0], default=0.0)

    def _refill(self) -> None:
        now_ns = self._clock.ticks_ns()
        passed_s, self._at_ns = (now_ns - self._at_ns) / 1e9, now_ns
        for bucket in self._buckets:
            bucket.left = min(bucket.most, bucket.left + passed_s * bucket.per_s)


class _Bucket:
    def __init__(self, most: int, span_s: int) -> None:
        self.most = most
        self.per_s = most / span_s
        self.left = float(most)
