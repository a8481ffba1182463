"""docs/registry.md says what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from edge_aiops.registry.messages import ModelVersion, Registration, registration_from
from edge_aiops.registry.stages import STAGES

PAGE = (Path(__file__).parents[3] / "docs" / "registry.md").read_text("utf-8")
EXAMPLES = [json.loads(example) for example in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_every_field_and_stage_is_documented() -> None:
    words = {*ModelVersion.__struct_encode_fields__, *STAGES}
    assert not {word for word in words if f"`{word}`" not in PAGE and f'"{word}"' not in PAGE}


def test_the_examples_are_what_the_registry_takes_and_tells() -> None:
    registration, told, with_golden = EXAMPLES
    wanted = registration_from(registration)
    assert wanted.training_config == {"algorithm": "logistic regression", "c": 1.0}
    assert registration_from(with_golden).golden is not None
    version = msgspec.convert({**msgspec.to_builtins(wanted), **told}, ModelVersion)
    assert version.signature.inputs[0].shape == (None, 4)
    assert set(told) == set(ModelVersion.__struct_encode_fields__) - set(Registration.__struct_encode_fields__)
