"""Whatever a model was registered with as its schema, its events are observed."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.given import read_schema
from edge_aiops.observe.quality.schema import schema_of
from edge_aiops.stats.summaries import Baseline

_KEYWORDS = (
    "properties required type dtype minimum min max range enum categories const nullable optional anyOf constraints "
    "items shape inputs features fields schema name additionalProperties exclusiveMinimum x"
)
KEYWORDS = st.sampled_from(_KEYWORDS.split())
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=5),
    st.sampled_from(["number", "string", "array", "object", "null", "boolean", "x", "{}", "[1", "float32"]),
)  # fmt: skip
SCHEMAS = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYWORDS, inner, max_size=5), max_leaves=25
)
BASELINE = ModelBaseline(
    number=1, model_name="m", model_version=None, source="dataset", description="", created_at=0, rows=200,
    inputs=Baseline({"x": np.arange(200.0), "name": ["a", "b"] * 100}), outputs=None, outcomes=None,
)  # fmt: skip


@given(SCHEMAS)
def test_every_schema_is_read_and_what_is_expected_can_be_shown(schema: Any) -> None:
    for low, high in read_schema(schema).ranges.values():
        assert type(low) is type(high) is float and not low > high
    model = ObservedModel(served_by=ServedBy("m", "1", 1), stage="production", input_schema=schema)
    for baseline in (None, BASELINE):
        msgspec.json.decode(msgspec.json.encode(schema_of(model, baseline)))
