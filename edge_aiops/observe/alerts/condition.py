"""Conditions of rules: a metric, an operator and a threshold; read strictly, judged three-valued."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.structured import parsed
from edge_aiops.observe.alerts.catalogue import (
    MAX_WINDOW_MINUTES,
    METRICS,
    OPERATORS,
    Metric,
)
from edge_aiops.observe.alerts.words import one_of, shown
from edge_aiops.observe.drift.result import DRIFT_TYPES

MAX_COUNT = 10**12
MAX_NAME = 256
_FUNCTIONS: dict[str, Callable[[float, float], bool]] = dict(
    zip(OPERATORS, (operator.gt, operator.ge, operator.lt, operator.le, operator.eq, operator.ne), strict=True)
)


class Reading(NamedTuple):
    """What a condition reads; conditions with equal readings share one value."""

    metric: str
    window_minutes: int | None
    drift_type: str | None
    feature: str | None
    check: str | None


class Condition(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """One comparison of a metric with a threshold."""

    metric: str
    operator: str
    """`>`, `>=`, `<`, `<=`, `==` or `!=`."""
    threshold: float
    """In the metric's unit, as `GET /monitoring/rules/metrics` tells it."""
    clear_threshold: float | None = None
    """While the alert fires: what the value must get back to until the condition is over."""
    window_minutes: int | None = None
    """How far back the metric looks; as the metric has it where it is left out."""
    min_requests: int | None = None
    """With fewer requests in the window, the condition says nothing."""
    min_labels: int | None = None
    """With fewer labelled predictions in the window, the condition says nothing."""
    drift_type: str | None = None
    feature: str | None = None
    check: str | None = None

    @property
    def about(self) -> Metric:
        """The metric."""
        return METRICS[self.metric]

    @property
    def reading(self) -> Reading:
        """What it reads."""
        return Reading(self.metric, self.window_minutes, self.drift_type, self.feature, self.check)

    @property
    def premises(self) -> tuple[tuple[Condition, float], ...]:
        """What else must be read, and how large it must be at least, so that this condition says anything."""
        found: list[tuple[Condition, float]] = []
        if self.min_requests is not None:
            found.append((_reading_only("requests", self.window_minutes), self.min_requests))
        if self.min_labels is not None:
            found.append((_reading_only("labelled", self.window_minutes), self.min_labels))
        if self.of_absence:
            found.append((_reading_only("timeSinceLastEvent"), 0))
        return tuple(found)

    @property
    def of_absence(self) -> bool:
        """Whether it is about traffic that is not there: judged in production only, and after a first request."""
        few = self.operator in ("<", "<=") and self.metric in ("requests", "throughput")
        return few or self.metric == "timeSinceLastEvent"

    def holds(self, value: float | None, *, firing: bool) -> bool | None:
        """Whether it holds; None where there is nothing to say. `firing`: the alert is on, so hysteresis counts."""
        if value is None:
            return None
        threshold = self.clear_threshold if firing and self.clear_threshold is not None else self.threshold
        return _FUNCTIONS[self.operator](value, threshold)


def condition_of(values: Mapping[str, Any], field: str, *, checks: Collection[str]) -> Condition:
    """The condition that `values`, as JSON has them, say. Raises `InvalidInput` that blames a part of `field`.

    `checks`: the checks of data quality that there are.
    """
    named = values.get("metric")
    if named not in (None, ""):
        one_of(f"{field}.metric", named, METRICS, noun="metric")
    try:
        condition = parsed(Condition, values)
    except InvalidInput as error:
        raise error.within(field) from error
    _check_operator_and_thresholds(condition, field)
    _check_parameters(condition, field, checks)
    if condition.window_minutes is not None:
        return condition
    return msgspec.structs.replace(condition, window_minutes=condition.about.window_minutes)


def combined(verdicts: Iterable[bool | None], *, match: str) -> bool | None:
    """Whether all or any of the conditions hold; None where those that say nothing could decide it (Kleene's logic)."""
    decides = match == "any"
    unknown = False
    for verdict in verdicts:
        if verdict is decides:
            return decides
        unknown = unknown or verdict is None
    return None if unknown else not decides


def _reading_only(metric: str, window_minutes: int | None = None) -> Condition:
    return Condition(metric=metric, operator=">=", threshold=0, window_minutes=window_minutes)


def _check_operator_and_thresholds(condition: Condition, field: str) -> None:
    one_of(f"{field}.operator", condition.operator, OPERATORS, noun="operator")
    _check_threshold(condition.about, condition.threshold, f"{field}.threshold")
    _check_reachable(condition, f"{field}.threshold")
    clear = condition.clear_threshold
    if clear is None:
        return
    name = f"{field}.clearThreshold"
    _check_threshold(condition.about, clear, name)
    if clear == {">=": condition.about.least, "<=": condition.about.greatest}.get(condition.operator):
        raise InvalidInput.of(
            name, f"{condition.metric} is always {condition.operator} {clear:g}: the alert never ends"
        )
    if condition.operator in ("==", "!="):
        raise InvalidInput.of(name, f"{condition.operator} has no other side; leave clearThreshold out")
    above = condition.operator in (">", ">=")
    if not (clear < condition.threshold if above else clear > condition.threshold):
        side = "below" if above else "above"
        raise InvalidInput.of(
            name, f"{clear:g} must lie {side} the threshold {condition.threshold:g}: a value back there ends the alert"
        )


def _check_threshold(metric: Metric, value: float, field: str) -> None:
    if not math.isfinite(value):
        raise InvalidInput.of(field, f"{value} is not a finite number")
    if (metric.least is not None and value < metric.least) or (metric.greatest is not None and value > metric.greatest):
        bounds = f"from {metric.least:g} to {metric.greatest:g}" if metric.greatest is not None else "never negative"
        hint = f"; 5 % is written 0.05, not {value:g}" if metric.unit == "share" and value > 1 else ""
        raise InvalidInput.of(field, f"{value:g} is never reached: {metric.name} is {bounds}{hint}")


def _check_reachable(condition: Condition, field: str) -> None:
    metric = condition.about
    bound = {">": metric.greatest, "<": metric.least}.get(condition.operator)
    if bound is not None and condition.threshold == bound:
        side = "above" if condition.operator == ">" else "below"
        raise InvalidInput.of(
            field,
            f"{metric.name} is never {side} {bound:g}, so that this never holds; did you mean {condition.operator}=?",
        )


def _check_parameters(condition: Condition, field: str, checks: Collection[str]) -> None:
    metric = condition.about
    given = {name: value for name, value in _parameters(condition).items() if value is not None}
    for name in given:
        if name not in metric.parameters:
            takes = ", ".join(metric.parameters) or "no parameters"
            raise InvalidInput.of(f"{field}.{name}", f"{metric.name} has no such parameter; it takes {takes}")
    for name in metric.required:
        if name not in given:
            known = f", one of {', '.join(DRIFT_TYPES)}" if name == "driftType" else ""
            raise InvalidInput.of(f"{field}.{name}", f"{metric.name} needs it{known}")
    if condition.drift_type is not None:
        one_of(f"{field}.driftType", condition.drift_type, DRIFT_TYPES, noun="drift type")
    if condition.check is not None:
        one_of(f"{field}.check", condition.check, checks, noun="check of data quality")
    _check_range(condition.window_minutes, MAX_WINDOW_MINUTES, f"{field}.windowMinutes")
    _check_range(condition.min_requests, MAX_COUNT, f"{field}.minRequests")
    _check_range(condition.min_labels, MAX_COUNT, f"{field}.minLabels")
    if condition.feature is not None and not (condition.feature.isprintable() and len(condition.feature) <= MAX_NAME):
        raise InvalidInput.of(
            f"{field}.feature", f"{shown(condition.feature)} is not a name of 1 to {MAX_NAME} characters"
        )


def _check_range(value: int | None, greatest: int, field: str) -> None:
    if value is not None and not 1 <= value <= greatest:
        raise InvalidInput.of(field, f"{value} is not from 1 to {greatest}")


def _parameters(condition: Condition) -> dict[str, object]:
    return {
        "windowMinutes": condition.window_minutes,
        "minRequests": condition.min_requests,
        "minLabels": condition.min_labels,
        "driftType": condition.drift_type,
        "feature": condition.feature,
        "check": condition.check,
    }
