"""How long a run waits for those who were answered together."""

from __future__ import annotations

import pytest

from edge_aiops.serving.company import Company


def test_a_run_begins_at_once_when_all_are_back_and_a_lone_caller_is_never_waited_for() -> None:
    company = Company(max_rows=8)
    assert company.due_at(1) == 0
    company.expect(3, rows=3, taken_s=0.002, now=10.0)
    assert company.due_at(3) == 0
    company.expect(1, rows=1, taken_s=0.002, now=10.0)
    assert company.due_at(1) == 0


def test_it_waits_while_they_keep_coming_and_no_longer_than_the_run_took() -> None:
    company = Company(max_rows=8)
    company.expect(5, rows=5, taken_s=0.002, now=10.0)
    assert company.due_at(1) == pytest.approx(10.0005)
    company.came(10.0004)
    assert company.due_at(2) == pytest.approx(10.0009)
    company.came(10.0019)
    assert company.due_at(3) == 10.002


def test_nobody_is_waited_for_who_would_not_fit_into_the_run() -> None:
    company = Company(max_rows=8)
    company.expect(5, rows=9, taken_s=0.002, now=10.0)
    assert company.due_at(1) == 0


def test_long_runs_do_not_make_long_gaps() -> None:
    company = Company(max_rows=8)
    company.expect(5, rows=5, taken_s=2.0, now=10.0)
    assert company.due_at(1) == 10.001
