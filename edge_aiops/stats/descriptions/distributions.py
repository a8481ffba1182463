"""References of features of which only a description is left, such as a mean and a standard deviation.

From the description comes a sample that has exactly the distribution described: the values at the middles of `n`
equal shares of it. Forms and defaults: docs/monitoring/baselines.md.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.special import normal_quantile
from edge_aiops.stats.summaries import Categories, Reference

DEFAULT_N = 1_000
"""Rows that a description stands for where it does not say."""
MOST_N = 100_000
"""A description that stands for more rows counts as of so many."""

FORMS = (
    '{"mean", "std"}, {"quantiles": [...]}, {"edges": [...], "counts": [...]}, {"min", "max", "counts": [...]}, '
    '{"categories": {...}}, {"values": [...]} or a reference as base64'
)
_SIZES = ("n", "count")
_EVERYWHERE = (*_SIZES, "missingRate")
_PERCENTS = {"min": 0.0, "max": 1.0}

Numbers = NDArray[np.float64]


class UnknownDistribution(ValueError):
    """A description that means nothing; the message says why."""


class Described(NamedTuple):
    """What a description stands for."""

    reference: Reference | Categories
    n: int
    """Rows, with those that have no value."""
    ignored: tuple[str, ...]
    """Keys that mean nothing here."""


def described(description: Any, *, bins: int = 64) -> Described:
    """The reference that a description stands for. Raises `UnknownDistribution`."""
    if isinstance(description, str):
        return _encoded(description)
    if isinstance(description, Sequence):
        description = {"values": description}
    if not isinstance(description, Mapping):
        raise UnknownDistribution(f"{str(description)[:80]} is no distribution; wanted is one of {FORMS}")
    for keys, sampled in _SAMPLED.items():
        if all(key in description for key in keys.split()):
            missing_rate = _share(description.get("missingRate", 0.0), "missingRate")
            found = sampled(description)
            return _referenced(found, missing_rate, bins, _ignored(description, found))
    raise UnknownDistribution(f"the keys {', '.join(map(repr, description)) or '(none)'} make none of {FORMS}")


class _Sample(NamedTuple):
    values: Numbers | list[str]
    used: tuple[str, ...]
    known: tuple[str, ...] = ()
    missing: int = 0


def _referenced(sample: _Sample, missing_rate: float, bins: int, ignored: tuple[str, ...]) -> Described:
    present = len(sample.values)
    missing = sample.missing + round(present * missing_rate / (1 - missing_rate))
    if isinstance(sample.values, list):
        counted = Categories(sample.known)
        counted.update([*sample.values, *[None] * missing])
        return Described(counted, present + missing, ignored)
    values = np.concatenate([sample.values, np.zeros(missing)])
    mask = np.arange(len(values)) >= present
    return Described(Reference(values, bins=bins, missing=mask), len(values), ignored)


def _encoded(text: str) -> Described:
    try:
        reference = Reference.from_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, UnreadableSummary, ValueError) as error:
        raise UnknownDistribution(f"the text is no reference as base64 ({error}); wanted is one of {FORMS}") from error
    return Described(reference, reference.histogram.total, ())


def _raw(description: Mapping[str, Any]) -> _Sample:
    values = description["values"]
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise UnknownDistribution("values must be a list of numbers or of labels, and not empty")
    if len(values) > MOST_N:
        raise UnknownDistribution(f"values has {len(values):,} entries; send at most {MOST_N:,}, or a dataset")
    given = [value for value in values if value is not None]
    missing = len(values) - len(given)
    if all(isinstance(value, str | bool) for value in given):
        labels = [value if isinstance(value, str) else str(value).lower() for value in given]
        return _Sample(labels, ("values",), tuple(dict.fromkeys(labels))[:_MOST_LABELS], missing)
    return _Sample(_numbers(given, "values"), ("values",), (), missing)


def _of_categories(description: Mapping[str, Any]) -> _Sample:
    shares = description["categories"]
    if not isinstance(shares, Mapping) or not shares:
        raise UnknownDistribution("categories must be an object of labels and their shares or counts, and not empty")
    if len(shares) > _MOST_LABELS:
        raise UnknownDistribution(f"categories has {len(shares):,} labels; at most {_MOST_LABELS:,} are told apart")
    counts = _counts(list(shares.values()), "categories", description)
    labels = [label for label, count in zip(shares, counts, strict=True) for _ in range(count)]
    return _Sample(labels, ("categories",), tuple(shares))


def _of_histogram(description: Mapping[str, Any]) -> _Sample:
    given = description["counts"]
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise UnknownDistribution("counts must be a list of numbers, and not empty")
    named = next((key for key in ("edges", "bins") if isinstance(description.get(key), Sequence)), None)
    if named is not None:
        edges = _numbers(description[named], named)
    elif "min" in description and "max" in description:
        ends = (_number(description["min"], "min"), _number(description["max"], "max"))
        edges = np.linspace(*ends, len(given) + 1)
        if description.get("bins", len(given)) != len(given):
            raise UnknownDistribution(f"bins is {description['bins']!r}, but counts has {len(given)} entries")
    else:
        raise UnknownDistribution("counts needs edges, or min and max")
    if len(edges) != len(given) + 1:
        raise UnknownDistribution(f"{named} has {len(edges)} entries; {len(given)} counts need {len(given) + 1}")
    if bool((np.diff(edges) <= 0).any()):
        raise UnknownDistribution(f"{named or 'min and max'} must ascend")
    counts = _counts(given, "counts", description)
    inside = [
        low + (high - low) * _middles(count) for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return _Sample(np.concatenate(inside), ("counts", named) if named else ("counts", "bins", "min", "max"))


def _of_quantiles(description: Mapping[str, Any]) -> _Sample:
    given = description["quantiles"]
    if isinstance(given, Mapping):
        ranks = _numbers([_number(_as_number(rank), "quantiles") for rank in given], "quantiles")
        values = _numbers(list(given.values()), "quantiles")
        order = np.argsort(ranks)
        ranks, values = ranks[order], values[order]
        if not len(ranks) or ranks[0] < 0 or ranks[-1] > 1:
            raise UnknownDistribution('quantiles must have ranks from 0 to 1, such as {"0": 1, "0.5": 3, "1": 9}')
    else:
        values = _numbers(given, "quantiles")
        ranks = np.linspace(0, 1, len(values))
    return _Sample(_between(ranks, values, _n(description)), ("quantiles",))


def _of_percents(description: Mapping[str, Any]) -> _Sample:
    """As the `describe` of a data frame tells it: min, 25%, 50%, 75%, max."""
    ranks = {key: rank for key in description if (rank := _percent(key)) is not None}
    used = sorted(ranks, key=lambda key: ranks[key])
    values = _numbers([description[key] for key in used], "min, 50%, max")
    ends = tuple(key for key in ("mean", "std") if key in description)
    return _Sample(_between(np.array([ranks[key] for key in used]), values, _n(description)), (*used, *ends))


def _of_moments(description: Mapping[str, Any]) -> _Sample:
    mean, deviation = _number(description["mean"], "mean"), _number(description["std"], "std")
    if deviation < 0:
        raise UnknownDistribution(f"std is {deviation}; a standard deviation is not negative")
    values = mean + deviation * _normal(_n(description))
    low, high = (_number(description.get(key, end), key) if key in description else end for key, end in _ENDS.items())
    if low > high:
        raise UnknownDistribution("min is above max")
    return _Sample(np.clip(values, low, high), ("mean", "std", "min", "max"))


_ENDS = {"min": -math.inf, "max": math.inf}
_MOST_LABELS = 1_024
_MOST = 1e150
"""Beyond, not even the squares of numbers are finite."""
_SAMPLED: Mapping[str, Callable[[Mapping[str, Any]], _Sample]] = {
    "values": _raw,
    "categories": _of_categories,
    "counts": _of_histogram,
    "quantiles": _of_quantiles,
    "min 50% max": _of_percents,
    "mean std": _of_moments,
}
"""By the keys that tell a form, the most telling first."""


@lru_cache(maxsize=1)
def _normal(n: int) -> Numbers:
    return np.array([normal_quantile(rank) for rank in _middles(n).tolist()])


def _middles(n: int) -> Numbers:
    return (np.arange(n) + 0.5) / max(n, 1)


def _between(ranks: Numbers, values: Numbers, n: int) -> Numbers:
    if len(values) < 2:
        raise UnknownDistribution("quantiles must be at least two, the least and the greatest value")
    if bool((np.diff(values) < 0).any()):
        raise UnknownDistribution("quantiles must ascend")
    found: Numbers = np.interp(_middles(n), ranks, values)
    return found


def _counts(given: Sequence[Any], field: str, description: Mapping[str, Any]) -> list[int]:
    """Counts as they are up to `MOST_N`; shares by the rows that they stand for."""
    weights = _numbers(given, field)
    total = float(weights.sum())
    if bool((weights < 0).any()) or total <= 0:
        raise UnknownDistribution(f"{field} must not be negative, nor all zero")
    are_counts = bool((weights % 1 == 0).all()) and not any(key in description for key in _SIZES)
    n = min(int(total), MOST_N) if are_counts else _n(description)
    # Rounded at the running total, so that all together are n.
    places = np.rint(np.cumsum(weights) / total * n).astype(int)
    counts: list[int] = np.diff(places, prepend=0).tolist()
    return counts


def _n(description: Mapping[str, Any]) -> int:
    key = next((key for key in _SIZES if key in description), None)
    if key is None:
        return DEFAULT_N
    n = _number(description[key], key)
    if n < 1 or n % 1:
        raise UnknownDistribution(f"{key} is {description[key]!r}; wanted is how many rows there were, at least 1")
    return min(int(n), MOST_N)


def _share(value: Any, field: str) -> float:
    share = _number(value, field)
    if not 0 <= share < 1:
        raise UnknownDistribution(f"{field} is {value!r}; wanted is a share of the rows, from 0 to below 1")
    return share


def _number(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
        raise UnknownDistribution(f"{field} is {str(value)[:80]!r}; wanted is a number")
    return float(value)


def _numbers(values: Any, field: str) -> Numbers:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise UnknownDistribution(f"{field} must be a list of numbers")
    return np.array([_number(value, field) for value in values], dtype=np.float64)


def _as_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _percent(key: str) -> float | None:
    if key in _PERCENTS:
        return _PERCENTS[key]
    rank = _as_number(key[:-1]) if key.endswith("%") else ""
    return rank / 100 if isinstance(rank, float) and 0 <= rank <= 100 else None


def _ignored(description: Mapping[str, Any], sample: _Sample) -> tuple[str, ...]:
    return tuple(key for key in description if key not in (*sample.used, *_EVERYWHERE))
