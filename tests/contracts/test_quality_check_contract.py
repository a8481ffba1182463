"""Every built-in quality check is what monitoring relies on."""

from __future__ import annotations

import pytest

from edge_aiops.observe.quality.specs import QUALITY_CHECKS
from edge_aiops.plugin.monitoring import QualityData
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.testing.quality_contract import ROWS, QualityCheckContract, sample, sample_feature

BAD = {
    "wrong_type": sample(sample_feature("age", wrong_type=1)),
    "shape": sample(wrong_shape=1),
    "missing": sample(sample_feature("age", absent=1, required_given=True)),
    "unexpected": sample(sample_feature("agee", expected=False, required=False, absent=ROWS - 1)),
    "null_rate": sample(sample_feature("age", null=60)),
    "non_finite": sample(sample_feature("age", infinite=1)),
    "range": sample(sample_feature("age", least=0.0, greatest=120.0, range_given=True, out_of_range=1)),
    "outliers": sample(sample_feature("age", fences=(0.0, 120.0), outliers=60)),
    "unknown_category": sample(sample_feature("land", kind="category", labels_given=True, unknown_labels=1)),
    "duplicates": sample(sample_feature("age"), duplicates=600),
    "constant": sample(sample_feature("age", constant=True)),
    "staleness": sample(rows=0, last_event_ms=-100_000_000),
}


def test_every_check_has_an_example() -> None:
    assert set(BAD) == {spec.name for spec in QUALITY_CHECKS}


class TestBuiltinQualityChecks(QualityCheckContract):
    """All of them in turn."""

    plugin = "edge_aiops.observe.plugin"

    @pytest.fixture(params=[spec.name for spec in QUALITY_CHECKS])
    def spec(self, request: pytest.FixtureRequest) -> QualityCheckSpec:
        return next(spec for spec in QUALITY_CHECKS if spec.name == request.param)

    @pytest.fixture
    def bad(self, spec: QualityCheckSpec) -> QualityData:
        return BAD[spec.name]
