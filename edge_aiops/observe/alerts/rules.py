"""The rules of a node: the built-in ones, what was made of them, those that people added, and over all its hub's."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, InvalidInput, NotFound
from edge_aiops.base.names import NAME_RULE
from edge_aiops.base.structured import parsed
from edge_aiops.observe.alerts.defaults import DEFAULT_RULES
from edge_aiops.observe.alerts.rule import AlertRule, rule_of
from edge_aiops.observe.alerts.words import one_of, shown, suggestion
from edge_aiops.store.local import LocalDatabase

MAX_RULES = 1_000

_STORE = """
    INSERT INTO alert_rule (id, body, updated_ms) VALUES (:id, :body, :updated_ms)
    ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_ms = excluded.updated_ms
"""
_LONGEST_SLUG = 56


Features = Callable[[str, str | None], Awaitable[Collection[str]]]
"""The features of a version of a model, or of all."""


class UnknownRule(NotFound):
    """No alert rule with this id."""

    code = "unknown_rule"


class _Told(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a hub tells of a rule beside what it says."""

    id: str
    created_at: int | None = None
    updated_at: int | None = None


class Rules:
    """Alert rules by id, kept in memory and in monitoring.db; those of a hub in memory only.

    What a new rule may name: `notifiers` gives the notifiers that there are, `checks` are the checks of data quality,
    and `features` gives what goes into a model, or nothing where that is not known.
    """

    def __init__(
        self,
        database: LocalDatabase,
        stored: Mapping[str, AlertRule],
        *,
        clock: Clock,
        notifiers: Callable[[], tuple[str, ...]],
        checks: Collection[str],
        features: Features,
    ) -> None:
        self._database = database
        self._stored = dict(stored)
        self._hubs: Mapping[str, AlertRule] = {}
        self._hub = ""
        self._clock = clock
        self._notifiers = notifiers
        self._checks = checks
        self._features = features
        self.revision = 0
        """Grows with every change."""

    @classmethod
    async def open(
        cls,
        database: LocalDatabase,
        *,
        clock: Clock,
        notifiers: Callable[[], tuple[str, ...]],
        checks: Collection[str],
        features: Features,
    ) -> Rules:
        """The rules of this database."""
        rows = await database.read("SELECT body FROM alert_rule ORDER BY id")
        rules = [msgspec.json.decode(body, type=AlertRule) for (body,) in rows]
        stored = {rule.id: rule for rule in rules}
        return cls(database, stored, clock=clock, notifiers=notifiers, checks=checks, features=features)

    def all(self) -> list[AlertRule]:
        """Every rule: the default ones first, then the others by id."""
        return [self.get(rule_id) for rule_id in self._ids()]

    def get(self, rule_id: str) -> AlertRule:
        """One rule. Raises `UnknownRule`, which names the nearest."""
        rule = self._hubs.get(rule_id) or self._stored.get(rule_id) or DEFAULT_RULES.get(rule_id)
        if rule is None:
            raise UnknownRule(f"there is no rule {shown(rule_id)}; {suggestion(rule_id, self._ids())}")
        return rule

    def of_hub(self, wanted: Iterable[Mapping[str, Any]], *, notifiers: Collection[str]) -> dict[str, AlertRule]:
        """The rules that a hub wants here, by id, for `follow`. Raises `InvalidInput` that blames a part of
        `alertRules`; `notifiers`: what they may name beside the notifiers that there are."""
        rules: dict[str, AlertRule] = {}
        for place, values in enumerate(wanted):
            try:
                told = parsed(_Told, {name: values.get(name) for name in _Told.__struct_encode_fields__})
                builtin = DEFAULT_RULES.get(told.id)
                rule = rule_of(
                    told.id,
                    values,
                    notifiers=(*self._notifiers(), *notifiers),
                    checks=self._checks,
                    now_ms=0,
                    builtin=builtin,
                )
            except InvalidInput as error:
                raise error.within(f"alertRules[{place}]") from error
            rules[rule.id] = msgspec.structs.replace(
                rule,
                origin="hub",
                modified=builtin is not None and not _same(rule, builtin),
                created_at=told.created_at,
                updated_at=told.updated_at,
            )
        return rules

    def follow(self, rules: Mapping[str, AlertRule], *, hub: str) -> None:
        """From now on have these rules of a hub in force, and no others of a hub; they hide the node's own of the same
        ids. `hub`: where it is."""
        self._hubs, self._hub = rules, hub
        self.revision += 1

    async def put(self, rule_id: str, values: Mapping[str, Any]) -> AlertRule:
        """Store the rule that `values`, as JSON has them, say under `rule_id`; it replaces the one that is there.

        Of a default rule, what `values` leave out is as it was built in; where nothing is left of the changes, it is
        the built-in rule again. Raises `InvalidInput`, and `Conflict` over 1,000 rules and for a rule of the hub; then
        nothing is stored.
        """
        self._refuse_of_hub(rule_id)
        builtin = DEFAULT_RULES.get(rule_id)
        before = self._stored.get(rule_id)
        if before is None and builtin is None and len(self._stored) >= MAX_RULES:
            raise Conflict(f"there are {MAX_RULES} rules, which is the most; delete one first")
        rule = rule_of(
            rule_id,
            values,
            notifiers=self._notifiers(),
            checks=self._checks,
            now_ms=self._clock.now_ms(),
            before=before,
            builtin=builtin,
        )
        await refuse_unknown_features(rule, self._features, lone=values.get("condition") not in (None, ""))
        if builtin is not None and _same(rule, builtin):
            await self._forget(rule_id)
            return builtin
        await self._store(rule)
        return rule

    async def add(self, values: Mapping[str, Any]) -> AlertRule:
        """As `put`, under an id made of the rule's name."""
        name = values.get("name")
        if not isinstance(name, str) or not (slug := _slug(name)):
            raise InvalidInput.of(
                "name", f"a rule without an id needs a name with letters or digits; or PUT one as {NAME_RULE}"
            )
        taken = self._stored.keys() | DEFAULT_RULES.keys() | self._hubs.keys()
        free = next(made for number in range(1, MAX_RULES + 10) if (made := _numbered(slug, number)) not in taken)
        return await self.put(free, values)

    async def delete(self, rule_id: str) -> AlertRule:
        """Forget a rule; a default one is switched off instead, as it would come back. Gives the rule as it is then.

        Raises `UnknownRule`, and `Conflict` for a rule of the hub.
        """
        self._refuse_of_hub(rule_id)
        rule = self.get(rule_id)
        if rule_id in DEFAULT_RULES:
            changed = msgspec.structs.replace(rule, enabled=False, modified=True, updated_at=self._clock.now_ms())
            await self._store(changed)
            return changed
        await self._forget(rule_id)
        return rule

    def refuse_missed(self, notifiers: Collection[str]) -> None:
        """Raises `InvalidInput` where rules of the node's own name notifiers that there are, and that are not among
        `notifiers`."""
        for gone in [name for name in self._notifiers() if name not in notifiers]:
            naming = (rule for rule in self.all() if rule.origin == "node" and gone in (rule.notifiers or ()))
            missing = ", ".join(repr(rule.id) for rule in naming)
            if missing:
                raise InvalidInput.of(
                    "notifiers", f"{gone!r} is left out, and these rules name it: {missing}; change them first"
                )

    def _ids(self) -> list[str]:
        return [*DEFAULT_RULES, *sorted((self._stored.keys() | self._hubs.keys()) - DEFAULT_RULES.keys())]

    def _refuse_of_hub(self, rule_id: str) -> None:
        if rule_id in self._hubs:
            raise Conflict(
                f"rule {rule_id!r} is the hub's; change it there: {self._hub}/fleet/configuration/rules/{rule_id}, or "
                f"`edge-aiops rules set {rule_id} --fleet --url {self._hub}`"
            )

    async def _store(self, rule: AlertRule) -> None:
        row = {"id": rule.id, "body": msgspec.json.encode(rule), "updated_ms": rule.updated_at}
        await self._database.write(lambda connection: _execute(connection, _STORE, row))
        self._stored[rule.id] = rule
        self.revision += 1

    async def _forget(self, rule_id: str) -> None:
        await self._database.write(
            lambda connection: _execute(connection, "DELETE FROM alert_rule WHERE id = :id", {"id": rule_id})
        )
        self._stored.pop(rule_id, None)
        self.revision += 1


async def refuse_unknown_features(rule: AlertRule, features: Features, *, lone: bool) -> None:
    """Raises `InvalidInput` for the null rate of a feature that the rule's model does not have.

    `lone`: whether the rule was sent with `condition`, not `conditions`.
    """
    if rule.model_name is None or all(condition.metric != "nullRate" for condition in rule.conditions):
        return
    known = await features(rule.model_name, rule.model_version)
    for place, condition in enumerate(rule.conditions):
        if condition.metric == "nullRate" and known:
            field = "condition" if lone else f"conditions[{place}]"
            one_of(f"{field}.feature", condition.feature, known, noun=f"feature of {rule.model_name}")


def _execute(connection: sqlite3.Connection, statement: str, row: Mapping[str, object]) -> None:
    connection.execute(statement, row)


def _same(rule: AlertRule, builtin: AlertRule) -> bool:
    return msgspec.structs.replace(rule, modified=False, created_at=None, updated_at=None, origin="node") == builtin


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_SLUG].strip("-")


def _numbered(slug: str, number: int) -> str:
    return slug if number == 1 else f"{slug}-{number}"
