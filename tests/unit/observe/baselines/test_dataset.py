"""Baselines of reference datasets, in every format and whatever is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from edge_aiops.base.errors import EdgeAiopsError, InvalidInput
from edge_aiops.observe.baselines import Draft
from edge_aiops.observe.baselines.dataset import reading, sample
from edge_aiops.observe.baselines.dataset.cells import CellTypes
from edge_aiops.observe.baselines.dataset.making import draft_of
from edge_aiops.observe.baselines.dataset.request import DatasetRequest, format_of

Make = Callable[..., Draft]


@pytest.fixture
def make(tmp_path: Path, model: Any) -> Make:
    """Makes a baseline of text, bytes, a list of objects (JSON lines) or a table of Arrow (Parquet)."""

    def made(content: Any, *, of: dict[str, Any] | None = None, **request: Any) -> Draft:
        path = tmp_path / "dataset"
        chosen = "csv"
        if isinstance(content, list):
            content, chosen = "\n".join(map(json.dumps, content)), "jsonl"
        if isinstance(content, pa.Table):
            parquet.write_table(content, path)
            chosen = "parquet"
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return draft_of(path, DatasetRequest(**{"format": chosen, **request}), model(**(of or {})))

    return made


def kinds(draft: Draft) -> dict[str, dict[str, str]]:
    """What the roles of a draft have, and of which kind."""
    roles = {"inputs": draft.inputs, "outputs": draft.outputs, "outcomes": draft.outcomes}
    return {
        role: {name: type(baseline[name]).__name__ for name in baseline.names}
        for role, baseline in roles.items()
        if baseline is not None
    }


def as_csv(columns: dict[str, list[Any]]) -> str:
    """Columns as CSV."""
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join(rows) + "\n"


NUMERIC, CATEGORY = "Reference", "CategoryReference"
COLUMNS: dict[str, list[Any]] = {
    "age": [20 + i % 50 for i in range(300)],
    "income": [i * 1.5 for i in range(300)],
    "country": [["de", "fr", "it"][i % 3] for i in range(300)],
    "active": [i % 2 == 0 for i in range(300)],
}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]


@pytest.mark.parametrize("content", [as_csv(COLUMNS), ROWS, pa.table(COLUMNS)], ids=["csv", "jsonl", "parquet"])
def test_every_format_gives_the_same_baseline(make: Make, content: Any) -> None:
    draft = make(content)
    assert (draft.source, draft.rows, draft.warnings) == ("dataset", 300, ())
    assert kinds(draft) == {"inputs": {"age": NUMERIC, "income": NUMERIC, "country": CATEGORY, "active": CATEGORY}}
    assert draft.inputs == make(as_csv(COLUMNS)).inputs
    assert draft.inputs is not None
    assert draft.inputs["country"].categories.known_counts == [100, 100, 100]
    assert dict(draft.inputs["active"].categories.counts()) == {"true": 150, "false": 150}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_of_csv_is_found_in_its_heading(make: Make, delimiter: str) -> None:
    draft = make(f'a{delimiter}b\n1{delimiter}"2"\n')
    assert kinds(draft) == {"inputs": {"a": NUMERIC, "b": NUMERIC}}


def test_csv_may_have_a_byte_order_mark_blank_lines_and_values_over_several_lines(make: Make) -> None:
    draft = make('\ufeff\na,b\n\n1,"two\nlines"\n2,x\n3,\n')
    assert draft.rows == 3
    assert draft.inputs is not None
    assert draft.inputs["a"].moments.count == 3


def test_blank_texts_and_nan_are_missing_numbers(make: Make) -> None:
    draft = make("x,y\n1,1\n,1\nNA,1\nnan,1\nnull,1\n")
    assert draft.inputs is not None
    assert (draft.inputs["x"].moments.count, draft.inputs["x"].histogram.missing) == (1, 4)


def test_an_underscore_makes_no_number_wherever_it_stands(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK_CELLS", 4)
    with pytest.raises(InvalidInput, match="line 7 of the dataset: '1_000' in column 'x' is no number"):
        make("x\n1\n2\n3\n4\n5\n1_000\n7\n8\n")
    with pytest.raises(InvalidInput, match="line 7 of the dataset: '1_000' in column 'x' is no number"):
        make("x,y\n1,1\n2,1\n3,1\n4,1\n,1\n1_000,1\n")


def test_numbers_of_csv_are_read_column_by_column(tmp_path: Path) -> None:
    path = tmp_path / "dataset"
    path.write_text("x,y,on,kind,none\n1,2.5,true,a,\n2,,false,,\n3,nan,,b,\n")
    (block,) = reading.READERS["csv"](path)
    typed = CellTypes(()).typed(block)
    arrays = {name: cells.tolist() for name, cells in typed.items() if isinstance(cells, np.ndarray)}
    assert arrays == {
        "x": [1, 2, 3],
        "y": [2.5, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True)],
    }
    assert {name: cells for name, cells in typed.items() if name not in arrays} == {
        "on": [True, False, None],
        "kind": ["a", None, "b"],
        "none": [None, None, None],
    }


def test_columns_that_look_like_numbers_may_be_labels(make: Make) -> None:
    rows = "zip,x\n" + "".join(f"0{i % 3},{i}\n" for i in range(300))
    draft = make(rows, categorical=("zip",))
    assert kinds(draft)["inputs"] == {"zip": CATEGORY, "x": NUMERIC}
    assert draft.inputs is not None
    assert sorted(draft.inputs["zip"].categories.known) == ["00", "01", "02"]
    typed = make([{"zip": i % 3, "x": i} for i in range(300)], categorical=("zip",))
    assert typed.inputs is not None
    assert sorted(typed.inputs["zip"].categories.known) == ["0", "1", "2"]


def test_what_events_have_derived_from_texts_and_lists_a_dataset_has_too(make: Make) -> None:
    rows = [
        {"review": f"it was number {i} of many", "vector": [i, 1.0, 2.0], "at": {"city": "Ulm", "km": i}}
        for i in range(100)
    ]
    found = kinds(make(rows))["inputs"]
    assert found["review.length"] == NUMERIC
    assert found["review.script"] == CATEGORY
    assert found["vector.norm"] == NUMERIC
    assert (found["at.km"], found["at.city"]) == (NUMERIC, CATEGORY)


def test_parquet_with_nested_and_foreign_types_says_what_is_left_out(make: Make) -> None:
    table = pa.table(
        {
            "n": pa.array(range(100), pa.int32()),
            "at": pa.array([{"km": float(i), "city": "Ulm"} for i in range(100)]),
            "vector": pa.array([[1.0, 2.0, float(i)] for i in range(100)]),
            "time": pa.array(range(100), pa.timestamp("ms")),
            "blob": pa.array([b"x"] * 100),
            "word": pa.array(["a", "b"] * 50).dictionary_encode(),
            "price": pa.array([1] * 100, pa.decimal128(9, 2)),
        }
    )
    draft = make(table)
    assert set(kinds(draft)["inputs"]) >= {"n", "at.km", "at.city", "vector.norm", "word", "price"}
    assert {warning.split("'")[1] for warning in draft.warnings} == {"time", "blob"}


CLASSES: dict[str, list[Any]] = {
    "x": [float(i) for i in range(300)],
    "said": ["cat" if i % 3 else "dog" for i in range(300)],
    "sure": [0.5 + (i % 50) / 100 for i in range(300)],
    "was": ["cat" if i % 4 else "dog" for i in range(300)],
}


def test_a_classifiers_answers_are_named_as_in_events(make: Make) -> None:
    draft = make(as_csv(CLASSES), prediction_column="said", confidence_column="sure", outcome_column="was")
    assert kinds(draft) == {
        "inputs": {"x": NUMERIC},
        "outputs": {"confidence": NUMERIC, "label": CATEGORY},
        "outcomes": {"outcome": CATEGORY, "correct": CATEGORY},
    }
    assert draft.outcomes is not None
    correct = dict(draft.outcomes["correct"].categories.counts())
    right = sum(said == was for said, was in zip(CLASSES["said"], CLASSES["was"], strict=True))
    assert correct == {"true": right, "false": 300 - right}


def test_classes_told_by_their_places_get_their_names(make: Make) -> None:
    columns = {"x": CLASSES["x"], "said": [i % 2 for i in range(300)], "was": ["no", "yes"] * 150}
    of = {"class_labels": ("no", "yes")}
    draft = make(as_csv(columns), of=of, prediction_column="said", outcome_column="was")
    assert draft.outputs is not None
    assert draft.outcomes is not None
    assert draft.outputs["label"].categories.known == ["no", "yes"]
    assert draft.outcomes["correct"].categories.known_counts == [300, 0]


def test_a_regressors_answers_are_named_as_in_events(make: Make) -> None:
    columns = {"x": CLASSES["x"], "said": [i * 1.0 for i in range(300)], "was": [i + 2.5 for i in range(300)]}
    of = {"task_type": "regression", "output_names": ("price",)}
    draft = make(as_csv(columns), of=of, prediction_column="said", outcome_column="was")
    assert kinds(draft) == {
        "inputs": {"x": NUMERIC},
        "outputs": {"price": NUMERIC},
        "outcomes": {"outcome": NUMERIC, "error": NUMERIC, "absoluteError": NUMERIC},
    }
    assert draft.outcomes is not None
    assert draft.outcomes["absoluteError"].moments.mean == 2.5
    assert draft.outcomes["error"].moments.mean == -2.5


@pytest.mark.parametrize(
    ("values", "output", "said"),
    [([0, 1, 2], "label", "taken for classes"), ([0.5, 1.5, 2.5], "prediction", "taken for amounts")],
)
def test_what_numbers_are_that_nobody_explains_is_told(make: Make, values: list[Any], output: str, said: str) -> None:
    draft = make(as_csv({"x": CLASSES["x"], "said": values * 100}), prediction_column="said")
    assert list(kinds(draft)["outputs"]) == [output]
    assert any(said in warning for warning in draft.warnings)


def test_only_features_of_the_model_are_inputs_where_it_has_names_for_them(make: Make) -> None:
    draft = make(as_csv(COLUMNS), of={"feature_names": ("age", "height")})
    assert kinds(draft) == {"inputs": {"age": NUMERIC}}
    said = dict(warning[1:].split("' ", 1) for warning in draft.warnings)
    assert said["income"] == "is left out: it is no feature of the model"
    assert said["height"] == "is a feature of the model, and the dataset does not have it"


def test_identifiers_and_empty_columns_are_left_out_with_a_warning(make: Make) -> None:
    columns = {"id": [f"user-{i}" for i in range(300)], "x": CLASSES["x"], "nothing": [""] * 300, "nan": ["nan"] * 300}
    draft = make(as_csv(columns))
    assert list(kinds(draft)["inputs"]) == ["x"]
    assert {warning.split("'")[1] for warning in draft.warnings} == {"id", "nothing", "nan"}
    asked = make(as_csv(columns), categorical=("id",))
    assert "id" in kinds(asked)["inputs"]


def test_ignored_columns_are_left_out_without_a_word(make: Make) -> None:
    draft = make(as_csv(COLUMNS), ignore=("age", "country"))
    assert list(kinds(draft)["inputs"]) == ["income", "active"]
    assert draft.warnings == ()


def test_a_constant_column_is_one_bin(make: Make) -> None:
    draft = make("x\n" + "5\n" * 100)
    assert draft.inputs is not None
    assert (len(draft.inputs["x"].positions), draft.inputs["x"].moments.variance) == (1, 0)


def test_one_row_is_enough(make: Make) -> None:
    assert make("x\n5\n").rows == 1


def test_bins_are_as_many_as_are_asked_for(make: Make) -> None:
    draft = make(as_csv(COLUMNS), bins=8)
    assert draft.inputs is not None
    assert len(draft.inputs["income"].positions) == 8


def test_labels_too_rare_to_be_compared_are_told(make: Make) -> None:
    draft = make("c,x\n" + "".join(f"{'ab'[i % 2]},{i}\n" for i in range(20)))
    assert draft.warnings == ("'c' has no label that comes often enough to be told from the others",)


def test_a_long_dataset_is_counted_whole_on_bins_of_a_sample(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK_CELLS", 500)
    monkeypatch.setattr(sample, "MOST_VALUES", 2_000)
    random = np.random.default_rng(3)
    columns = {
        "x": random.normal(size=3000).round(4).tolist(),
        "c": random.choice(["a", "b"], size=3000).tolist(),
        "said": random.choice(["a", "b"], size=3000).tolist(),
    }
    draft = make(as_csv(columns), prediction_column="said")
    assert draft.rows == 3000
    assert draft.inputs is not None
    assert draft.outputs is not None
    assert draft.inputs["x"].moments.count == 3000
    assert draft.inputs["x"].moments.mean == pytest.approx(np.mean(columns["x"]))
    assert draft.inputs["c"].categories.total == draft.outputs["label"].categories.total == 3000


def test_columns_may_come_and_go_in_json_lines(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK_CELLS", 50)
    rows = [{"x": i} if i < 100 else {"y": i} for i in range(200)]
    draft = make(rows)
    assert draft.inputs is not None
    assert (draft.inputs["x"].histogram.missing, draft.inputs["y"].histogram.missing) == (100, 100)


def test_labels_beyond_count_do_not_take_more_memory(make: Make) -> None:
    draft = make("c,x\n" + "".join(f"label {i % 20_000},{i}\n" for i in range(40_000)))
    assert draft.inputs is not None
    assert len(draft.inputs.to_bytes()) < 10_000
    assert draft.warnings[0].startswith("'c' has no label")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "has no rows"),
        ("a,b\n1,2\n3\n", "line 3 of the dataset has 1 fields where the heading has 2"),
        ("a,a\n1,2\n", "two columns of the dataset are called 'a'"),
        ('a,b\n1,"open\n2,3\n', "cannot be read as CSV"),
        ("name\nJos\xe9\n".encode("latin1"), "not UTF-8"),
        ("x,y\n1,1\n2,1\n3,1\nfour,1\n", "line 5 of the dataset: 'four' in column 'x' is no number"),
        (b"\x00\x01\x02\x03", "no column of the dataset|has no rows"),
        ("a" * (reading.MOST_LINE + 2), "longer than"),
        (f"b,{'a' * 257}\n1,2\n", "'a{80}'... of the dataset has a name of 257 characters"),
        ("e,f\n,\n,\n", "no column of the dataset makes a baseline: 'e' has no value; 'f' has no value"),
        ([], "has no rows"),
        ([[1, 2]], "line 1 of the dataset, '.1, 2.', is no JSON object"),
        ([{}], "no column of the dataset"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_damaged_datasets_are_refused_by_name(make: Make, content: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        make(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1}\n{"a": \n', "line 2 of the dataset"),
        (b'{"a": "\xff"}\n', "line 1 of the dataset"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"a": NaN}\n', "is no JSON"),
    ],
    ids=["cut", "latin1", "deep", "nan"],
)
def test_damaged_json_lines_are_refused_by_line(make: Make, content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        make(content, format="jsonl")


@pytest.mark.parametrize("content", [b"PAR1", b"no parquet at all", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_damaged_parquet_is_refused(make: Make, content: bytes) -> None:
    with pytest.raises(InvalidInput, match="the dataset cannot be read as Parquet"):
        make(content, format="parquet")


def test_a_later_text_among_numbers_is_refused_with_its_line(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK_CELLS", 10)
    with pytest.raises(InvalidInput, match=r"line 52 of the dataset: 'x' in column 'n'.*categorical=n.*ignore=n"):
        make("n\n" + "1\n" * 50 + "x\n")


@pytest.mark.parametrize(
    "parameter", ["predictionColumn", "confidenceColumn", "outcomeColumn", "ignore", "categorical"]
)
def test_a_column_that_is_named_and_not_there_is_refused_with_those_that_are(make: Make, parameter: str) -> None:
    field = {"predictionColumn": "prediction_column", "confidenceColumn": "confidence_column"}.get(parameter, parameter)
    field = "outcome_column" if field == "outcomeColumn" else field
    wanted: Any = ("nope",) if parameter in ("ignore", "categorical") else "nope"
    with pytest.raises(InvalidInput, match="no column 'nope'; it has 'age', 'income', 'country', 'active'") as refused:
        make(as_csv(COLUMNS), **{field: wanted})
    assert refused.value.fields[0].field == parameter


def test_a_column_cannot_be_named_twice(make: Make) -> None:
    with pytest.raises(InvalidInput, match="'age' is named by predictionColumn already"):
        make(as_csv(COLUMNS), prediction_column="age", ignore=("age",))


def test_a_confidence_is_a_number(make: Make) -> None:
    with pytest.raises(InvalidInput, match="'de' in column 'country' is no number"):
        make(as_csv(COLUMNS), confidence_column="country")


@pytest.mark.parametrize(
    ("media_type", "said", "chosen"),
    [
        ("text/csv", None, "csv"),
        ("Text/CSV", None, "csv"),
        ("application/x-ndjson", None, "jsonl"),
        ("application/vnd.apache.parquet", None, "parquet"),
        ("application/octet-stream", "parquet", "parquet"),
        ("text/csv", "jsonl", "jsonl"),
    ],
)
def test_the_format_is_told_by_the_caller_or_by_the_type(media_type: str, said: str | None, chosen: str) -> None:
    assert format_of(media_type, said) == chosen


@pytest.mark.parametrize(("media_type", "said"), [("application/octet-stream", None), ("text/csv", "xlsx")])
def test_an_unknown_format_is_refused(media_type: str, said: str | None) -> None:
    with pytest.raises(EdgeAiopsError, match="csv"):
        format_of(media_type, said)
