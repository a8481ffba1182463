"""The tests that every drift test passes; a plugin's author subclasses `DriftTestContract`."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest

from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import Distribution, DriftSample, DriftScore, DriftTest, FeatureKind
from edge_aiops.plugin.specs import DriftTestSpec
from edge_aiops.testing.plugins import plugins_of_modules

_EDGES = tuple(float(edge) for edge in range(11))
_LABELS = tuple("abcdefghijk")
_SHIFTS = (0.0, 0.02, 0.1, 0.3, 0.6, 1.0)
_ROWS = 10_000


class DriftTestContract:
    """What monitoring relies on in every drift test. Needs pytest::

    class TestMyTest(DriftTestContract):
        plugin = "edge_aiops_mine.plugin"
        test_name = "mine"
    """

    plugin: ClassVar[str]
    """The dotted name of the module that the plugin's entry point names."""

    test_name: ClassVar[str]
    """The `name` in the drift test's spec."""

    @pytest.fixture
    def tests(self) -> Extensions[DriftTestSpec]:
        """The plugin's drift tests."""
        plugins = plugins_of_modules(self.plugin)
        tests = Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec)
        assert [plugin.error for plugin in plugins.all()] == [None]
        assert self.test_name in tests.specs
        return tests

    @pytest.fixture
    def spec(self, tests: Extensions[DriftTestSpec]) -> DriftTestSpec:
        """The drift test's spec."""
        return tests.specs[self.test_name]

    @pytest.fixture
    def drift_test(self, tests: Extensions[DriftTestSpec]) -> DriftTest:
        """The drift test, made as monitoring makes it."""
        made: DriftTest = tests.get(self.test_name)
        return made

    def test_its_spec_says_what_it_measures_and_how_it_decides(self, spec: DriftTestSpec) -> None:
        assert spec.kinds
        assert spec.description
        assert spec.threshold is None or spec.threshold >= 0

    def test_equal_distributions_score_zero_and_a_growing_shift_more_and_more(
        self, spec: DriftTestSpec, drift_test: DriftTest
    ) -> None:
        for kind in spec.kinds:
            scores = [_score(drift_test, shifted(kind, shift)) for shift in _SHIFTS]
            assert scores[0] == pytest.approx(0, abs=1e-9), f"{kind}: equal distributions must score 0"
            assert scores == sorted(scores), f"{kind}: scores of growing shifts: {scores}"
            assert scores[-1] > scores[1] > scores[0], f"{kind}: scores of growing shifts: {scores}"

    def test_where_it_decides_by_a_p_value_that_falls_with_the_shift(
        self, spec: DriftTestSpec, drift_test: DriftTest
    ) -> None:
        for kind in spec.kinds:
            given = [drift_test.measure(shifted(kind, shift)).p_value for shift in _SHIFTS]
            if spec.decides == "p_value":
                assert given[0] is not None and given[0] > 0.2, f"{kind}: equal distributions have p {given[0]}"
                assert given[-1] is not None and given[-1] < 1e-6, f"{kind}: a large shift has p {given[-1]}"
            assert all(p is None or 0 <= p <= 1 for p in given)

    def test_no_input_makes_it_raise_or_give_what_json_cannot_hold(self, drift_test: DriftTest) -> None:
        for sample in awkward():
            found = drift_test.measure(sample)
            assert isinstance(found, DriftScore)
            for value in found:
                assert value is None or math.isfinite(value), f"{sample} gave {found}"

    def test_the_same_sample_scores_the_same(self, spec: DriftTestSpec, drift_test: DriftTest) -> None:
        sample = shifted(spec.kinds[0], 0.3)
        assert drift_test.measure(sample) == drift_test.measure(sample)


def shifted(kind: FeatureKind, shift: float) -> DriftSample:
    """A feature of which a share `shift` has moved to the last cell, and half as many values are missing."""
    cells = len(_EDGES) + 1 if kind == "numeric" else len(_LABELS) + 1
    even = np.zeros(cells, np.int64)
    even[1:-1] = _ROWS // (cells - 2)
    present = round(_ROWS * (1 - shift / 2))
    moved = np.floor(even * (1 - shift) * present / _ROWS).astype(np.int64)
    moved[-2] += present - int(moved.sum())
    return _sample(kind, even, moved if shift else even, missing=_ROWS - present)


def awkward() -> list[DriftSample]:
    """Samples of what goes wrong in practice: nothing on a side, one cell, huge counts, all missing, unseen values."""
    samples: list[DriftSample] = []
    for kind in ("numeric", "category"):
        empty, full = np.zeros(12, np.int64), np.full(12, 50, np.int64)
        unseen = empty.copy()
        unseen[-1] = 500
        huge = np.full(12, 2**58, np.int64)
        for reference, current in (
            *((empty, empty), (empty, full), (full, empty), (full, unseen), (unseen, full)),
            *((huge, full), (full, huge), (huge, huge), (unseen, unseen)),
        ):
            samples += [_sample(kind, reference, current, missing=missing) for missing in (0, 700)]
    # A constant feature, and a baseline without any value.
    nothing = Distribution(kind="numeric", counts=np.zeros(2, np.int64), missing=5)
    one = Distribution(kind="numeric", counts=np.array([0, 300, 0]), missing=0, edges=(1.0, 1.5))
    moved = Distribution(kind="numeric", counts=np.array([0, 0, 300]), missing=0, edges=(1.0, 1.5))
    samples += [DriftSample(feature="x", reference=a, current=b) for a, b in ((nothing, nothing), (one, moved))]
    labels = Distribution(kind="category", counts=np.zeros(1, np.int64), missing=3)
    return [*samples, DriftSample(feature="x", reference=labels, current=labels)]


def _score(drift_test: DriftTest, sample: DriftSample) -> float:
    score = drift_test.measure(sample).score
    assert score is not None, f"no score of {sample}"
    return score


def _sample(kind: Any, reference: Any, current: Any, *, missing: int) -> DriftSample:
    cells: dict[str, Any] = {"edges": _EDGES} if kind == "numeric" else {"labels": _LABELS}
    return DriftSample(
        feature="x",
        reference=Distribution(kind=kind, counts=reference, missing=0, **cells),
        current=Distribution(kind=kind, counts=current, missing=missing, **cells),
    )
