"""No payload takes more than bounded time and memory, and none harms its neighbours in a batch."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

from edge_aiops.observe.columns import InputColumns
from edge_aiops.observe.summaries import RoleSummary, Sketches

from .payloads import baseline, event, model, read, shown

NESTED = {
    "objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "deeper objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "lists": b"[" * 900 + b"1" + b"]" * 900,
    "lists of two": b"[0," * 900 + b"1" + b"]" * 900,
    "both": b'[{"a":' * 400 + b"1" + b"}]" * 400,
}


@pytest.mark.parametrize("payload", NESTED.values(), ids=NESTED.keys())
def test_deep_nesting_is_counted_and_harms_nobody(payload: bytes) -> None:
    columns = InputColumns(model(), None).read([event(payload), event({"x": 1.5, "y": "z"})])
    assert columns.rows == 2
    assert shown(columns)["x"] == [None, 1.5]


WIDE: dict[str, Any] = {
    "numbers": {f"v{number}": 1.5 for number in range(10_000)},
    "texts": {f"v{number}": "text" for number in range(10_000)},
    "nulls": {f"v{number}": None for number in range(10_000)},
    "nested": {"object": {f"v{number}": number % 2 or "text" for number in range(10_000)}},
    "hashes": {f"v{number}": "blake2b:00" for number in range(10_000)},
    "list": [1.5] * 10_000,
}


@pytest.mark.parametrize("features", WIDE.values(), ids=WIDE.keys())
def test_ten_thousand_features_take_bounded_time_and_memory(features: Any) -> None:
    reader = InputColumns(model(), None, max_features=100)
    summary, sketches = RoleSummary(None, max_features=100), Sketches(max_features=100)
    started = time.process_time()
    for number in range(3):
        columns = reader.read([event(features), event({"age": number})])
        summary.update(columns)
        sketches.update(columns)
    assert time.process_time() - started < 3
    assert len(summary.loose) <= 100
    counters = summary.counters
    assert max(len(counters.null), len(counters.opaque), len(counters.unexpected)) <= 100
    assert summary.loose["age"].count == 3
    assert len(summary.to_bytes()) < 200_000


def test_values_of_features_beyond_the_limit_are_counted() -> None:
    row = {f"v{number}": 1.5 for number in range(10)}
    summary = RoleSummary(None, max_features=4)
    summary.update(InputColumns(model(), None, max_features=4).read([event(row)] * 3))
    summary.update(InputColumns(model(), None).read([event(row)] * 2))
    assert sorted(summary.loose) == ["v0", "v1", "v2", "v3"]
    assert summary.counters.beyond == 5 * 6
    assert sum(feature.count for feature in summary.loose.values()) == 5 * 4


def test_ever_new_names_are_counted_in_bounded_memory() -> None:
    reader, summary = InputColumns(model("age"), None, max_features=50), RoleSummary(None, max_features=50)
    for batch in range(200):
        rows = [event({"age": 1.0, f"new {batch * 10 + number}": "x", "none": None}) for number in range(10)]
        summary.update(reader.read(rows))
    counters = summary.counters
    assert len(counters.unexpected) == 100
    assert sum(counters.unexpected.values()) + counters.unexpected_beyond == 2 * 2_000
    assert len(summary.loose) == 50
    assert summary.loose["age"].count == 2_000


def test_memory_does_not_grow_with_the_number_of_events() -> None:
    on = baseline(a=float, b=float, c=float)
    reader, summary, sketches = InputColumns(model(), on), RoleSummary(on, max_features=10), Sketches()
    batches = [[event({"a": j / 7, "b": j, "c": -j}) for j in range(i, i + 500)] for i in range(0, 20_000, 500)]

    def ten_thousands(count: int) -> int:
        for _ in range(count):
            for batch in batches[:20]:
                columns = reader.read(batch)
                columns.digests ^= np.uint64(summary.rows)  # other rows every time
                summary.update(columns)
                sketches.update(columns)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        ten_thousands(2)
        before = ten_thousands(2)
        after = ten_thousands(6)
    finally:
        tracemalloc.stop()
    assert after - before < 100_000
    assert summary.rows == 100_000
    assert len(summary.to_bytes()) < 8_000


@pytest.mark.parametrize("broken", [b"{", b'{"a":', b'{"a":"text"}', b'{"a":[1,2]}', b"[1,2,3]", b'{"b":1}', b"1e999"])
def test_one_broken_event_does_not_lose_the_rest_of_its_batch(broken: bytes) -> None:
    on = baseline(a=float)
    summary = RoleSummary(on, max_features=10)
    summary.update(read({"a": 1}, {"a": 2}, broken, {"a": 3}, on=on))
    assert summary.profile is not None
    assert summary.rows == summary.profile.rows == 4
    moments = summary.profile["a"].moments
    assert (moments.count, moments.missing, moments.mean) == (3, 1, 2.0)


LONG: dict[str, Any] = {
    "numbers": lambda number: {"x" * 60_000 + str(number): 1.5},
    "texts": lambda number: {"x" * 60_000 + str(number): "text"},
    "nulls": lambda number: {"x" * 60_000 + str(number): None},
    "nested": lambda number: {"x" * 200: {"y" * 200 + str(number): 1.5}},
    "nested eight deep": lambda number: {"x" * 200: {"y" * 200 + str(number): {"z" * 200: 1.5}}},
}


@pytest.mark.parametrize("features", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("names", [(), ("age",)])
def test_names_are_kept_only_if_they_are_short(features: Any, names: tuple[str, ...]) -> None:
    reader, summary, sketches = InputColumns(model(*names), None), RoleSummary(None, max_features=1_000), Sketches()
    for number in range(10):
        for batch in ([event(features(number))] * 2, [event(features(number)), event({"age": 1.5})]):
            columns = reader.read(batch)
            summary.update(columns)
            sketches.update(columns)
    assert summary.loose.keys() == sketches.keys() == {"age"}
    assert summary.loose["age"].count == 10
    assert summary.counters.beyond == 30
    assert len(summary.to_bytes()) < 5_000


def test_a_long_name_of_the_baseline_is_summarised() -> None:
    name = "x" * 300
    on = baseline(**{name: float})
    summary = RoleSummary(on, max_features=10)
    summary.update(read({name: 1.5}, {name: 2.5}, on=on))
    assert summary.profile is not None
    assert summary.profile[name].moments.mean == 2.0
