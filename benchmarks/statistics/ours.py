"""Ours: the cases of edge_aiops.stats."""

from functools import partial
from benchmarks.peers import data
from benchmarks.peers.case import Case, Work


def _moments() -> Work:
    from edge_aiops.stats import moments

    values = data.current(1_000_000)
    return lambda: moments(values).variance


CASES = [Case("moments 1e6", "edge_aiops", _moments)]
