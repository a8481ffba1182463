"""What leaves a node of an alert quotes no values of requests."""

from __future__ import annotations

from msgspec.structs import replace

from edge_aiops.observe.alerts.alert import Alert, Judged, without_values
from edge_aiops.observe.alerts.condition import Condition


def judged(metric: str, details: str) -> Judged:
    return Judged(
        condition=Condition(metric=metric, operator=">", threshold=0), unit="", value=1.0, holds=True, details=details
    )


def test_what_quality_checks_quote_stays_and_which_features_drifted_is_told() -> None:
    quoted = "'age' is outside of [0, 120] (seen: 3 to 133.25) in 5 of 100 rows"
    drifted = "driftedFeatures of m 1 is 1, above 0 (drifted: age)"
    alert = Alert(
        id="1", rule_id="r", rule_name="Data", model_name="m", model_version="1", severity="warning", status="firing",
        value=1.0, threshold=0.0, started_at=1,
        message=f"Data: qualityViolations of m 1 is 1, above 0 ({quoted}) and {drifted}",
        conditions=(judged("qualityViolations", quoted), judged("driftedFeatures", "drifted: age")),
    )  # fmt: skip
    told = without_values(alert)
    assert told.message == f"Data: qualityViolations of m 1 is 1, above 0 and {drifted}"
    assert [of.details for of in told.conditions] == [None, "drifted: age"]


def test_of_an_alert_that_is_over_the_message_quotes_nothing_either() -> None:
    quoted = "'name' has labels that the baseline has not: 'alice' in 5 of 100 rows"
    over = replace(judged("qualityViolations", quoted), value=0.0, holds=False, details=None)
    alert = Alert(
        id="1", rule_id="r", rule_name="Data", model_name="m", model_version="1", severity="warning",
        status="resolved", value=3.0, threshold=0.0, started_at=1, fired_at=2, resolved_at=3,
        message=f"Data: qualityViolations of m 1 is 3, above 0 ({quoted})", conditions=(over,),
    )  # fmt: skip
    assert without_values(alert).message == "Data: qualityViolations of m 1 is 3, above 0"
    other = replace(over, holds=None, details="'name' has labels that the baseline has not: 'bob' in 1 of 100 rows")
    assert without_values(replace(alert, conditions=(other,))).message == "Data: qualityViolations of m 1 is 3, above 0"
