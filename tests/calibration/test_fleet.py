"""A fleet finds what no node does, and keeps quiet where there is nothing: a short version, and the full tables."""

from pathlib import Path

import pytest

from .fleet import ALPHA, ever_alarmed, power, report


async def test_power_grows_with_the_number_of_nodes_and_alarms_do_not() -> None:
    """A shift of 0.05 deviations; a false alarm in more than 5 of 20 would have a probability of one in 3,000."""
    found = await power(repetitions=20, seed=1, nodes=(1, 30, 200), shifts=(0.0, 0.05), quiet_days=7)
    at_any_time = {shift: found[shift, "alwaysValid"] for shift in (0.0, 0.05)}
    assert at_any_time[0.05][1].times == 0
    assert at_any_time[0.05][200].times >= 17
    for number in (1, 30, 200):
        assert at_any_time[0.0][number].times <= 1
        assert found[0.0, "oneLook"][number].times <= 5


def test_a_quiet_fleet_is_watched_for_a_month_without_an_alarm() -> None:
    assert ever_alarmed(days=30, nodes=100, repetitions=10, seed=2).times == 0


@pytest.mark.soak
def test_the_tables_keep_their_level(tmp_path: Path) -> None:
    lines = [*report(tmp_path / "picture.svg", repetitions=400)]
    quiet = [line for line in lines if line.startswith("| none")]
    assert len(quiet) == 6
    for line in quiet:
        shares = [float(cell.removesuffix("%")) for cell in line.split("|")[3:-1]]
        # One of seven sizes above 9 % at a true 5 % has a probability of one in a thousand.
        assert max(shares) <= 100 * ALPHA + 4
    assert (tmp_path / "picture.svg").read_text().startswith("<svg")
