"""Alert rules: what is watched, for which models, how long it must hold, and who hears of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.names import valid_name
from edge_aiops.base.structured import parsed
from edge_aiops.observe.alerts.condition import Condition, condition_of
from edge_aiops.observe.alerts.words import one_of, shown

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
MATCHES = ("all", "any")
MAX_CONDITIONS = 10
MAX_NOTIFIERS = 32
MAX_NAME = 128
MAX_DESCRIPTION = 2_000
MIN_REPEAT_S = 60
RESERVED_IDS = ("metrics",)
MAX_DURATION_DAYS = 30

_TOLD = ("id", "default", "modified", "origin", "createdAt", "updatedAt")
"""What an answer tells beside what can be said: it may be sent back as it came."""


class AlertRule(Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule in force, or one that is switched off."""

    id: str
    name: str
    description: str
    enabled: bool
    model_name: str | None
    """None: every model."""
    model_version: str | None
    """None: every version."""
    severity: Severity
    match: Literal["all", "any"]
    """Whether all conditions must hold, or any of them."""
    conditions: tuple[Condition, ...]
    for_duration: str
    """How long they must hold until the alert fires."""
    clear_duration: str
    """How long they must be over until the alert is resolved."""
    repeat_interval: str | None
    """How often a firing alert that nobody acknowledged is sent again; None: never."""
    notifiers: tuple[str, ...] | None
    """Names of the notifiers that hear of it; None: all."""
    default: bool
    """Whether edge_aiops brings this rule along."""
    modified: bool
    """Whether a default rule was changed or switched off."""
    created_at: int | None
    """None for a default rule."""
    updated_at: int | None
    origin: Literal["node", "hub"] = "node"
    """Who decides about it; a hub's rule is changed at the hub."""

    def covers(self, model_name: str, model_version: str) -> bool:
        """Whether it is about this version."""
        return self.model_name in (None, model_name) and self.model_version in (None, model_version)


class RuleWish(Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule as somebody sends it; the more delicate values are checked one by one afterwards."""

    name: str | None = None
    description: str = ""
    enabled: bool = True
    model_name: str | None = None
    model_version: str | None = None
    severity: str = "warning"
    match: str = "all"
    condition: dict[str, Any] | None = None
    conditions: list[Any] | None = None
    for_duration: str = "0s"
    clear_duration: str = "0s"
    repeat_interval: str | None = None
    notifiers: list[str] | None = None


def rule_of(
    rule_id: str,
    values: Mapping[str, Any],
    *,
    notifiers: tuple[str, ...],
    checks: Collection[str],
    now_ms: int,
    before: AlertRule | None = None,
    builtin: AlertRule | None = None,
) -> AlertRule:
    """The rule that `values`, as JSON has them, say; what they leave out of a default rule is as in `builtin`.

    `before`: the rule that it replaces. `notifiers`, `checks`: the names that there are. Raises `InvalidInput` that
    blames each wrong field.
    """
    if valid_name(rule_id, field="id") in RESERVED_IDS:
        raise InvalidInput.of("id", f"{rule_id!r} is a path of its own; choose another")
    if values.get("id", rule_id) != rule_id:
        raise InvalidInput.of("id", f"{shown(values['id'])} is not the {rule_id!r} of the path; leave it out")
    said = {name: value for name, value in values.items() if name not in _TOLD}
    if builtin is not None:
        said = _over_builtin(said, builtin)
    wish = parsed(RuleWish, said)
    return AlertRule(
        id=rule_id,
        name=_line(wish.name or rule_id, "name"),
        description=_description(wish.description),
        enabled=wish.enabled,
        model_name=_named(wish.model_name, "modelName"),
        model_version=_version(wish),
        severity=one_of("severity", wish.severity, SEVERITIES, noun="severity"),  # type: ignore[arg-type]  # one of them
        match=one_of("match", wish.match, MATCHES, noun="match"),  # type: ignore[arg-type]  # one of them
        conditions=_conditions(wish, checks),
        for_duration=_duration(wish.for_duration, "forDuration"),
        clear_duration=_duration(wish.clear_duration, "clearDuration"),
        repeat_interval=_repeat(wish.repeat_interval),
        notifiers=_notifiers(wish.notifiers, notifiers),
        default=builtin is not None,
        modified=builtin is not None,
        created_at=now_ms if before is None or before.created_at is None else before.created_at,
        updated_at=now_ms,
    )


def seconds(text: str) -> float:
    """The length of a duration of a rule."""
    return float(Duration.parse(text))


def _over_builtin(said: dict[str, Any], builtin: AlertRule) -> dict[str, Any]:
    base = {name: value for name, value in msgspec.to_builtins(builtin).items() if name not in _TOLD}
    if "condition" in said or "conditions" in said:
        del base["conditions"]
    return {**base, **said}


def _conditions(wish: RuleWish, checks: Collection[str]) -> tuple[Condition, ...]:
    if wish.condition is not None and wish.conditions is not None:
        raise InvalidInput.of("condition", "send either condition or conditions")
    if wish.condition is not None:
        return (condition_of(wish.condition, "condition", checks=checks),)
    if not wish.conditions:
        raise InvalidInput.of("conditions", 'it is required, such as [{"metric": "errorRate", "operator": ">", ...}]')
    if len(wish.conditions) > MAX_CONDITIONS:
        raise InvalidInput.of(
            "conditions", f"{len(wish.conditions)} are more than {MAX_CONDITIONS}; make several rules"
        )
    return tuple(_condition(given, f"conditions[{place}]", checks) for place, given in enumerate(wish.conditions))


def _condition(given: Any, field: str, checks: Collection[str]) -> Condition:
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInput.of(field, f"{shown(given)} is no object, and no JSON of one: {error}") from error
    if not isinstance(given, dict):
        raise InvalidInput.of(field, f"{shown(given)} is not an object with metric, operator and threshold")
    return condition_of(given, field, checks=checks)


def _line(text: str, field: str) -> str:
    if text.isprintable() and text.strip() and len(text) <= MAX_NAME:
        return text
    raise InvalidInput.of(field, f"{shown(text)} is not 1 to {MAX_NAME} characters on one line")


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise InvalidInput.of("description", f"{len(text)} characters are more than {MAX_DESCRIPTION}")
    return text


def _named(name: str | None, field: str) -> str | None:
    return None if name is None else valid_name(name, field=field)


def _version(wish: RuleWish) -> str | None:
    if wish.model_version is not None and wish.model_name is None:
        raise InvalidInput.of("modelVersion", "a version says nothing without modelName")
    return _named(wish.model_version, "modelVersion")


def _duration(text: str, field: str) -> str:
    duration = Duration.parse(text, field=field)
    if duration > MAX_DURATION_DAYS * 86_400:
        raise InvalidInput.of(field, f"{shown(text)} is longer than {MAX_DURATION_DAYS} days")
    return str(duration)


def _repeat(text: str | None) -> str | None:
    if text is None:
        return None
    repeat = _duration(text, "repeatInterval")
    if seconds(repeat) < MIN_REPEAT_S:
        raise InvalidInput.of("repeatInterval", f"{shown(text)} is shorter than {Duration(MIN_REPEAT_S)}")
    return repeat


def _notifiers(wanted: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...] | None:
    if wanted is None:
        return None
    if len(wanted) > MAX_NOTIFIERS:
        raise InvalidInput.of("notifiers", f"{len(wanted)} are more than {MAX_NOTIFIERS}")
    return tuple(
        one_of(f"notifiers[{place}]", name, known, noun="configured notifier") for place, name in enumerate(wanted)
    )
