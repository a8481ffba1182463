"""Secrets in the options of notifiers: taken from the environment, never shown, kept where nobody says a new one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from edge_aiops.base.errors import InvalidInput

FROM_ENVIRONMENT = "env:"
REDACTED = "(not shown)"
"""Stands for a secret; sent back, it means the secret that is there."""

_SECRET = re.compile(r"secret|password|token|key|credential|authorization", re.IGNORECASE)
_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#@]*@", re.IGNORECASE)


def resolved(options: Mapping[str, Any], environment: Mapping[str, str], *, field: str = "options") -> dict[str, Any]:
    """`options` with each `env:NAME` replaced by that variable's value. Raises `InvalidInput` where it is not set."""
    return {name: _resolved(value, environment, f"{field}.{name}") for name, value in options.items()}


def redacted(options: Mapping[str, Any], secrets: Collection[str] = ()) -> dict[str, Any]:
    """`options` for people: without the values of secrets. `env:NAME` is no secret."""
    return {
        name: _hidden(value) if name in secrets or _SECRET.search(name) else _without_user(value)
        for name, value in options.items()
    }


def restored(
    options: Mapping[str, Any], before: Mapping[str, Any], secrets: Collection[str] = (), *, field: str = "options"
) -> dict[str, Any]:
    """`options` with what `redacted` hid as it was in `before`. Raises `InvalidInput` where there was nothing."""
    shown = redacted(before, secrets)
    kept = {name: before[name] if name in before and value == shown[name] else value for name, value in options.items()}
    for name, value in kept.items():
        if _holds(value, REDACTED):
            raise InvalidInput.of(
                f"{field}.{name}",
                f"{REDACTED!r} stands for the value that was there, and there is none; send it in full",
            )
    return kept


def _resolved(value: Any, environment: Mapping[str, str], field: str) -> Any:
    if isinstance(value, list | tuple):
        return [_resolved(item, environment, f"{field}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, dict):
        return resolved(value, environment, field=field)
    if not (isinstance(value, str) and value.startswith(FROM_ENVIRONMENT)):
        return value
    name = value.removeprefix(FROM_ENVIRONMENT)
    if name not in environment:
        raise InvalidInput.of(field, f"the environment variable {name!r} is not set for this process")
    return environment[name]


def _hidden(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value if isinstance(value, str) and value.startswith(FROM_ENVIRONMENT) else REDACTED


def _without_user(value: Any) -> Any:
    if isinstance(value, str):
        return _USER.sub(rf"\1{REDACTED}@", value)
    return redacted(value) if isinstance(value, dict) else value


def _holds(value: Any, text: str) -> bool:
    if isinstance(value, list | tuple | dict):
        return any(_holds(item, text) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and text in value
