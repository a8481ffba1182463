"""After an outage nodes do not come back all at once."""

from __future__ import annotations

import pytest

from benchmarks.fleet_herd import after_outage


@pytest.mark.parametrize("outage_s", [0, 3_600])
async def test_nodes_push_spread_over_time_with_and_without_an_outage(outage_s: int) -> None:
    """By the real push loop, in virtual time; the benchmark has 10,000 nodes."""
    arrivals = await after_outage(outage_s, nodes=300)
    assert arrivals.peak <= 3 * arrivals.mean
