"""How the command line shows drift."""

from __future__ import annotations

from typing import Any

import pytest

from edge_aiops.cli.drift.shown import print_history, print_result

PICTURE = {"counts": [1, 2, 3, 4], "below": 0, "above": 0}


def feature(name: str, *, method: str = "ks_test", drifted: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "feature": name,
        "method": method,
        "decides": "p_value",
        "score": 0.2,
        "threshold": 0.05,
        "adjustedPValue": 0.5,
        "effectSize": 0.3 if drifted else 0.01,
        "drifted": drifted,
        "currentCount": 2_000,
        "tests": {},
        "reference": PICTURE,
        "current": PICTURE,
        **more,
    }


def result(*features: dict[str, Any]) -> dict[str, Any]:
    drifted = [one["feature"] for one in features if one["drifted"]]
    return {
        "driftType": "input",
        "modelName": "house",
        "modelVersion": "1",
        "from": 1_000,
        "to": 2_000,
        "checkedAt": 2_000,
        "baseline": {"number": 1, "source": "dataset", "description": ""},
        "method": "ks_test",
        "score": 0.2,
        "drifted": bool(drifted),
        "confirmed": False,
        "driftedFeatures": drifted,
        "labelled": None,
        "currentCount": 2_000,
        "warnings": [],
        "features": list(features),
    }


@pytest.mark.parametrize(("decides", "limit"), [("p_value", "p <= 0.05"), ("distance", ">= 0.05")])
def test_the_limit_is_of_what_decides_also_where_no_test_gave_anything(
    decides: str, limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_result(result(feature("age", decides=decides, tests={"ks_test": {"score": None, "pValue": None}})))
    heading, row = capsys.readouterr().out.splitlines()[-2:]
    assert row[heading.index("limit") : heading.index("method")].strip() == limit


def test_what_has_not_drifted_is_stable_and_what_was_not_judged_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(result(feature("age"), feature("income", drifted=True), feature("rooms", score=None)))
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()[-3:]]
    assert rows == [["income", "drifted"], ["age", "stable"], ["rooms", "unknown"]]
    print_history([result(feature("age"))])
    assert " stable " in capsys.readouterr().out


@pytest.mark.parametrize("columns", [80, 140])
def test_on_a_terminal_small_pictures_and_headings_are_whole(terminal: Any, columns: int) -> None:
    shown = terminal(columns)
    print_result(result(feature("a-feature-with-a-long-name", drifted=True), feature("age")))
    text = shown.getvalue()
    assert text.count("▃▅▇█") == 4
    assert "…" not in text and "\x1b[1;31mdrifted" in text
    assert max(map(len, shown.lines)) <= columns
    assert ("p adjusted" in text) == (columns == 140)
