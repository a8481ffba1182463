"""What is expected of features: read from schemas as clients write them, and inferred from baselines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec import structs

from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.given import GivenFeature, read_schema
from edge_aiops.observe.quality.schema import FeatureSchema, schema_of
from edge_aiops.stats.summaries import Baseline

AGE = GivenFeature(kind="numeric", minimum=0, maximum=120)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"age": {"type": "number", "minimum": 0, "maximum": 120}}},
        {"properties": {"age": {"type": ["integer"], "minimum": 0, "maximum": 120}}},
        {"age": {"dtype": "float32", "min": 0, "max": "120"}},
        {"inputs": {"age": {"type": "double", "range": [0, 120]}}},
        {"features": {"properties": {"age": {"type": "int64", "ge": 0, "le": 120}}}},
        {"schema": {"fields": {"age": {"datatype": "FP64", "constraints": {"minimum": 0, "maximum": 120}}}}},
        '{"age": {"type": "number", "minimum": 0, "maximum": 120}}',
        {"inputs": '{"age": {"type": "number", "minimum": 0, "maximum": 120}}'},
    ],
)
def test_a_range_is_read_however_it_is_written(schema: Any) -> None:
    given = read_schema(schema)
    assert given.problems == ()
    assert given.features == {"age": AGE}
    assert given.ranges == {"age": (0, 120)}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ([{"name": "age", "type": "double", "min": 0, "max": 120}], structs.replace(AGE, required=True)),
        ([{"name": "age", "required": False}], GivenFeature(required=False)),
        ([{"name": "age", "optional": True}], GivenFeature(required=False)),
        (["age"], GivenFeature(required=True)),
        ({"age": "float"}, GivenFeature(kind="numeric")),
        ({"age": "string"}, GivenFeature(kind="category")),
        ({"age": "boolean"}, GivenFeature()),
        ({"age": ["number", "null"]}, GivenFeature(kind="numeric", nullable=True)),
        ({"age": {"anyOf": [{"type": "number"}, {"type": "null"}]}}, GivenFeature(kind="numeric", nullable=True)),
        ({"age": {"type": "number", "nullable": "false"}}, GivenFeature(kind="numeric", nullable=False)),
        ({"age": {"minimum": 0}}, GivenFeature(kind="numeric", minimum=0)),
        ({"age": {"enum": ["a", True, 2.0]}}, GivenFeature(kind="category", categories=("a", "true", "2"))),
        ({"age": {"const": "a"}}, GivenFeature(kind="category", categories=("a",))),
        (
            {"age": {"enum": [3, 1, 2]}},
            GivenFeature(kind="numeric", minimum=1, maximum=3, categories=("3", "1", "2")),
        ),
        ({"age": {"type": "array", "items": {"type": "number"}}}, GivenFeature(vector=True, required=False)),
        ([{"name": "age", "shape": [1, 512]}], GivenFeature(vector=True, required=False)),
        ([{"name": "age", "datatype": "FP32", "shape": [-1, 1]}], GivenFeature(kind="numeric", required=True)),
        ({"properties": {"age": {}}, "required": ["age"]}, GivenFeature(required=True)),
        ({"properties": {"age": {}}, "required": []}, GivenFeature(required=False)),
        ({"properties": {"age": {"type": "number", "exclusiveMinimum": True}}}, GivenFeature(kind="numeric")),
    ],
)
def test_properties_are_read_however_they_are_written(schema: Any, expected: GivenFeature) -> None:
    given = read_schema(schema)
    assert given.problems == ()
    assert given.features == {"age": expected}


def test_the_properties_of_an_object_are_features_by_the_names_under_which_they_come() -> None:
    place = {"type": "object", "properties": {"zip": {"type": "string"}, "floor": {"max": 9}}, "required": ["zip"]}
    assert read_schema({"properties": {"place": place, "age": {"type": "number"}}}).features == {
        "place.zip": GivenFeature(kind="category", required=True),
        "place.floor": GivenFeature(kind="numeric", required=False, maximum=9),
        "age": GivenFeature(kind="numeric"),
    }


@pytest.mark.parametrize("name", ["inputs", "features", "schema", "fields", "columns"])
def test_a_feature_may_be_called_like_what_holds_a_schema(name: str) -> None:
    assert read_schema({name: "float"}).features == {name: GivenFeature(kind="numeric")}
    assert read_schema({name: {"type": "float"}}).features == {name: GivenFeature(kind="numeric")}


@pytest.mark.parametrize(
    ("schema", "field", "said"),
    [
        ("age", "inputSchema", "no JSON"),
        (7, "inputSchema", "no schema"),
        ({"age": 7}, "inputSchema.age", "no description"),
        ({"age": {"type": "quaternion"}}, "inputSchema.age.type", "'quaternion'"),
        ({"age": {"type": "number", "min": "low"}}, "inputSchema.age.min", "'low' is no number"),
        ({"age": {"minimum": 9, "maximum": 1}}, "inputSchema.age.minimum", "9, is above the greatest, 1"),
        ({"age": {"minimum": 9, "enum": [1, 2]}}, "inputSchema.age.minimum", "above the greatest, 2"),
        ({"age": {"range": 9}}, "inputSchema.age.range", "9"),
        ({"age": {"enum": "abc"}}, "inputSchema.age.enum", "no list of labels"),
        ({"age": {"enum": []}}, "inputSchema.age.enum", "no list of labels"),
        ({"age": {"nullable": "maybe"}}, "inputSchema.age.nullable", "neither true nor false"),
        ([{"type": "number"}], "inputSchema[0]", "no name"),
        (["age", "age"], "inputSchema[1]", "already"),
        ({"properties": {"age": {"type": "number"}}, "required": "age"}, "inputSchema.required", "no list of names"),
        ({"inputs": {"properties": {"age": {"min": []}}}}, "inputSchema.inputs.properties.age.min", "no number"),
    ],
)
def test_what_cannot_be_understood_is_named_and_the_rest_holds(schema: Any, field: str, said: str) -> None:
    given = read_schema(schema)
    ((problem_field, message),) = [(problem.field, problem.message) for problem in given.problems]
    assert problem_field == field
    assert said in message
    assert read_schema([schema, {"name": "other", "type": "float"}]).features["other"].kind == "numeric"


def test_nothing_and_an_empty_schema_say_nothing() -> None:
    for schema in (None, {}, [], "{}", {"inputs": []}):
        assert read_schema(schema).features == {}
        assert read_schema(schema).problems == ()


def test_schemas_within_schemas_are_looked_into_to_a_depth_that_has_an_end() -> None:
    schema: dict[str, Any] = {"age": "float"}
    for _ in range(5):
        schema = {"inputs": schema}
    assert read_schema(schema).features == {"age": GivenFeature(kind="numeric")}
    for _ in range(5_000):
        schema = {"inputs": schema}
    assert list(read_schema(schema).features) == ["inputs"]


def test_of_a_schema_of_tensors_other_names_may_come() -> None:
    assert read_schema({"inputs": [{"name": "input", "shape": [1, 512]}]}).allows_others
    assert not read_schema(["age"]).allows_others


def expected(schema: Any = None, names: tuple[str, ...] = (), **columns: Any) -> dict[str, FeatureSchema]:
    """What is expected of a model with this schema and a baseline of these columns."""
    ranges = columns.pop("ranges", None)
    model = ObservedModel(served_by=ServedBy("m", "1", 1), stage="production", input_schema=schema, feature_names=names)
    inputs = Baseline(columns, ranges=ranges) if columns else None
    baseline = ModelBaseline(
        number=7, model_name="m", model_version=None, source="dataset", description="", created_at=0, rows=0,
        inputs=inputs, outputs=None, outcomes=None,
    )  # fmt: skip
    found = schema_of(model, baseline)
    assert found.baseline == (7 if columns else None)
    return {feature.name: feature for feature in found.features}


def test_a_range_is_inferred_with_a_tenth_of_the_extremes_distance_as_slack() -> None:
    feature = expected(x=np.linspace(10, 20, 500))["x"]
    assert (feature.minimum, feature.maximum) == (pytest.approx(9), pytest.approx(21))
    assert feature.source == "baseline"


def test_the_range_that_a_baseline_was_made_with_is_taken_as_it_is() -> None:
    feature = expected(x=np.linspace(10, 20, 500), ranges={"x": (0, 100)})["x"]
    assert (feature.minimum, feature.maximum) == (0, 100)


@pytest.mark.parametrize("values", [np.full(500, 3.0), np.linspace(0, 1, 50), np.full(500, np.nan)])
def test_no_range_is_inferred_from_one_value_from_few_and_from_none(values: Any) -> None:
    feature = expected(x=values)["x"]
    assert (feature.kind, feature.minimum, feature.maximum) == ("numeric", None, None)


def test_labels_and_whether_values_may_be_missing_are_inferred() -> None:
    features = expected(full=["a", "b"] * 300, gaps=[*["a", "b"] * 270, *[None] * 60], few=["a", "b"] * 10)
    assert sorted(features["full"].categories or ()) == ["a", "b"]
    assert (features["full"].required, features["full"].nullable, features["full"].null_rate) == (True, False, 0)
    assert (features["gaps"].required, features["gaps"].nullable) == (False, True)
    assert features["gaps"].null_rate == pytest.approx(0.1)
    assert (features["few"].categories, features["few"].required) == (None, None)


def test_what_is_given_wins_property_by_property_and_the_range_is_one() -> None:
    feature = expected({"x": {"minimum": 0, "nullable": True}}, x=np.linspace(10, 20, 500))["x"]
    assert (feature.minimum, feature.maximum, feature.nullable, feature.required) == (0, None, True, True)
    assert feature.sources["minimum"] == "given"
    assert feature.sources["required"] == "baseline"
    assert "maximum" not in feature.sources
    assert feature.source == "given, baseline"


def test_names_of_the_model_are_expected_and_features_of_every_source_are_there_once() -> None:
    features = expected(["a", "b"], ("b", "c"), b=np.arange(200.0), d=np.arange(200.0))
    assert {name: feature.source for name, feature in features.items()} == {
        "a": "given", "b": "given, baseline", "d": "baseline", "c": "model",
    }  # fmt: skip


def test_a_given_kind_that_the_baseline_contradicts_is_a_problem_and_not_used() -> None:
    model = ObservedModel(
        served_by=ServedBy("m", "1", 1), stage="production", input_schema={"x": {"type": "string", "nullable": False}}
    )
    baseline = ModelBaseline(
        number=1, model_name="m", model_version=None, source="dataset", description="", created_at=0, rows=0,
        inputs=Baseline({"x": np.arange(200.0)}), outputs=None, outcomes=None,
    )  # fmt: skip
    schema = schema_of(model, baseline)
    assert (schema.features[0].kind, schema.features[0].nullable) == ("numeric", False)
    assert [problem.field for problem in schema.problems] == ["inputSchema.x"]


def test_where_nothing_is_known_everything_may_come() -> None:
    model = ObservedModel(served_by=ServedBy("m", "1", 1), stage="production")
    schema = schema_of(model, None)
    assert (schema.features, schema.allows_others, schema.baseline) == ((), True, None)
