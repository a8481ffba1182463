"""Whatever comes, it is refused by name or gives numbers that are numbers: a short hunt, and a million cases."""

from __future__ import annotations

import numpy as np
import pytest

from edge_aiops.stats.summaries import Moments

from . import cases, forgery, surface
from .hunt import Hunt


@pytest.mark.parametrize("name", surface.CALLABLES)
def test_the_table_has_every_parameter(name: str) -> None:
    lacking = [parameter.name for parameter in cases.parameters(name) if not surface.maker(name, parameter.name)]
    assert not lacking, f"tests/fuzz/surface.py has nothing for {lacking} of {name}"


@pytest.mark.parametrize("name", surface.classes())
def test_the_table_has_an_example_of_every_class_with_methods(name: str) -> None:
    kind = surface.classes()[name]
    assert surface.has_example(kind) or not surface.methods(kind), f"tests/fuzz/surface.py has no example of {name}"


def test_every_class_that_reads_bytes_is_read() -> None:
    readers = {name for name, kind in surface.classes().items() if hasattr(kind, "from_bytes")}
    assert readers == {kind.__name__ for kind, reader in cases.READERS.values() if reader == "from_bytes"}


def test_what_is_forged_has_the_checksum_of_the_envelope() -> None:
    written = Moments().to_bytes()
    assert forgery.sealed(written[: -forgery.CHECKSUM]) == written


def test_a_case_is_the_same_each_time() -> None:
    def outcomes() -> list[str]:
        made = [cases.Case(5, number) for number in range(200)]
        for case in made:
            case.run()
        return [case.outcome for case in made]

    assert outcomes() == outcomes()


def test_a_short_hunt_finds_nothing() -> None:
    """Twenty thousand cases, in which every public class comes about."""
    report = Hunt(seed=1, count=20_000).run()
    assert not report.faults, report
    assert report.outcomes.total() == 20_000
    assert report.seen == surface.classes().keys()


@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12])
def test_a_long_hunt_finds_nothing(seed: int) -> None:
    """A million cases for both seeds."""
    report = Hunt(seed, count=500_000).run()
    print(report)
    assert not report.faults, report


def test_the_hunt_tells_of_what_dies_hangs_takes_memory_or_is_not_as_promised() -> None:
    report = Hunt(seed=3, count=10, module="tests.fuzz.broken", hangs_s=5.0).run()
    assert report.outcomes["nothing wrong"] == 5
    told = ["not as promised", "ended the process with -6", "hung for 5 s", "MemoryError", "a case may not raise this"]
    assert len(report.faults) == len(told)
    for number, (fault, wanted) in enumerate(zip(report.faults, told, strict=True)):
        assert f"seed 3, case {number}: " in fault and wanted in fault


def test_random_numbers_of_a_case_do_not_depend_on_others() -> None:
    assert cases.Case(1, 7).random.random() == np.random.default_rng([1, 7]).random()
