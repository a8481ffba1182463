"""What may be wished for all nodes; judged by the code by which nodes judge it, so that no node must refuse it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, InvalidInput, UnknownModel
from edge_aiops.fleet.messages.desired import Sampling
from edge_aiops.observe.alerts.defaults import DEFAULT_RULES
from edge_aiops.observe.alerts.notifiers import Notifiers
from edge_aiops.observe.alerts.rule import AlertRule, rule_of
from edge_aiops.observe.alerts.rules import MAX_RULES, refuse_unknown_features
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.configuration import GLOBAL, Patch, as_json, effective, refuse_hubs, refuse_misplaced
from edge_aiops.observe.drift.rules import check_rules
from edge_aiops.observe.quality.quality import check_names
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec, NotifierSpec, QualityCheckSpec
from edge_aiops.registry.registry import Registry


class FleetConfiguration(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the hub wants of monitoring on all of its nodes."""

    generation: int
    """At which it was changed last; 0: never."""
    rules: tuple[AlertRule, ...] = ()
    monitoring: dict[str, dict[str, Any]] = {}
    """By model, "" for all; as PUT /monitoring/config takes it on a node."""
    sampling: dict[str, Sampling] = {}
    """By model."""


class FleetWish(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A whole configuration, as somebody sends it."""

    generation: Annotated[int, Meta(ge=0)] | None = None
    """Of the configuration that it was made from; left out: whatever that is."""
    rules: list[dict[str, Any]] = []
    """As `PUT /fleet/configuration/rules/{id}` takes them, each with its id."""
    monitoring: dict[str, dict[str, Any]] = {}
    sampling: dict[str, Sampling] = {}


class Vetting:
    """Makes documents out of wishes. Everything raises `InvalidInput` that names the field."""

    def __init__(self, plugins: Plugins, *, registry: Registry, clock: Clock) -> None:
        self._drift_tests = Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec)
        self._quality_checks = Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)
        self._notifiers = Notifiers(Extensions(plugins, hook="register_notifiers", spec=NotifierSpec))
        self._registry = registry
        self._clock = clock

    async def document(self, wish: FleetWish, before: FleetConfiguration) -> FleetConfiguration:
        """What `wish` says in full, in place of `before`."""
        for name in {*wish.monitoring, *wish.sampling} - {*before.monitoring, *before.sampling, GLOBAL}:
            await self._registry.versions(name)
        if GLOBAL in wish.sampling:
            raise InvalidInput.of("sampling", "is by model, and '' is no name of one")
        monitoring = await self._whole({name: patch for name, patch in wish.monitoring.items() if patch}, before)
        empty = msgspec.structs.replace(before, monitoring=monitoring, rules=())
        rules: dict[str, AlertRule] = {}
        known = {rule.id: rule for rule in before.rules}
        for place, values in enumerate(wish.rules):
            field, rule_id = f"rules[{place}]", values.get("id")
            if not isinstance(rule_id, str) or rule_id in rules:
                raise InvalidInput.of(f"{field}.id", f"{rule_id!r} is not the id of a rule that no other has")
            try:
                rules[rule_id] = await self.rule(rule_id, values, empty, replaced=known.get(rule_id))
            except InvalidInput as error:
                raise error.within(field) from error
        return self.counted(
            msgspec.structs.replace(
                empty,
                rules=tuple(rules[rule_id] for rule_id in sorted(rules)),
                sampling={name: sampling for name, sampling in wish.sampling.items() if sampling.rate > 0},
            )
        )

    async def rule(
        self,
        rule_id: str,
        values: Mapping[str, Any],
        document: FleetConfiguration,
        *,
        replaced: AlertRule | None = None,
    ) -> AlertRule:
        """The rule that `values` say, beside what is in `document`; the one that is there where nothing differs."""
        replaced = replaced or next((rule for rule in document.rules if rule.id == rule_id), None)
        rule = rule_of(
            rule_id,
            values,
            notifiers=_notifiers(document.monitoring),
            checks=self._quality_checks.specs.keys(),
            now_ms=self._clock.now_ms(),
            before=replaced,
            builtin=DEFAULT_RULES.get(rule_id),
        )
        await refuse_unknown_features(rule, self._features, lone=values.get("condition") not in (None, ""))
        rule = msgspec.structs.replace(rule, origin="hub")
        if replaced and msgspec.structs.replace(rule, updated_at=replaced.updated_at) == replaced:
            return replaced
        return rule

    @staticmethod
    def counted(document: FleetConfiguration) -> FleetConfiguration:
        """`document`, unless it has too many rules, which raises `Conflict`."""
        if len(document.rules) > MAX_RULES:
            raise Conflict(f"there are {MAX_RULES} rules, which is the most; delete one first")
        return document

    async def monitoring(self, model_name: str, patch: Patch, before: FleetConfiguration) -> FleetConfiguration:
        """`before` with `patch` for a model or, where the name is "", for all. Raises `UnknownModel`."""
        if model_name != GLOBAL and model_name not in before.monitoring:
            await self._registry.versions(model_name)
        refuse_misplaced(model_name, patch)
        self._refuse_unknown(effective(before.monitoring.get(GLOBAL, {}) if model_name != GLOBAL else {}, patch))
        others = {name: other for name, other in before.monitoring.items() if name != model_name}
        document = msgspec.structs.replace(
            before, monitoring=await self._whole({**others, model_name: patch} if patch else others, before)
        )
        known = _notifiers(document.monitoring)
        for rule in document.rules:
            if missing := sorted(set(rule.notifiers or ()) - {*known}):
                raise InvalidInput.of(
                    "notifiers", f"{missing[0]!r} is left out, and rule {rule.id!r} names it; change that first"
                )
        return document

    async def sampling(self, model_name: str, sampling: Sampling, before: FleetConfiguration) -> FleetConfiguration:
        """`before` with `sampling` of a model. Raises `UnknownModel`."""
        if model_name not in before.sampling:
            await self._registry.versions(model_name)
        changed = {**before.sampling, model_name: sampling}
        if sampling.rate == 0:
            del changed[model_name]
        return msgspec.structs.replace(before, sampling=changed)

    def redacted(self, document: FleetConfiguration) -> FleetConfiguration:
        """`document` for people, without secrets."""
        patch = document.monitoring.get(GLOBAL, {})
        if "notifiers" not in patch:
            return document
        places = as_json(self._notifiers.redacted(effective(patch)))["notifiers"]
        shown = {**document.monitoring, GLOBAL: {**patch, "notifiers": places}}
        return msgspec.structs.replace(document, monitoring=shown)

    async def _whole(self, patches: dict[str, Patch], before: FleetConfiguration) -> dict[str, Patch]:
        """`patches`, with the secrets that people are not shown."""
        refuse_hubs(patches, self._refuse_unknown)
        patch = patches.get(GLOBAL, {})
        if "notifiers" not in patch:
            return patches
        config = self._notifiers.restored(effective(patch), effective(before.monitoring.get(GLOBAL, {})))
        await self._notifiers.check(config, elsewhere=True)
        return {**patches, GLOBAL: {**patch, "notifiers": as_json(config)["notifiers"]}}

    def _refuse_unknown(self, config: MonitoringConfig) -> None:
        check_rules(config.drift, self._drift_tests)
        check_names(config.quality, self._quality_checks)

    async def _features(self, model_name: str, model_version: str | None) -> Collection[str]:
        try:
            versions = await self._registry.versions(model_name)
        except UnknownModel:
            return ()
        of_these = [version for version in versions if model_version in (None, version.model_version)]
        return {name for version in of_these for name in version.feature_names}


def _notifiers(monitoring: Mapping[str, Patch]) -> tuple[str, ...]:
    """The notifiers that every node has then."""
    return tuple(place.name for place in effective(monitoring.get(GLOBAL, {})).notifiers)
