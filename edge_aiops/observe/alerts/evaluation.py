"""What a rule says of a model version, given the values of its metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.observe.alerts.alert import Judged
from edge_aiops.observe.alerts.condition import Condition, Reading, combined
from edge_aiops.observe.alerts.machine import Timing
from edge_aiops.observe.alerts.rule import AlertRule, seconds
from edge_aiops.observe.models import ObservedModel


class Found(NamedTuple):
    """What a metric says of a model version."""

    value: float | None
    """None where there is nothing to say."""
    details: str | None = None
    """What is behind the value, for people: the features that have drifted, what is wrong with the data."""
    watched: bool = True
    """Whether anybody looks. Where nobody does, such as where the check is switched off, no condition holds."""


UNWATCHED = Found(None, watched=False)
Values = Mapping[Reading, Found]
"""What was read of one model version."""


class MetricSource(Protocol):
    """Where the values of metrics come from."""

    async def find(self, condition: Condition, model_name: str, model_version: str) -> Found:
        """What the condition's metric says now."""


class Watched(NamedTuple):
    """A condition with what it reads."""

    condition: Condition
    reading: Reading
    premises: tuple[tuple[Reading, float], ...]
    in_production_only: bool

    def holds(self, values: Values, *, in_production: bool, firing: bool) -> bool | None:
        """Whether it holds; None where there is nothing to say."""
        if self.in_production_only and not in_production:
            return False
        found = values[self.reading]
        if not found.watched:
            return False
        for reading, least in self.premises:
            if (premise := values[reading].value) is None or premise < least:
                return None
        return self.condition.holds(found.value, firing=firing)

    def judged(self, values: Values, *, in_production: bool, firing: bool, before: Judged | None) -> Judged:
        """What was found; where there is no value, the one of `before`."""
        found, holds = values[self.reading], self.holds(values, in_production=in_production, firing=firing)
        value, details = found.value, found.details
        if before is not None:
            value = before.value if value is None else value
            details = before.details if details is None and holds is not False else details
        return Judged(
            condition=self.condition, unit=self.condition.about.unit, value=value, holds=holds, details=details
        )


class RuleInForce(NamedTuple):
    """A rule, made ready to be evaluated often."""

    rule: AlertRule
    timing: Timing
    watched: tuple[Watched, ...]

    @classmethod
    def of(cls, rule: AlertRule) -> RuleInForce:
        """`rule`, made ready."""
        repeat = None if rule.repeat_interval is None else _nanoseconds(rule.repeat_interval)
        timing = Timing(_nanoseconds(rule.for_duration), _nanoseconds(rule.clear_duration), repeat)
        return cls(rule, timing, tuple(map(_watched, rule.conditions)))

    def verdict(self, values: Values, *, in_production: bool, firing: bool) -> bool | None:
        """Whether its conditions hold together; None where too little is known."""
        return combined(
            [watched.holds(values, in_production=in_production, firing=firing) for watched in self.watched],
            match=self.rule.match,
        )

    def judged(
        self, values: Values, *, in_production: bool, firing: bool, before: tuple[Judged, ...] = ()
    ) -> tuple[Judged, ...]:
        """What was found of each condition; where there is no value, the one of `before`."""
        last = {found.condition: found for found in before}
        return tuple(
            watched.judged(values, in_production=in_production, firing=firing, before=last.get(watched.condition))
            for watched in self.watched
        )

    def readings(self) -> Iterator[Condition]:
        """All that must be read for it."""
        for condition in self.rule.conditions:
            yield condition
            yield from (premise for premise, _ in condition.premises)


async def read(source: MetricSource, rules: Iterable[RuleInForce], model: ObservedModel) -> _Read:
    """Each value that `rules` need of a model version, read once.

    A metric that cannot be read has nothing to say; the first such failure is given beside the values.
    """
    wanted = {condition.reading: condition for rule in rules for condition in rule.readings()}
    values: dict[Reading, Found] = {}
    failure: EdgeAiopsError | None = None
    for reading, condition in wanted.items():
        try:
            values[reading] = await source.find(condition, model.served_by.model_name, model.served_by.model_version)
        except EdgeAiopsError as error:
            values[reading] = Found(None)
            failure = failure or error
    return _Read(values, failure)


def covering(rules: Collection[RuleInForce], model: ObservedModel) -> list[RuleInForce]:
    """Those of `rules` that are about a model version."""
    name, version = model.served_by.model_name, model.served_by.model_version
    return [rule for rule in rules if rule.rule.covers(name, version)]


class _Read(NamedTuple):
    values: dict[Reading, Found]
    failure: EdgeAiopsError | None


def _watched(condition: Condition) -> Watched:
    premises = tuple((premise.reading, least) for premise, least in condition.premises)
    return Watched(condition, condition.reading, premises, condition.of_absence)


def _nanoseconds(duration: str) -> int:
    return round(seconds(duration) * 1e9)
