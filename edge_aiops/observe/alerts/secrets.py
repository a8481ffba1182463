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
_ADDRESS = re.compile(
    r"(?<![a-z0-9+.-])(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<user>[^/?#\s]*@)?(?P<host>[^/?#\s]*)"
    r"(?P<first>/[^/?#\s]*)?(?P<path>/[^?#\s]*)?(?P<query>\?[^#\s]*)?(?P<fragment>#\S*)?",
    re.IGNORECASE,
)


def resolved(options: Mapping[str, Any], environment: Mapping[str, str], *, field: str = "options") -> dict[str, Any]:
    """`options` with each `env:NAME` replaced by that variable's value. Raises `InvalidInput` where it is not set."""
    return {name: _resolved(value, environment, f"{field}.{name}") for name, value in options.items()}


def from_environment(options: Mapping[str, Any]) -> bool:
    """Whether any value at any depth is an `env:NAME`."""
    return _holds(options, FROM_ENVIRONMENT)


def redacted(options: Mapping[str, Any], secrets: Collection[str] = ()) -> dict[str, Any]:
    """`options` for people, without the values of secrets at any depth, and with what of an address is no secret: the
    host and the first part of the path. `env:NAME` is no secret."""
    return {
        name: _hidden(value) if name in secrets or _SECRET.search(name) else _shown(value, secrets)
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


def _shown(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, list | tuple):
        return [_shown(item, secrets) for item in value]
    if isinstance(value, dict):
        return redacted(value, secrets)
    return _ADDRESS.sub(_public, value) if isinstance(value, str) else value


def _public(address: re.Match[str]) -> str:
    """An address without who calls, and without what only the receiver and its callers know."""
    user = f"{REDACTED}@" if address["user"] else ""
    path = f"/{REDACTED}" if len(address["path"] or "") > 1 else address["path"] or ""
    query = f"?{REDACTED}" if address["query"] else ""
    fragment = f"#{REDACTED}" if address["fragment"] else ""
    return f"{address['scheme']}{user}{address['host']}{address['first'] or ''}{path}{query}{fragment}"


def _holds(value: Any, text: str) -> bool:
    if isinstance(value, list | tuple | dict):
        return any(_holds(item, text) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and text in value
