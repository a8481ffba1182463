"""Whether what came of a call is what the documentation promises: a named refusal, or numbers that are numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary, special

from . import surface

LONGEST_S = 2.0
"""How long the processor may be at a call with few values."""

DOCUMENTED: Mapping[str, str] = {
    **dict.fromkeys(special.__all__, "nan inf"),
    **dict.fromkeys(["Moments.variance", "Moments.standard_deviation"], "inf"),
    **dict.fromkeys([f"Quantiles.{name}" for name in ("quantile", "quantiles", "minimum", "maximum")], "inf"),
    **dict.fromkeys([f"MeanSequence.{name}" for name in ("interval", "difference", "log_e", "e_value")], "inf"),
    **dict.fromkeys(["DriftEvidence.e_value", "RateSequence.e_value", "BoundedMeanSequence.e_value"], "inf"),
    "RateSequence.log_e": "inf",
    "Reference.edges": "inf",
    "PcaReference.scales": "inf",
    "psi_without_drift": "inf",
    "each_against_others": "nan inf",
    "PcaReference.errors": "nan",
}
"""Where the documentation says that a number may be infinite or NaN although there is no warning."""

FEATURES = ['"x"', '"label"']
"""The columns of the profiles."""

NUMBERLESS = {"statistic", "p_value", "effect_size", "value", "low", "high"}
"""What has no number in a result about no rows."""


def refusal(error: BaseException, parameters: Mapping[str, Any]) -> str | None:
    """What is wrong with an exception; nothing if it is a named refusal."""
    said = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])
    if isinstance(error, UnreadableSummary | IncompatibleSummaries):
        return None
    if type(error) is KeyError and {"name", "key"} & parameters.keys():
        return None
    refused = TypeError | ValueError
    if any(_is_refused_by_python(value) for value in parameters.values()):
        refused |= OverflowError
    if not isinstance(error, refused):
        return f"is no refusal: {said}"
    if len(said) > 300:
        return f"says too much: {said}"
    if not any(
        re.search(rf"(\b|\W){re.escape(name.removesuffix('s'))}", said) for name in (*parameters, *FEATURES, "name")
    ):
        return f"does not say what was refused: {said}"
    return None


def _is_refused_by_python(value: Any) -> bool:
    """Whether an integer is among it that is negative, or too large for the narrowest type of a parameter, 8 bits."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list | tuple):
        return any(_is_refused_by_python(each) for each in value)
    return isinstance(value, int | np.integer) and not 0 <= value < 2**8


def result(name: str, value: Any) -> str | None:
    """What is wrong with a result; nothing if each number in it is one, or a warning says why not."""
    return next(_complaints(name, value, warned=False), None)


def _complaints(name: str, value: Any, *, warned: bool) -> Iterator[str]:
    if isinstance(value, float | np.floating):
        if not math.isfinite(value) and not warned and _kind(float(value)) not in DOCUMENTED.get(name, ""):
            yield f"{name} is {value} without a warning"
    elif isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            for number in value[~np.isfinite(value)][:1]:
                yield from _complaints(name, float(number), warned=warned)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _complaints(f"{name}[{key!r}]", part, warned=warned)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _complaints(name, part, warned=warned)
    elif type(value).__module__.startswith("edge_aiops"):
        yield from _object(value)


def _object(value: Any) -> Iterator[str]:
    kind = type(value)
    repr(value)
    if value != value:
        yield f"{kind.__name__} is not equal to itself"
    parts = {key: getattr(value, key) for key in surface.getters(kind)}
    # An odds ratio is infinite where only its denominator is zero.
    warned = bool(parts.get("warnings")) or parts.get("effect") == "odds ratio"
    for key, part in parts.items():
        yield from _complaints(f"{kind.__name__}.{key}", part, warned=warned)
    yield from _contradictions(kind.__name__, parts)


def _contradictions(name: str, parts: Mapping[str, Any]) -> Iterator[str]:
    for key in ("p_value", "adjusted_p_value", "anytime_p_value"):
        found = parts.get(key)
        if found is not None and not 0 <= found <= 1:
            yield f"{name}.{key} is {found}"
    low, high = parts.get("low"), parts.get("high")
    if low is not None and high is not None and low > high:
        yield f"{name} has an interval from {low} to {high}"
    if "warnings" not in parts:
        return
    if 0 in (parts.get("n"), parts.get("n_reference"), parts.get("n_current")):
        for key in NUMBERLESS & parts.keys():
            if parts[key] is not None:
                yield f"{name}.{key} is {parts[key]} although there are no rows"
        if not parts["warnings"]:
            yield f"{name} is about no rows, without a warning"


def _kind(number: float) -> str:
    return "nan" if math.isnan(number) else "inf"
