"""Whether a version that was just activated is kept, or the one before it comes back."""

from __future__ import annotations

from typing import NamedTuple

from edge_aiops.plugin.execution import CommitPolicy
from edge_aiops.serving.statistics import Vitals

LEAST_LATENCIES = 20
"""So many before their 95th percentile says something while more may come."""


class Verdict(NamedTuple):
    """`keep` it, or bring back what was there for a `reason`; neither: it is too early to say."""

    keep: bool = False
    reason: str = ""


def judged(policy: CommitPolicy, vitals: Vitals, *, after_s: float) -> Verdict:
    """What is to be done after so many seconds, in which it did what `vitals` say.

    Too many errors are told as soon as the limit cannot be held any more over the requests that are asked for.
    """
    if vitals.resting:
        return Verdict(reason=vitals.resting)
    ended = vitals.requests >= policy.after_requests or after_s >= policy.after_s
    of = vitals.requests if ended else max(vitals.requests, policy.after_requests)
    if vitals.errors > policy.most_error_rate * of:
        return Verdict(
            reason=f"{vitals.errors} of {vitals.requests} requests failed, at most "
            f"{policy.most_error_rate:.3g} of {of} may (commit.mostErrorRate)"
        )
    most_ms, p95_ms = policy.most_p95_latency_ms, vitals.p95_latency_ms
    if most_ms is not None and p95_ms is not None and p95_ms > most_ms and (ended or vitals.timed >= LEAST_LATENCIES):
        return Verdict(
            reason=f"95 % of its requests took up to {p95_ms:.3g} ms, at most {most_ms:g} ms are allowed "
            "(commit.mostP95LatencyMs)"
        )
    return Verdict(keep=ended)
