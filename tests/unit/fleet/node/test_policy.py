"""The node's own policy decides what of a desired state may be applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.errors import SettingsError
from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState, Sampling
from edge_aiops.fleet.node.policy import Policy, permitted
from edge_aiops.journal.capture import CapturePolicy


def model(name: str = "m", **fields: Any) -> DesiredModel:
    known = {"version": "1", "deployment": 1, "stage": "candidate", "framework": "onnx", "sha256": None, "size": 10}
    return DesiredModel(name=name, **(known | fields))


def desired(*models: DesiredModel, **fields: Any) -> DesiredState:
    return DesiredState(generation=1, models=models, **fields)


RULE = {"id": "busy", "conditions": [{"metric": "requests", "operator": ">", "threshold": 5}]}


def test_without_a_file_everything_holds_but_samples(tmp_path: Path) -> None:
    policy = Policy.read("", tmp_path)
    wanted = desired(model(trust="code", framework="any"), alert_rules=(RULE,), monitoring={"": {"enabled": False}})
    assert permitted(wanted, policy) == (wanted, ())
    sampled = permitted(desired(sampling={"m": Sampling(rate=0.5)}), policy)
    assert sampled.desired.sampling == {}
    assert "does not say sampling = true" in sampled.refused[0]


@pytest.mark.parametrize(
    ("policy", "forbidden", "reason"),
    [
        (Policy(frameworks=("tflite",)), {}, "framework 'onnx' is not in the policy's frameworks = ['tflite']"),
        (Policy(trust_code=False), {"trust": "code"}, "trust_code = false"),
        (Policy(max_artifact_bytes=9), {}, "10 bytes are more than the policy's max_artifact_bytes = 9"),
        (Policy(max_models=0), {}, "max_models = 0"),
    ],
)
def test_a_forbidden_model_is_left_out_and_the_reason_is_said(
    policy: Policy, forbidden: dict[str, Any], reason: str
) -> None:
    found = permitted(desired(model(**forbidden), alert_rules=(RULE,)), policy)
    assert found.desired.models == ()
    assert found.desired.alert_rules == (RULE,)
    (sentence,) = found.refused
    assert sentence.startswith("model m 1 is not fetched: ")
    assert reason in sentence


def test_of_too_many_models_those_in_production_come_first() -> None:
    models = model("a"), model("b", stage="staging"), model("c", stage="production"), model("d", stage="production")
    found = permitted(desired(*models), Policy(max_models=3))
    assert {kept.name for kept in found.desired.models} == {"b", "c", "d"}
    assert found.refused == ("model a 1 is not fetched: the policy says max_models = 3",)


def test_of_a_model_whose_capture_is_not_allowed_nothing_is_kept() -> None:
    found = permitted(desired(model(), model("n", capture=CapturePolicy(mode="hashed"))), Policy(capture=("hashed",)))
    assert [kept.capture.mode for kept in found.desired.models] == ["none", "hashed"]
    assert len(found.refused) == 1


def test_the_hubs_rules_and_configuration_can_be_kept_out() -> None:
    wanted = desired(model(), alert_rules=(RULE,), monitoring={"": {"enabled": False}})
    found = permitted(wanted, Policy(rules=False, monitoring=False))
    assert (found.desired.alert_rules, found.desired.monitoring) == (None, {})
    assert found.desired.models == wanted.models
    assert len(found.refused) == 2


def test_samples_are_limited_to_what_the_policy_allows() -> None:
    policy = Policy(sampling=True, most_samples_per_day=10)
    wanted = {"m": Sampling(rate=0.5, most_per_day=100), "n": Sampling(rate=0.1, most_per_day=5)}
    assert permitted(desired(sampling=wanted), policy).desired.sampling == {
        "m": Sampling(rate=0.5, most_per_day=10),
        "n": wanted["n"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("framworks = []", "framworks"),
        ("sampling = 'yes'", "sampling"),
        ("capture = ['partly']", "partly"),
        ("sampling =", "Invalid value"),
        ("\xff", "policy"),
    ],
)
def test_a_policy_that_cannot_be_followed_keeps_the_node_from_starting(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "policy.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=said) as failure:
        Policy.read("", tmp_path)
    assert str(tmp_path / "policy.toml") in failure.value.message


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        Policy.read(str(tmp_path / "mine.toml"), tmp_path)
    (tmp_path / "mine.toml").write_text("sampling = true\nframeworks = ['onnx']")
    assert Policy.read(str(tmp_path / "mine.toml"), tmp_path) == Policy(sampling=True, frameworks=("onnx",))
