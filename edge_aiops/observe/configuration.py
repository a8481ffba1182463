"""The monitoring configuration in force: defaults, the node's own, the model's own, and over all what a hub wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from edge_aiops.base.clock import Clock
from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import Conflict, InvalidInput
from edge_aiops.observe.alerts.words import suggestion
from edge_aiops.observe.config import MonitoringConfig, Share
from edge_aiops.store.local import LocalDatabase

GLOBAL = ""
"""The scope of what holds for every model."""

FOR_THE_NODE = ("alertCheck", "notifiers", "retention", "aggregation")
"""What cannot differ from model to model."""

WHOLE = ("thresholds", "options")
"""Objects that replace what lies below, and are not laid over it."""

Patch = dict[str, Any]
Check = Callable[[MonitoringConfig], None]


class Configuration:
    """What people have configured, by scope, and what follows from it."""

    def __init__(self, database: LocalDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._patches: dict[str, Patch] = {}
        self._hubs: Mapping[str, Patch] = {}
        self._hub = ""
        self._of: dict[str, MonitoringConfig] = {}
        self.revision = 0
        """Grows with every change."""

    async def load(self) -> None:
        """Read what was configured. Must come first."""
        for scope, body in await self._database.read("SELECT scope, body FROM config"):
            self._patches[scope] = msgspec.json.decode(body)

    def of(self, model_name: str = GLOBAL) -> MonitoringConfig:
        """What is in force for a model, or for the node as a whole."""
        if model_name not in self._patches and model_name not in self._hubs:
            model_name = GLOBAL
        if model_name not in self._of:
            self._of[model_name] = _in_force(model_name, self._patches, self._hubs)
        return self._of[model_name]

    def follow(self, patches: Mapping[str, Patch], *, hub: str) -> None:
        """From now on have over all else what a hub wants, by model, "" for the node, and nothing else of a hub.

        They must have passed `refuse_hubs`. `hub`: where it is.
        """
        self._hubs, self._hub = patches, hub
        self._of.clear()
        self.revision += 1

    def refuse_hubs(self, patches: Mapping[str, Patch], check: Check) -> None:
        """As the function, over what the node has of its own."""
        refuse_hubs(patches, check, own=self._patches)

    async def replace(self, model_name: str, patch: Patch) -> MonitoringConfig:
        """Configure a model, or the node; what `patch` does not name falls back to what holds for all.

        Raises as `tried`; then nothing is changed.
        """
        _, in_force = self.tried(model_name, patch)
        body = msgspec.json.encode(patch)
        now_ms = self._clock.now_ms()
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO config VALUES (?, ?, ?)", (model_name, body, now_ms)
            )
        )
        self._patches[model_name] = patch
        self._of.clear()
        self.revision += 1
        return in_force

    def tried(self, model_name: str, patch: Patch) -> tuple[MonitoringConfig, MonitoringConfig]:
        """What would be in force after `replace`: without what the hub wants, which may end, and with it.

        Raises `InvalidInput` that names the field.
        """
        refuse_misplaced(model_name, patch)
        own = {**self._patches, model_name: patch}
        return _in_force(model_name, own, {}), _in_force(model_name, own, self._hubs)

    def own(self, model_name: str, patch: Patch, shown: Patch) -> Patch:
        """`patch` without what the hub decides, if it says there the same as `shown`, what is in force.

        Raises `Conflict` where it says something else.
        """
        for scope in dict.fromkeys((GLOBAL, model_name)):
            patch = self._without(patch, self._hubs.get(scope, {}), shown, "")
        return patch

    def _without(self, patch: Patch, hubs: Mapping[str, Any], shown: Mapping[str, Any], path: str) -> Patch:
        own: Patch = {}
        for name, value in patch.items():
            if name not in hubs:
                own[name] = value
            elif name not in WHOLE and isinstance(value, dict) and isinstance(hubs[name], dict):
                own[name] = self._without(value, hubs[name], shown[name], f"{path}{name}.")
            elif value != shown[name]:
                raise Conflict(
                    f"{path}{name} is decided by the hub, as {shown[name]!r}; change it there: "
                    f"PUT {self._hub}/fleet/configuration/monitoring"
                )
        return own


def refuse_misplaced(model_name: str, patch: Patch) -> None:
    """Raises `InvalidInput` for what cannot differ from model to model."""
    if model_name != GLOBAL and (misplaced := [name for name in FOR_THE_NODE if name in patch]):
        raise InvalidInput.of(misplaced[0], "holds for the node as a whole; configure it for all models")


def refuse_hubs(patches: Mapping[str, Patch], check: Check, *, own: Mapping[str, Patch] | None = None) -> None:
    """Raises `InvalidInput` that blames a part of `monitoring` where what a hub wants, by model, "" for the node,
    cannot be in force over the node's `own`. `check` raises it for names that are not known there."""
    own = own or {}
    for scope in dict.fromkeys((GLOBAL, *own, *patches)):
        try:
            refuse_misplaced(scope, patches.get(scope, {}))
            check(_in_force(scope, own, patches))
        except InvalidInput as error:
            raise error.within(f"monitoring[{scope!r}]") from error


def effective(*patches: Patch) -> MonitoringConfig:
    """The defaults with `patches` laid over them, the last uppermost. Raises `InvalidInput` that names the field."""
    merged: Patch = _defaults()
    for patch in patches:
        merged = _laid_over(merged, patch)
    try:
        return msgspec.convert(merged, MonitoringConfig, dec_hook=_duration)
    except msgspec.ValidationError as error:
        _refuse_unknown(inspect.type_info(MonitoringConfig), merged)
        message, _, path = str(error).partition(" - at `$")
        field = path.strip(".`") or "body"
        if field == "quality.thresholds[...]":
            thresholds = merged["quality"]["thresholds"]
            field = next(f"quality.thresholds.{name}" for name in thresholds if not _is_share(thresholds[name]))
        raise InvalidInput.of(field, message) from error


def _in_force(model_name: str, own: Mapping[str, Patch], hubs: Mapping[str, Patch]) -> MonitoringConfig:
    scopes = dict.fromkeys((GLOBAL, model_name))
    return effective(*(patches.get(scope, {}) for patches in (own, hubs) for scope in scopes))


def as_json(config: MonitoringConfig) -> Patch:
    """A configuration as people send it."""
    said: Patch = msgspec.json.decode(msgspec.json.encode(config, enc_hook=str))
    return said


@lru_cache(maxsize=1)
def _encoded_defaults() -> bytes:
    return msgspec.json.encode(MonitoringConfig(), enc_hook=str)


def _defaults() -> Patch:
    defaults: Patch = msgspec.json.decode(_encoded_defaults())
    return defaults


def _laid_over(lower: Patch, upper: Mapping[str, Any]) -> Patch:
    merged = dict(lower)
    for name, value in upper.items():
        below = merged.get(name)
        nested = isinstance(below, dict) and isinstance(value, Mapping) and name not in WHOLE
        merged[name] = _laid_over(below, value) if nested else value  # type: ignore[arg-type]  # a dict, as asked
    return merged


def _refuse_unknown(kind: inspect.Type, value: object, path: str = "") -> None:
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
        for place, item in enumerate(value):
            _refuse_unknown(kind.item_type, item, f"{path}[{place}]")
    if not (isinstance(kind, inspect.StructType) and isinstance(value, Mapping)):
        return
    known = {field.encode_name: field.type for field in kind.fields}
    for name, inner in value.items():
        where = f"{path}.{name[:80]}" if path else name[:80]
        if name not in known:
            raise InvalidInput.of(where, f"there is no such field; {suggestion(name, known)}")
        _refuse_unknown(known[name], inner, where)


def _is_share(value: object) -> bool:
    try:
        msgspec.convert(value, Share)
    except msgspec.ValidationError:
        return False
    return True


def _duration(wanted: type, value: object) -> object:
    if wanted is not Duration:
        raise InvalidInput(f"a {wanted.__name__} cannot be configured")
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not a duration; write a number with a unit, as text: "30s", "5m", "6h", "7d"')
    try:
        duration = Duration.parse(value)
    except InvalidInput as error:
        raise ValueError(error.message) from error
    if duration < 1:
        raise ValueError(f"{value!r} is shorter than 1s, which is the least")
    return duration
