"""The tables of contests are whole: every figure has our case, every peer its pinned packages."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.contest import PEERS
from benchmarks.peers.case import Case
from benchmarks.statistics.array_calls import CALLS, FIXED_SIZE, functions_of_arrays

FOLDER = Path(__file__).parents[2] / "benchmarks" / "peers"
CONTESTS = ("statistics", "monitoring")


def keys(contest: str) -> set[str]:
    return {figure.key for figure in import_module(f"benchmarks.{contest}.figures").FIGURES}


def cases(peer: str) -> list[Case]:
    found: list[Case] = import_module(f"benchmarks.peers.{peer}").CASES
    return found


@pytest.mark.parametrize("contest", CONTESTS)
def test_every_figure_has_one_case_of_ours(contest: str) -> None:
    ours = import_module(f"benchmarks.{contest}.ours").CASES
    assert Counter(case.figure for case in ours) == Counter(keys(contest))


def test_no_figure_is_in_two_contests() -> None:
    assert set.intersection(*map(keys, CONTESTS)) == set()


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_competes_only_in_figures_that_there_are(peer: str) -> None:
    assert cases(peer)
    assert {case.figure for case in cases(peer)} <= set.union(*map(keys, CONTESTS))


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_is_installed_at_versions_that_are_pinned(peer: str) -> None:
    lines = (FOLDER / f"{peer}.txt").read_text("ascii").splitlines()
    assert lines
    assert [line for line in lines if line.count("==") != 1] == []


def test_every_function_of_arrays_is_called_by_the_memory_benchmark() -> None:
    assert set(functions_of_arrays()) - set(CALLS) == set()
    assert not set(CALLS) & set(FIXED_SIZE)
