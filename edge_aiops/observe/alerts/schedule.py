"""When a notification that could not be delivered is tried again, after Standard Webhooks 1.0 ("retries")."""

from __future__ import annotations

import random

RETRIES_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between one attempt and the next: five seconds, five minutes, half an hour, ... a day."""
MAX_ATTEMPTS = len(RETRIES_S) + 1
JITTER = 0.2
"""Each wait is longer by up to this share, so that what failed together is not tried together."""
LONGEST_S = RETRIES_S[-1] * (1 + JITTER)


def wait_s(attempts: int, *, retry_after_s: float | None, chance: random.Random) -> float | None:
    """How long to wait after this many attempts; None if it is not worth another.

    `retry_after_s`: what the receiver asked for, which counts up to a day.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    if retry_after_s is not None:
        return min(max(retry_after_s, 1.0), RETRIES_S[-1])
    return RETRIES_S[attempts - 1] * (1 + JITTER * chance.random())
