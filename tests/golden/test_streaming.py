"""Detectors find the changes that river finds, in streams made from seeds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import streaming
from tests.golden.make_streaming import values

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("streaming.json").read_text())


@pytest.mark.parametrize("detector", ["Adwin", "PageHinkley", "Kswin", "Ddm"])
def test_detections_are_those_of_river(detector: str) -> None:
    cases = [case for case in CASES if case["detector"] == detector]
    assert len(cases) >= 80 and sum(map(bool, (case["detections"] for case in cases))) >= 40
    for case in cases:
        watched = getattr(streaming, detector)(**case["parameters"])
        found = watched.update_many(values(detector, case["shape"], case["seed"]))
        assert found.tolist() == case["detections"], case
        assert watched.detections == len(found)
        if "width" in case:
            assert watched.width == case["width"], case
            assert watched.mean == pytest.approx(case["mean"], rel=1e-12)
            assert watched.variance * watched.width == pytest.approx(case["squares"], rel=1e-9)
        if case.get("p_value"):
            assert watched.p_value == pytest.approx(case["p_value"], rel=1e-9)


def test_warnings_are_those_of_river() -> None:
    for case in CASES:
        if case["detector"] == "Ddm":
            watched, warnings = streaming.Ddm(**case["parameters"]), 0
            for value in values("Ddm", case["shape"], case["seed"]).astype(np.bool_).tolist():
                watched.update(value)
                warnings += watched.warning_detected
            assert warnings == case["warnings"], case
