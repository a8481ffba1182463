"""What can be told of lists of numbers: vectors, matrices and the pixels of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_aiops.stats.summaries import moments

DERIVED = (".norm", ".mean", ".length", ".width", ".height", ".brightness")
"""The endings of what is derived from lists."""

_CHANNELS = (1, 3, 4)


def derived(value: list[Any]) -> Mapping[str, float]:
    """Of numbers in three dimensions, one of them the channels of an image: width, height and brightness (the mean of
    all values). Of other numbers: Euclidean norm and mean of all values, and how many there are. Of anything else: how
    many entries there are."""
    try:
        array = np.array(value)
    except ValueError:  # of different lengths, or too deep
        return {".length": len(value)}
    if array.dtype.kind not in "iufb" or not array.size:
        return {".length": len(value)}
    numbers = array.astype(np.float64).ravel()
    mean = moments(numbers).mean
    assert mean is not None  # JSON has neither NaN nor infinities
    if array.ndim == 3 and (array.shape[2] in _CHANNELS or array.shape[0] in _CHANNELS):
        height, width = array.shape[:2] if array.shape[2] in _CHANNELS else array.shape[1:]
        return {".width": width, ".height": height, ".brightness": mean}
    with np.errstate(over="ignore"):  # infinite then
        norm = float(np.linalg.norm(numbers))
    return {".norm": norm, ".mean": mean, ".length": numbers.size}
