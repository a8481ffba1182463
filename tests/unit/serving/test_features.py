"""What callers send as features, and the tensors that the model gets."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin import DTYPES, Signature, TensorSpec, numpy_dtype
from edge_aiops.testing.backend import FakeBackend

FOUR = [("input", "float32", (None, 4))]
SCALARS = [("input", "float32", (None, 1))]
LONE = [("input", "float32", (None,))]
TEXT = [("text", "string", (None, 1))]
TEXTS = [("text", "string", (None,))]
PAIR = [("a", "float32", (None, 2)), ("b", "int64", (None, 1))]
FIXED = [("input", "float32", (1, 4))]
ABCD = ("a", "b", "c", "d")

Inputs = list[tuple[str, str, tuple[int | None, ...]]]


def one(dtype: str) -> Inputs:
    return [("input", dtype, (None, 1))]


def two(dtype: str) -> Inputs:
    return [("input", dtype, (None, 2))]


ACCEPTED = {
    "one row of the only input": (FOUR, (), "[1, 2, 3, 4]", {"input": [[1, 2, 3, 4]]}),
    "one row by name": (FOUR, (), '{"input": [1, 2.5, 3, 4]}', {"input": [[1, 2.5, 3, 4]]}),
    "a list of one row": (FOUR, (), "[[1, 2, 3, 4]]", {"input": [[1, 2, 3, 4]]}),
    "rows": (FOUR, (), "[[1, 2, 3, 4], [5, 6, 7, 8]]", {"input": [[1, 2, 3, 4], [5, 6, 7, 8]]}),
    "rows by name": (FOUR, (), '{"input": [[1, 2, 3, 4], [5, 6, 7, 8]]}', {"input": [[1, 2, 3, 4], [5, 6, 7, 8]]}),
    "a row by columns": (FOUR, ABCD, '{"d": 4, "c": 3, "b": 2, "a": 1}', {"input": [[1, 2, 3, 4]]}),
    "a row by input where columns have names": (FOUR, ABCD, '{"input": [1, 2, 3, 4]}', {"input": [[1, 2, 3, 4]]}),
    "a row by place where columns have names": (FOUR, ABCD, "[1, 2, 3, 4]", {"input": [[1, 2, 3, 4]]}),
    "rows by columns": (
        FOUR,
        ABCD,
        '[{"a": 1, "b": 2, "c": 3, "d": 4}, {"d": 8, "a": 5, "b": 6, "c": 7}]',
        {"input": [[1, 2, 3, 4], [5, 6, 7, 8]]},
    ),
    "a list of one row by columns": (FOUR, ABCD, '[{"a": 1, "b": 2, "c": 3, "d": 4}]', {"input": [[1, 2, 3, 4]]}),
    "rows as objects": (
        FOUR,
        (),
        '[{"input": [1, 2, 3, 4]}, {"input": [5, 6, 7, 8]}]',
        {"input": [[1, 2, 3, 4], [5, 6, 7, 8]]},
    ),
    "four rows as objects": (
        FOUR,
        (),
        "[" + ",".join(['{"input": [1, 2, 3, 4]}'] * 4) + "]",
        {"input": [[1, 2, 3, 4]] * 4},
    ),
    "a scalar for a row of one": (SCALARS, (), "5", {"input": [[5]]}),
    "a scalar by name": (SCALARS, (), '{"input": 5}', {"input": [[5]]}),
    "scalars for rows of one": (SCALARS, (), "[5, 6, 7]", {"input": [[5], [6], [7]]}),
    "rows of one": (SCALARS, (), "[[5], [6]]", {"input": [[5], [6]]}),
    "scalars as objects": (SCALARS, (), '[{"input": 5}, {"input": 6}]', {"input": [[5], [6]]}),
    "a scalar for a tensor of scalars": (LONE, (), "5", {"input": [5]}),
    "scalars for a tensor of scalars": (LONE, (), "[5, 6]", {"input": [5, 6]}),
    "no rows for a tensor of scalars": (LONE, (), "[]", {"input": []}),
    "no rows of one": (SCALARS, (), "[]", {"input": []}),
    "a tensor without dimensions": ([("input", "float32", ())], (), "5", {"input": 5}),
    "a fixed first dimension, as a row": (FIXED, (), "[1, 2, 3, 4]", {"input": [[1, 2, 3, 4]]}),
    "a fixed first dimension, in full": (FIXED, (), "[[1,2,3,4]]", {"input": [[1, 2, 3, 4]]}),
    "a fixed number of rows": ([("input", "float32", (2, 2))], (), "[[1, 2], [3, 4]]", {"input": [[1, 2], [3, 4]]}),
    "a row of any length": ([("input", "int64", (None, None))], (), "[1, 2, 3]", {"input": [[1, 2, 3]]}),
    "a picture": ([("input", "uint8", (None, 2, 2))], (), "[[0, 1], [2, 255]]", {"input": [[[0, 1], [2, 255]]]}),
    "pictures": ([("input", "uint8", (None, 1, 2))], (), "[[[0, 1]], [[2, 3]]]", {"input": [[[0, 1]], [[2, 3]]]}),
    "inputs by name": (PAIR, (), '{"b": [7], "a": [1, 2]}', {"a": [[1, 2]], "b": [[7]]}),
    "inputs by place": (PAIR, (), "[[1, 2], 7]", {"a": [[1, 2]], "b": [[7]]}),
    "rows of several inputs": (
        PAIR,
        (),
        '{"a": [[1, 2], [3, 4]], "b": [7, 8]}',
        {"a": [[1, 2], [3, 4]], "b": [[7], [8]]},
    ),
    "rows of several inputs as objects": (
        PAIR,
        (),
        '[{"a": [1, 2], "b": 7}, {"b": 8, "a": [3, 4]}]',
        {"a": [[1, 2], [3, 4]], "b": [[7], [8]]},
    ),
    "an object as a JSON string": (FOUR, (), '"{\\"input\\": [1, 2, 3, 4]}"', {"input": [[1, 2, 3, 4]]}),
    "a list as a JSON string": (FOUR, (), '"[[1, 2, 3, 4]]"', {"input": [[1, 2, 3, 4]]}),
    "columns as a JSON string": (FOUR, ABCD, '"{\\"a\\":1,\\"b\\":2,\\"c\\":3,\\"d\\":4}"', {"input": [[1, 2, 3, 4]]}),
    "a text": (TEXT, (), '"hello"', {"text": [["hello"]]}),
    "a text by name": (TEXT, (), '{"text": "hello"}', {"text": [["hello"]]}),
    "a text that looks like JSON stays text": (TEXT, (), '"{\\"text\\": 1}"', {"text": [['{"text": 1}']]}),
    "texts": (TEXT, (), '["a", "bcd", ""]', {"text": [["a"], ["bcd"], [""]]}),
    "texts without a second dimension": (TEXTS, (), '["a", "bcd"]', {"text": ["a", "bcd"]}),
    "a text without a second dimension": (TEXTS, (), '"hello"', {"text": ["hello"]}),
    "text keeps every character": (
        TEXT,
        (),
        '["\\u0000a\\u0000", " b ", "\\ud83d\\ude00"]',
        {"text": [["\0a\0"], [" b "], ["😀"]]},
    ),
    "the limits of a small integer": (two("int8"), (), "[-128, 127]", {"input": [[-128, 127]]}),
    "the limits of a long integer": (
        two("int64"),
        (),
        "[-9223372036854775808, 9223372036854775807]",
        {"input": [[-(2**63), 2**63 - 1]]},
    ),
    "the largest unsigned integer": (two("uint64"), (), "[0, 18446744073709551615]", {"input": [[0, 2**64 - 1]]}),
    "integers for floating point": (two("float64"), (), "[1, -2]", {"input": [[1.0, -2.0]]}),
    "numbers in every notation": (FOUR, (), "[1e2, -0.0, 1.5E-3, 2]", {"input": [[100, 0, 0.0015, 2]]}),
    "half precision": (two("float16"), (), "[0.5, 65504]", {"input": [[0.5, 65504]]}),
    "true and false": (two("bool"), (), "[true, false]", {"input": [[True, False]]}),
    "what a key says last counts": (
        FOUR,
        (),
        '{"input": [0, 0, 0, 0], "input": [1, 2, 3, 4]}',
        {"input": [[1, 2, 3, 4]]},
    ),
}

REFUSED = {
    "text for numbers": (FOUR, (), '["1", "2", "3", "4"]', "features.input", ["float32[any, 4]", "text"]),
    "text among numbers": (FOUR, (), '[1, "2", 3, 4]', "features.input", ["float32[any, 4]"]),
    "a text for numbers": (FOUR, (), '"hello"', "features.input", ["float32[any, 4]", "text"]),
    "true and false for numbers": (FOUR, (), "[true, false, true, true]", "features.input", ["float32", "true/false"]),
    "true among numbers": (FOUR, (), "[1.5, true, 2, 3]", "features.input", ["float32"]),
    "true among integers": (two("int64"), (), "[1, true]", "features.input", ["int64"]),
    "a float for integers": (two("int64"), (), "[1, 2.5]", "features.input", ["int64[any, 2]", "numbers"]),
    "a whole float for integers": (one("int32"), (), "1.0", "features.input", ["int32", "numbers"]),
    "numbers for true and false": (two("bool"), (), "[0, 1]", "features.input", ["bool", "integers"]),
    "numbers for text": (TEXT, (), "[1, 2]", "features.text", ["string", "integers"]),
    "a number among texts": (TEXT, (), '["a", 1]', "features.text", ["string"]),
    "true among texts": (TEXT, (), '["a", true]', "features.text", ["string"]),
    "null among texts": (TEXT, (), '["a", null]', "features.text", ["string", "null"]),
    "null": (FOUR, (), "null", "features.input", ["float32", "null"]),
    "null by name": (FOUR, (), '{"input": null}', "features.input", ["float32", "null"]),
    "null among numbers": (FOUR, (), "[1, null, 3, 4]", "features.input", ["float32", "null"]),
    "null in a column": (FOUR, ABCD, '{"a": 1, "b": null, "c": 3, "d": 4}', "features.input", ["null"]),
    "rows of different lengths": (FOUR, (), "[[1, 2, 3, 4], [5, 6]]", "features.input", ["float32[any, 4]", "lengths"]),
    "a list among numbers": (FOUR, (), "[1, [2], 3, 4]", "features.input", ["lengths"]),
    "an object among numbers": (FOUR, (), '{"input": [1, {}, 3, 4]}', "features.input", ["float32"]),
    "an object for a tensor": (FOUR, (), '{"input": {"x": 1}}', "features.input", ["float32"]),
    "too few columns": (FOUR, (), "[1, 2, 3]", "features.input", ["float32[any, 4]", "[3]"]),
    "too many columns": (FOUR, (), "[[1, 2, 3, 4, 5]]", "features.input", ["float32[any, 4]", "[1, 5]"]),
    "too many dimensions": (FOUR, (), "[[[1, 2, 3, 4]]]", "features.input", ["[1, 1, 4]"]),
    "a scalar for a row of four": (FOUR, (), "5", "features.input", ["float32[any, 4]", "[]"]),
    "more rows than the model takes": (
        [("input", "float32", (1, 2))],
        (),
        "[[1, 2], [3, 4]]",
        "features.input",
        ["[2, 2]"],
    ),
    "rows of scalars as objects are no row of four": (
        FOUR,
        (),
        '[{"input": 1}, {"input": 2}, {"input": 3}, {"input": 4}]',
        "features.input",
        ["float32[any, 4]"],
    ),
    "an empty list": (FOUR, (), "[]", "features.input", ["float32[any, 4]", "[0]"]),
    "an empty row": (FOUR, (), "[[]]", "features.input", ["[1, 0]"]),
    "a wrong name": (FOUR, (), '{"inputs": [1, 2, 3, 4]}', "features.inputs", ["input: float32[any, 4]"]),
    "no name": (FOUR, (), "{}", "features.input", ["missing", "float32[any, 4]"]),
    "an extra name": (FOUR, (), '{"input": [1, 2, 3, 4], "more": 1}', "features.more", ["no such input"]),
    "a missing input": (PAIR, (), '{"a": [1, 2]}', "features.b", ["missing", "int64[any, 1]"]),
    "a missing column": (FOUR, ABCD, '{"a": 1, "b": 2, "d": 4}', "features.c", ["missing", "a, b, c, d"]),
    "an extra column": (
        FOUR,
        ABCD,
        '{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}',
        "features.e",
        ["unknown", "a, b, c, d"],
    ),
    "a missing column in the second row": (
        FOUR,
        ABCD,
        '[{"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1}]',
        "features.b",
        ["missing"],
    ),
    "objects mixed with other rows": (
        FOUR,
        ABCD,
        '[{"a": 1, "b": 2, "c": 3, "d": 4}, [1, 2, 3, 4]]',
        "features",
        ["mixes"],
    ),
    "a wrong number of inputs by place": (PAIR, (), "[[1, 2]]", "features", ["2 inputs", "a: float32[any, 2]"]),
    "one value for two inputs": (PAIR, (), "5", "features", ["2 inputs", "b: int64[any, 1]"]),
    "inputs with different numbers of rows": (
        PAIR,
        (),
        '{"a": [[1, 2], [3, 4]], "b": [7]}',
        "features",
        ["rows", "b has 1"],
    ),
    "over the range of a small integer": (two("int8"), (), "[1, 128]", "features.input", ["int8", "128"]),
    "under the range of an unsigned one": (one("uint8"), (), "-1", "features.input", ["uint8", "-1"]),
    "over the range of a long integer": (one("int64"), (), "9223372036854775808", "features.input", ["int64"]),
    "over the range of any integer": (one("uint64"), (), "18446744073709551616", "features.input", ["uint64"]),
    "infinite in single precision": (FOUR, (), "[1e39, 0, 0, 0]", "features.input", ["float32", "cannot hold"]),
    "infinite in half precision": (one("float16"), (), "70000", "features.input", ["float16", "cannot hold"]),
    "a string that is broken JSON": (FOUR, (), '"{\\"input\\": [1, 2"', "features", ["not JSON"]),
    "more dimensions than an array can have": (
        FOUR,
        (),
        "[" * 100 + "1" + "]" * 100,
        "features.input",
        ["float32[any, 4]"],
    ),
    "a number that no float holds": (FOUR, (), "[1e400, 0, 0, 0]", "features", []),
    "an integer of 5,000 digits": (FOUR, (), "[" + "9" * 5000 + ", 0, 0, 0]", "features", []),
    "bytes that are no UTF-8": (TEXT, (), b'"\xff"', "features", []),
    "half a surrogate pair": (TEXT, (), '"\\ud800"', "features", []),
    "nesting deeper than the parser goes": (FOUR, (), "[" * 100_000 + "]" * 100_000, "features", []),
    "a string with nesting deeper than the parser goes": (FOUR, (), '"' + "[" * 100_000 + '"', "features", []),
}


def backend_of(inputs: Inputs) -> FakeBackend:
    specs = tuple(TensorSpec(*spec) for spec in inputs)
    return FakeBackend(Signature(inputs=specs, outputs=specs))


@pytest.mark.parametrize(("inputs", "columns", "features", "expected"), ACCEPTED.values(), ids=ACCEPTED)
async def test_features_become_the_tensors_of_the_model(
    open_serving: Any,
    deployment: Any,
    inputs: Inputs,
    columns: tuple[str, ...],
    features: str,
    expected: dict[str, Any],
) -> None:
    backend = backend_of(inputs)
    async with open_serving(backend) as serving:
        serving.engine.serve([deployment(feature_names=columns)])
        await serving.predict(features.encode())
    (tensors,) = backend.sessions[0].calls
    assert set(tensors) == set(expected)
    for spec in backend.signature.inputs:
        wanted = np.array(expected[spec.name], numpy_dtype(spec))
        assert tensors[spec.name].dtype == wanted.dtype
        assert tensors[spec.name].size == wanted.size
        assert tensors[spec.name].reshape(wanted.shape).tolist() == wanted.tolist()


@pytest.mark.parametrize(("inputs", "columns", "features", "field", "words"), REFUSED.values(), ids=REFUSED)
async def test_what_does_not_fit_is_refused_by_name(
    open_serving: Any,
    deployment: Any,
    inputs: Inputs,
    columns: tuple[str, ...],
    features: str | bytes,
    field: str,
    words: list[str],
) -> None:
    backend = backend_of(inputs)
    async with open_serving(backend) as serving:
        serving.engine.serve([deployment(feature_names=columns)])
        with pytest.raises(InvalidInput) as caught:
            await serving.predict(features if isinstance(features, bytes) else features.encode())
    assert [error.field for error in caught.value.fields] == [field]
    for word in words:
        assert word in str(caught.value)
    assert len(str(caught.value)) < 1_000
    assert backend.sessions[0].calls == []


MISSING = {
    "a number": ([("n", "float32", (None, 1))], "null", {"n": [[np.nan]]}),
    "numbers among others": (FOUR, "[1, null, 3, null]", {"input": [[1, np.nan, 3, np.nan]]}),
    "a text": (TEXT, '["a", null]', {"text": [["a"], [""]]}),
    "some of several inputs": (
        [("n", "float64", (None, 1)), ("t", "string", (None, 1))],
        '[{"n": null, "t": "a"}, {"n": 2, "t": null}]',
        {"n": [[np.nan], [2]], "t": [["a"], [""]]},
    ),
}


@pytest.mark.parametrize(("inputs", "features", "expected"), MISSING.values(), ids=MISSING)
async def test_null_is_a_missing_value_where_the_model_takes_them(
    open_serving: Any, deployment: Any, inputs: Inputs, features: str, expected: dict[str, Any]
) -> None:
    backend = backend_of(inputs)
    async with open_serving(backend) as serving:
        serving.engine.serve([deployment(missing_values=True)])
        await serving.predict(features.encode())
    (tensors,) = backend.sessions[0].calls
    for name, values in expected.items():
        np.testing.assert_array_equal(tensors[name], np.array(values, tensors[name].dtype))


@pytest.mark.parametrize(
    ("inputs", "features"),
    [(two("int64"), "[1, null]"), (two("bool"), "[true, null]"), (FOUR, "[1e39, null, 0, 0]")],
    ids=["a missing integer", "a missing truth", "an overflow beside a missing number"],
)
async def test_what_no_tensor_can_hold_is_refused_even_where_values_may_be_missing(
    open_serving: Any, deployment: Any, inputs: Inputs, features: str
) -> None:
    async with open_serving(backend_of(inputs)) as serving:
        serving.engine.serve([deployment(missing_values=True)])
        with pytest.raises(InvalidInput):
            await serving.predict(features.encode())


@pytest.mark.parametrize("dtype", sorted(DTYPES - {"string"}))
async def test_every_element_type_is_kept(open_serving: Any, dtype: str) -> None:
    backend = backend_of([("input", dtype, (None, 2))])
    async with open_serving(backend) as serving:
        await serving.predict([True, False] if dtype == "bool" else [1, 0])
    (tensors,) = backend.sessions[0].calls
    assert tensors["input"].dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("inputs", "features", "rows"),
    [
        (FOUR, [1, 2, 3, 4], None),
        (FOUR, [[1, 2, 3, 4]], 1),
        (FOUR, [[1, 2, 3, 4]] * 3, 3),
        (FOUR, [{"input": [1, 2, 3, 4]}], 1),
        (SCALARS, 5, None),
        (SCALARS, [5], None),
        (SCALARS, [[5]], 1),
        (SCALARS, [5, 6], 2),
        (LONE, 5, None),
        (LONE, [5], 1),
        (PAIR, {"a": [1, 2], "b": 1}, None),
        (PAIR, {"a": [[1, 2]], "b": 1}, 1),
    ],
)
async def test_who_sends_rows_gets_rows_and_who_sends_one_gets_one(
    open_serving: Any, inputs: Inputs, features: Any, rows: int | None
) -> None:
    async with open_serving(backend_of(inputs)) as serving:
        result = await serving.predict(features)
    for (name, _, shape), value in zip(inputs, msgspec.json.decode(result.prediction).values(), strict=True):
        dimensions = 0
        while isinstance(value, list):
            dimensions += 1
            if dimensions == 1 and rows is not None:
                assert len(value) == rows, name
            value = value[0]
        assert dimensions == len(shape) - (rows is None), name


async def test_one_long_text_among_many_short_ones_costs_no_more_than_itself(open_serving: Any) -> None:
    """An array of NumPy's own text type would give every text the room of the longest: here 16 GB."""
    backend = backend_of(TEXT)
    async with open_serving(backend) as serving:
        await serving.predict(["x" * 1_000_000, *("short",) * 4_000])
    (tensors,) = backend.sessions[0].calls
    assert tensors["text"].shape == (4_001, 1)


async def test_one_long_text_among_numbers_is_refused_at_the_cost_of_itself(open_serving: Any) -> None:
    async with open_serving(backend_of([("input", "float32", (None, None))])) as serving:
        with pytest.raises(InvalidInput):
            await serving.predict(["x" * 1_000_000, *("1",) * 4_000])


async def test_features_of_a_model_without_inputs_are_refused_or_ignored_but_never_break_it(open_serving: Any) -> None:
    backend = FakeBackend(Signature(inputs=(), outputs=(TensorSpec("now", "float32", (1,)),)))
    async with open_serving(backend) as serving:
        for features in ({}, [], 5, {"x": 1}):
            with contextlib.suppress(InvalidInput):
                await serving.predict(features)
