"""Whether models say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.serving.benchmark.agreement import Agreement, counterparts
from edge_aiops.serving.benchmark.messages import OutputAgreement


def agreed(*pairs: tuple[Any, Any], task_type: str = "classification", dtype: str = "float32") -> OutputAgreement:
    agreement = Agreement(task_type=task_type)
    for left, right in pairs:
        kind = object if dtype == "string" else dtype
        agreement.add({"scores": np.array(left, kind)}, {"logits": np.array(right, kind)})
    (result,) = agreement.results()
    return result


def test_equal_outputs_agree_wholly() -> None:
    found = agreed(([[1, 2], [0, 0]], [[1, 2], [0, 0]]), ([[3, 4]], [[3, 4]]))
    assert (found.output, found.reference_output, found.rows) == ("logits", "scores", 3)
    assert (found.cosine, found.lowest_cosine, found.max_abs_difference, found.top1) == (1.0, 1.0, 0.0, 1.0)
    assert (found.equal, found.unlike) == (None, 0)


def test_rows_are_compared_one_by_one() -> None:
    found = agreed(([[1, 0], [1, 0]], [[2, 0], [0, 1]]))
    assert (found.cosine, found.lowest_cosine, found.max_abs_difference, found.top1) == (0.5, 0.0, 1.0, 0.5)


@pytest.mark.parametrize("task_type", ["embedding", "regression"])
def test_only_classes_have_a_top_one(task_type: str) -> None:
    assert agreed(([[1, 2]], [[1, 2]]), task_type=task_type).top1 is None
    assert agreed(([[1], [2]], [[1], [2]])).top1 is None
    assert agreed(([1, 2], [1, 2])).top1 is None


@pytest.mark.parametrize(
    ("dtype", "values"), [("int64", ([1, 2, 3], [1, 2, 4])), ("string", (["a", "b", "c"], ["a", "b", "d"]))]
)
def test_classes_that_a_model_says_are_equal_or_not(dtype: str, values: Any) -> None:
    found = agreed(values, dtype=dtype)
    assert found.equal == pytest.approx(2 / 3)
    assert (found.cosine, found.max_abs_difference) == (None, None)


def test_outputs_of_other_shapes_are_counted_and_not_compared() -> None:
    found = agreed(([[1, 2]], [[1, 2]]), ([[1, 2]], [[1, 2], [3, 4]]))
    assert (found.unlike, found.rows, found.cosine) == (1, 1, 1.0)


def test_numbers_that_are_not_finite_disagree_unless_they_are_the_same() -> None:
    found = agreed(([[np.nan, 1]], [[2, 1]]))
    assert (found.cosine, found.max_abs_difference) == (0.0, np.inf)
    assert agreed(([[np.inf, 1]], [[np.inf, 1]])).max_abs_difference == 0.0
    assert agreed(([[0, 0]], [[0, 1]])).cosine == 0.0


def arrays(**given: Any) -> dict[str, Any]:
    return {name: np.array(values) for name, values in given.items()}


def test_outputs_belong_together_by_name_and_else_by_what_they_say() -> None:
    reference = arrays(note=[[0.1, 0.9]], onset=[[0.8, 0.1]], contour=[[1.0, 2.0, 3.0]], label=[1])
    other = arrays(a=[[0.79, 0.1]], b=[[3.0, 2.0, 1.0]], c=[[0.1, 0.88]], label=[2])
    assert counterparts(reference, other) == {"note": "c", "onset": "a", "contour": "b", "label": "label"}


def test_outputs_that_agree_equally_well_belong_together_by_order() -> None:
    assert counterparts(arrays(x=[1.0], y=[2.0]), arrays(p=[3.0], q=[4.0])) == {"x": "p", "y": "q"}


def test_an_output_of_another_shape_or_kind_has_no_counterpart() -> None:
    assert counterparts(arrays(x=[1.0], y=[1], z=["a"]), arrays(p=[1.0, 2.0], q=["b"])) == {"z": "q"}
    agreement = Agreement(task_type="embedding")
    agreement.add(arrays(x=[1.0]), arrays(p=[1.0, 2.0]))
    assert agreement.results() == []
