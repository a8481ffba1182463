"""Every metric, default rule and field of a rule is documented as it is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_aiops.cli.rules.condition import condition_text
from edge_aiops.observe.alerts.alert import Alert
from edge_aiops.observe.alerts.catalogue import METRICS
from edge_aiops.observe.alerts.condition import Condition
from edge_aiops.observe.alerts.defaults import DEFAULT_RULES
from edge_aiops.observe.alerts.rule import RuleWish
from edge_aiops.observe.config import NotifierConfig
from edge_aiops.plugin import Notification, NotifierSpec

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "monitoring" / "alerts.md").read_text("utf-8")
PLUGINS = (DOCS / "plugins.md").read_text("utf-8")
WINDOWS = {None: "", 5: "5 min", 60: "1 h", 1_440: "24 h"}


@pytest.mark.parametrize("name", list(METRICS))
def test_a_metric_is_documented_as_it_is(name: str) -> None:
    metric = METRICS[name]
    parameters = ", ".join(f"`{said}`{'*' if said in metric.required else ''}" for said in metric.parameters)
    cells = (f"`{name}`", metric.unit, parameters, WINDOWS[metric.window_minutes], metric.description)
    assert f"| {' | '.join(cells)} |" in PAGE


@pytest.mark.parametrize("rule_id", list(DEFAULT_RULES))
def test_a_default_rule_is_documented_as_it_is(rule_id: str) -> None:
    rule = DEFAULT_RULES[rule_id]
    fires = " and ".join(condition_text(msgspec.to_builtins(condition)) for condition in rule.conditions)
    assert f"| `{rule_id}` | {rule.severity} | `{fires}` | {rule.for_duration} | {rule.clear_duration} |" in PAGE


@pytest.mark.parametrize("kind", [RuleWish, Condition, Alert, NotifierConfig])
def test_every_field_is_documented(kind: type[msgspec.Struct]) -> None:
    assert [field.encode_name for field in msgspec.structs.fields(kind) if f"`{field.encode_name}`" not in PAGE] == []


@pytest.mark.parametrize("kind", [NotifierSpec, Notification])
def test_every_field_that_a_plugin_sees_is_documented(kind: type[msgspec.Struct]) -> None:
    assert [field.name for field in msgspec.structs.fields(kind) if f"| `{field.name}` |" not in PLUGINS] == []
