"""A version has the baseline that it was registered with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from edge_aiops.observe.baselines import Baselines
from edge_aiops.observe.baselines.metadata import MetadataBaselines

Reopened = Callable[[], AbstractAsyncContextManager[Baselines]]
KNOWN = {"age": {"mean": 40, "std": 10}, "outputs": {"label": {"categories": {"a": 300, "b": 700}}}}


async def test_each_version_gets_its_own_once(baselines: Baselines, reopened: Reopened, model: Any) -> None:
    models = [model(baseline_distributions=KNOWN), model(version="2", baseline_distributions={"age": [1, 2]})]
    registered = MetadataBaselines(baselines)
    await registered.follow([*models, model("none")])
    await registered.follow(models)
    first, second = baselines.current("iris", "1"), baselines.current("iris", "2")
    assert first is not None
    assert second is not None
    assert (first.number, first.source, first.rows) == (1, "metadata", 1000)
    assert first.inputs is not None
    assert first.outputs is not None
    assert (first.inputs.names, first.outputs.names) == (["age"], ["label"])
    assert second.rows == 2
    assert baselines.current("none", "1") is None
    assert registered.problems == {}
    async with reopened() as after:
        await MetadataBaselines(after).follow(models)
        assert len(await after.list("iris")) == 2


async def test_a_newer_one_made_on_purpose_stays_in_force(
    baselines: Baselines, reopened: Reopened, draft: Any, model: Any
) -> None:
    known = model(baseline_distributions=KNOWN)
    await MetadataBaselines(baselines).follow([known])
    newer = await baselines.add(draft(), model_name="iris", model_version="1")
    async with reopened() as after:
        await MetadataBaselines(after).follow([known])
        assert after.current("iris", "1") == newer


async def test_one_that_was_deleted_stays_deleted(
    baselines: Baselines, reopened: Reopened, draft: Any, model: Any
) -> None:
    known = model(baseline_distributions=KNOWN)
    await MetadataBaselines(baselines).follow([known])
    await baselines.delete(1)
    await baselines.add(draft(), model_name="other", model_version=None)
    await baselines.retire(())
    async with reopened() as after:
        await MetadataBaselines(after).follow([known])
        assert after.current("iris", "1") is None


async def test_other_content_under_the_same_version_is_a_new_one(baselines: Baselines, model: Any) -> None:
    registered = MetadataBaselines(baselines)
    for mean in (1, 2, 1):
        await registered.follow([model(baseline_distributions={"x": {"mean": mean, "std": 1}})])
        in_force = baselines.current("iris", "1")
        assert in_force is not None
        assert in_force.inputs is not None
        assert round(in_force.inputs["x"].moments.mean) == mean
    assert len(await baselines.list("iris")) == 3


async def test_what_cannot_be_understood_is_told_and_the_rest_is_used(
    baselines: Baselines, reopened: Reopened, model: Any
) -> None:
    broken = model(baseline_distributions={"age": {"mean": 40}, "height": [1, 2]})
    registered = MetadataBaselines(baselines)
    await registered.follow([broken, model("all", baseline_distributions={"x": 3})])
    in_force = baselines.current("iris", "1")
    assert in_force is not None
    assert in_force.inputs is not None
    assert in_force.inputs.names == ["height"]
    assert in_force.warnings[0].startswith("age: the keys 'mean' make none of")
    assert registered.problems["iris", "1"].startswith("baselineDistributions.age: the keys 'mean'")
    assert "x: 3 is no distribution" in registered.problems["all", "1"]
    assert baselines.current("all", "1") is None
    async with reopened() as after:
        again = MetadataBaselines(after)
        await again.follow([broken])
        assert list(again.problems) == [("iris", "1")]
        await again.follow([])
        assert again.problems == {}
