"""The tests that every quality check passes; a plugin's author subclasses `QualityCheckContract`."""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar

import msgspec
import pytest

from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import QualityCheck, QualityData, QualityFeature, QualityFinding
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.testing.plugins import plugins_of_modules

ROWS = 1_000
_COUNTS = ("absent", "null", "wrong_type", "nan", "infinite", "out_of_range", "outliers", "unknown_labels")
_FEATURES = 10_000
_LONGEST_S = 5.0


class QualityCheckContract:
    """What monitoring relies on in every quality check. Needs pytest::

    class TestMyCheck(QualityCheckContract):
        plugin = "edge_aiops_mine.plugin"
        check_name = "mine"

        @pytest.fixture
        def bad(self):
            return sample(sample_feature("age", out_of_range=900))
    """

    plugin: ClassVar[str]
    """The dotted name of the module that the plugin's entry point names."""

    check_name: ClassVar[str]
    """The `name` in the check's spec."""

    @pytest.fixture
    def bad(self) -> QualityData:
        """What the check must find fault with."""
        raise NotImplementedError("give a fixture `bad`: QualityData in which your check finds a violation")

    @pytest.fixture
    def checks(self) -> Extensions[QualityCheckSpec]:
        """The plugin's quality checks."""
        plugins = plugins_of_modules(self.plugin)
        checks = Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)
        assert [plugin.error for plugin in plugins.all()] == [None]
        return checks

    @pytest.fixture
    def spec(self, checks: Extensions[QualityCheckSpec]) -> QualityCheckSpec:
        """The check's spec."""
        return checks.spec(self.check_name)

    @pytest.fixture
    def quality_check(self, checks: Extensions[QualityCheckSpec], spec: QualityCheckSpec) -> QualityCheck:
        """The check, made as monitoring makes it."""
        made: QualityCheck = checks.get(spec.name)
        return made

    def test_its_spec_says_what_it_sees_and_from_which_share_on(self, spec: QualityCheckSpec) -> None:
        assert spec.description
        assert 0 <= spec.threshold <= 1

    def test_what_is_as_it_should_be_is_no_violation(self, spec: QualityCheckSpec, quality_check: QualityCheck) -> None:
        clean = sample(sample_feature("age"), sample_feature("country", kind="category"))
        assert [finding for finding in _checked(quality_check, clean) if _exceeds(spec, finding)] == []

    def test_it_finds_what_it_is_there_for(
        self, spec: QualityCheckSpec, quality_check: QualityCheck, bad: QualityData
    ) -> None:
        assert any(_exceeds(spec, finding) for finding in _checked(quality_check, bad))

    def test_no_data_make_it_raise_or_find_more_rows_than_there_are(
        self, quality_check: QualityCheck, bad: QualityData
    ) -> None:
        for data in (bad, *awkward()):
            for finding in _checked(quality_check, data):
                assert 0 <= finding.affected <= finding.rows <= max(data.rows, 0), finding
                assert finding.share is None or math.isfinite(finding.share), finding
                assert 0 <= finding.tolerated <= 1, finding

    def test_its_findings_say_what_is_wrong_and_with_which_feature(
        self, quality_check: QualityCheck, bad: QualityData
    ) -> None:
        for finding in _checked(quality_check, bad):
            assert finding.message
            assert finding.feature is None or finding.feature in bad.features
            assert finding.feature is None or finding.feature in finding.message
            msgspec.json.encode(finding)

    def test_the_same_data_are_found_the_same(self, quality_check: QualityCheck, bad: QualityData) -> None:
        assert _checked(quality_check, bad) == _checked(quality_check, bad)

    def test_ten_thousand_features_are_checked_in_seconds(self, quality_check: QualityCheck) -> None:
        features = [sample_feature(f"f{number}", null=number % 3, absent=number % 5) for number in range(_FEATURES)]
        began_s = time.monotonic()
        _checked(quality_check, sample(*features))
        assert time.monotonic() - began_s < _LONGEST_S


def sample_feature(name: str, **facts: Any) -> QualityFeature:
    """A feature that is as it should be in every row, but for what `facts` say."""
    usual = {"kind": "numeric", "expected": True, "required": True, "rows": ROWS}
    return QualityFeature(name=name, **{**usual, "absent": 0, "null": 0, "wrong_type": 0, **facts})


def sample(*features: QualityFeature, **facts: Any) -> QualityData:
    """An hour of a model in production, all well but for what `facts` and the features say."""
    hour_ms = 3_600_000
    usual: dict[str, Any] = {
        "model_name": "sample",
        "model_version": "1",
        "from_ms": 0,
        "until_ms": hour_ms,
        "rows": ROWS,
        "duplicates": 0,
        "combinations": None,
        "wrong_shape": 0,
        "last_event_ms": hour_ms - 1_000,
        "stale_after_ms": 24 * hour_ms,
        "features": {feature.name: feature for feature in features},
    }
    return QualityData(**{**usual, **facts})


def awkward() -> list[QualityData]:
    """What goes wrong in practice: no rows, no events ever, no features, rows that are all wrong, an unknown kind."""
    everything = dict.fromkeys(_COUNTS, ROWS)
    wrong = [sample_feature("x", **{count: ROWS}) for count in _COUNTS]
    return [
        sample(),
        sample(rows=0, last_event_ms=None),
        sample(sample_feature("x", rows=0), rows=0, last_event_ms=None, stale_after_ms=None),
        sample(duplicates=ROWS, wrong_shape=ROWS, combinations=0, last_event_ms=-(10**15)),
        *(sample(feature) for feature in wrong),
        sample(sample_feature("x", kind=None, expected=False, required=False, **everything)),
        sample(
            sample_feature("x", fences=(0.0, 1.0), constant=True, least=1.0, minimum=0.0, maximum=0.0, **everything)
        ),
    ]


def _checked(quality_check: QualityCheck, data: QualityData) -> list[QualityFinding]:
    found = quality_check.check(data)
    assert isinstance(found, list)
    assert all(isinstance(finding, QualityFinding) for finding in found)
    return found


def _exceeds(spec: QualityCheckSpec, finding: QualityFinding) -> bool:
    share = finding.share if finding.share is not None else finding.affected / max(finding.rows, 1)
    return share > spec.threshold + finding.tolerated
