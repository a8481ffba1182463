"""The rules of a node: the built-in ones, what was made of them, and those that people added."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import msgspec

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, InvalidInput, NotFound
from edge_aiops.base.names import NAME_RULE
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


class Rules:
    """Alert rules by id, kept in memory and in monitoring.db.

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
        added = sorted(self._stored.keys() - DEFAULT_RULES.keys())
        return [self.get(rule_id) for rule_id in (*DEFAULT_RULES, *added)]

    def get(self, rule_id: str) -> AlertRule:
        """One rule. Raises `UnknownRule`, which names the nearest."""
        rule = self._stored.get(rule_id) or DEFAULT_RULES.get(rule_id)
        if rule is None:
            known = [*DEFAULT_RULES, *sorted(self._stored.keys() - DEFAULT_RULES.keys())]
            raise UnknownRule(f"there is no rule {shown(rule_id)}; {suggestion(rule_id, known)}")
        return rule

    async def put(self, rule_id: str, values: Mapping[str, Any]) -> AlertRule:
        """Store the rule that `values`, as JSON has them, say under `rule_id`; it replaces the one that is there.

        Of a default rule, what `values` leave out is as it was built in; where nothing is left of the changes, it is
        the built-in rule again. Raises `InvalidInput`, and `Conflict` over 1,000 rules; then nothing is stored.
        """
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
        await self._refuse_unknown_features(rule, lone=values.get("condition") not in (None, ""))
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
        taken = self._stored.keys() | DEFAULT_RULES.keys()
        free = next(made for number in range(1, MAX_RULES + 10) if (made := _numbered(slug, number)) not in taken)
        return await self.put(free, values)

    async def delete(self, rule_id: str) -> AlertRule:
        """Forget a rule; a default one is switched off instead, as it would come back. Gives the rule as it is then."""
        rule = self.get(rule_id)
        if rule_id in DEFAULT_RULES:
            changed = msgspec.structs.replace(rule, enabled=False, modified=True, updated_at=self._clock.now_ms())
            await self._store(changed)
            return changed
        await self._forget(rule_id)
        return rule

    def refuse_missed(self, notifiers: Collection[str]) -> None:
        """Raises `InvalidInput` where rules name notifiers that there are, and that are not among `notifiers`."""
        for gone in [name for name in self._notifiers() if name not in notifiers]:
            missing = ", ".join(repr(rule.id) for rule in self.all() if gone in (rule.notifiers or ()))
            if missing:
                raise InvalidInput.of(
                    "notifiers", f"{gone!r} is left out, and these rules name it: {missing}; change them first"
                )

    async def _refuse_unknown_features(self, rule: AlertRule, *, lone: bool) -> None:
        """Raises `InvalidInput` for the null rate of a feature that the rule's model does not have."""
        if rule.model_name is None or all(condition.metric != "nullRate" for condition in rule.conditions):
            return
        known = await self._features(rule.model_name, rule.model_version)
        for place, condition in enumerate(rule.conditions):
            if condition.metric == "nullRate" and known:
                field = "condition" if lone else f"conditions[{place}]"
                one_of(f"{field}.feature", condition.feature, known, noun=f"feature of {rule.model_name}")

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


def _execute(connection: sqlite3.Connection, statement: str, row: Mapping[str, object]) -> None:
    connection.execute(statement, row)


def _same(rule: AlertRule, builtin: AlertRule) -> bool:
    return msgspec.structs.replace(rule, modified=False, created_at=None, updated_at=None) == builtin


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_SLUG].strip("-")


def _numbered(slug: str, number: int) -> str:
    return slug if number == 1 else f"{slug}-{number}"
