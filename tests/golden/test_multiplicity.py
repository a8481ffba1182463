"""Adjusted p-values are those of scipy.stats.false_discovery_control."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_aiops.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli

from .distances_cases import many_p_values

GOLDEN = json.loads(Path(__file__).with_name("multiplicity.json").read_text("utf-8"))


@pytest.mark.parametrize("seed", range(len(GOLDEN)))
def test_adjusted_p_values_are_those_of_scipy(seed: int) -> None:
    p_values = many_p_values(seed)
    for method, procedure in (("bh", benjamini_hochberg), ("by", benjamini_yekutieli)):
        expected = np.array(GOLDEN[seed][method])
        found = procedure(p_values, alpha=0.1)
        assert found.adjusted == pytest.approx(expected, rel=1e-12)
        assert found.rejected == [p <= 0.1 for p in found.adjusted if p is not None]
