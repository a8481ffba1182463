"""Which models are compared."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from edge_aiops.base.errors import InvalidInput, NotFound
from edge_aiops.serving.benchmark.choosing import MOST_MODELS, chosen, label
from edge_aiops.serving.benchmark.measuring import order
from edge_aiops.serving.deployment import Deployment

Make = Callable[..., Deployment]


@pytest.fixture
def make(deployment: Make) -> Make:
    def made(name: str, version: str = "1", **more: Any) -> Deployment:
        return deployment(name, version, **{"task_type": "t", "equivalence_group": "g", **more})

    return made


def choose(deployments: list[Deployment], **more: Any) -> list[str]:
    return [label(one) for one in chosen(deployments, **{"task_type": "t", "equivalence_group": "g", **more})]


def test_all_models_of_the_group_take_part_the_most_wanted_first(make: Make) -> None:
    deployments = [make("a", stage="candidate"), make("b"), make("c", task_type="u"), make("d", equivalence_group="h")]
    assert choose(deployments) == ["b 1", "a 1"]


def test_models_may_be_named_with_and_without_their_version(make: Make) -> None:
    deployments = [make("a"), make("a", "2"), make("b"), make("b", "2")]
    assert choose(deployments, only=["a"]) == ["a 2", "a 1"]
    assert choose(deployments, only=["a:1", "b:2"]) == ["b 2", "a 1"]


def test_an_unknown_group_is_answered_with_those_that_there_are(make: Make) -> None:
    deployments = [make("a"), make("b", equivalence_group="h"), make("c", equivalence_group=None)]
    with pytest.raises(NotFound, match=r"task type 't' and the equivalence group 'x'; there are: t / g, t / h$"):
        choose(deployments, equivalence_group="x")
    with pytest.raises(NotFound, match=r"there are: t / g, t / h$"):
        choose(deployments, task_type="x")
    with pytest.raises(NotFound, match="there are: none; register models with a taskType and an equivalenceGroup"):
        choose([make("a", equivalence_group=None)])


def test_one_model_is_too_few_and_many_are_too_many(make: Make) -> None:
    with pytest.raises(InvalidInput, match="equivalenceGroup: it takes two models to compare, and there is one: a 1"):
        choose([make("a")])
    with pytest.raises(InvalidInput, match="models: it takes two"):
        choose([make("a"), make("b")], only=["b"])
    with pytest.raises(InvalidInput, match=f"the group has {MOST_MODELS + 1} models; name at most {MOST_MODELS}"):
        choose([make(f"m{number}") for number in range(MOST_MODELS + 1)])


def test_a_name_that_is_not_in_the_group_is_refused(make: Make) -> None:
    with pytest.raises(InvalidInput, match="models: 'c' is not in the group; it has b 1, a 1"):
        choose([make("a"), make("b"), make("c", equivalence_group="h")], only=["a", "b", "c"])


def test_output_dimensions_that_differ_are_told_by_model(make: Make) -> None:
    deployments = [make("a", output_dimensions=(384,)), make("b", output_dimensions=(512,)), make("c")]
    with pytest.raises(InvalidInput, match=r"c 1 names none, b 1 has \[512\], a 1 has \[384\]"):
        choose(deployments)
    assert choose([*deployments[:1], make("d", output_dimensions=(384,))]) == ["d 1", "a 1"]


@pytest.mark.parametrize("models", [2, 3, 5])
def test_every_model_has_every_place_equally_often_and_no_fixed_neighbour(models: int) -> None:
    orders = [order(number, models) for number in range(2 * models)]
    for place in range(models):
        assert sorted(one[place] for one in orders) == sorted([*range(models)] * 2)
    followers = {(a, b) for one in orders for a, b in pairwise(one)}
    assert followers == {(b, a) for a, b in followers}
