"""What the hub wants of monitoring on all of its nodes: alert rules, configuration, samples. One document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Column, Integer, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import Conflict, Overloaded
from edge_aiops.fleet.hub.wishes import FleetConfiguration, FleetWish, Vetting
from edge_aiops.fleet.messages.desired import Sampling
from edge_aiops.observe.alerts.rule import AlertRule
from edge_aiops.observe.alerts.rules import UnknownRule
from edge_aiops.observe.alerts.words import shown, suggestion
from edge_aiops.registry import catalogue
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.schema import metadata

MOST_TRIES = 20

_configuration = Table(
    "fleet_configuration",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
)

Announce = Callable[[int], Awaitable[None]]
Edit = Callable[[FleetConfiguration], Awaitable[FleetConfiguration]]


class FleetConfigurations:
    """Reads and changes the document. Each change raises the catalogue's generation in the same transaction.

    `announce` is called with that generation once it is on disk, before the changing call returns. Every change raises
    `InvalidInput` that names the field, as a node would, and then nothing is changed.
    """

    def __init__(self, database: Database, *, vetting: Vetting, announce: Announce) -> None:
        self._database = database
        self._vetting = vetting
        self._announce = announce

    async def stored(self) -> FleetConfiguration:
        """The document, with its secrets."""
        return await self._database.read(_read)

    async def shown(self) -> FleetConfiguration:
        """The document for people, without secrets."""
        return self._vetting.redacted(await self.stored())

    async def rule(self, rule_id: str) -> AlertRule:
        """One rule. Raises `UnknownRule`, which names the nearest."""
        return _rule(await self.stored(), rule_id)

    async def replace(self, wish: FleetWish) -> FleetConfiguration:
        """Have what `wish` says, and nothing else; gives the document for people.

        Raises `Conflict` where the wish was made from a document that has been changed since.
        """

        async def edit(before: FleetConfiguration) -> FleetConfiguration:
            if wish.generation not in (None, before.generation):
                raise Conflict(
                    f"the fleet's configuration was changed at generation {before.generation}, after the "
                    f"{wish.generation} that this was made from; read it again, or leave generation out"
                )
            return await self._vetting.document(wish, before)

        return self._vetting.redacted(await self._change(edit))

    async def put_rule(self, rule_id: str, values: dict[str, Any]) -> AlertRule:
        """Have the rule that `values` say on every node, in place of the one with this id."""

        async def edit(before: FleetConfiguration) -> FleetConfiguration:
            rule = await self._vetting.rule(rule_id, values, before)
            others = (other for other in before.rules if other.id != rule_id)
            return self._vetting.counted(msgspec.structs.replace(before, rules=_by_id(rule, *others)))

        return _rule(await self._change(edit), rule_id)

    async def delete_rule(self, rule_id: str) -> AlertRule:
        """Withdraw a rule from every node; gives what it was. Raises `UnknownRule`."""
        gone: list[AlertRule] = []

        async def edit(before: FleetConfiguration) -> FleetConfiguration:
            gone.append(_rule(before, rule_id))
            return msgspec.structs.replace(before, rules=tuple(rule for rule in before.rules if rule.id != rule_id))

        await self._change(edit)
        return gone[-1]

    async def configure(self, model_name: str, patch: dict[str, Any]) -> FleetConfiguration:
        """Configure monitoring of a model, or with the name "" of all, in place of what was sent before; gives the
        document for people. Raises `UnknownModel`."""

        async def edit(before: FleetConfiguration) -> FleetConfiguration:
            return await self._vetting.monitoring(model_name, patch, before)

        return self._vetting.redacted(await self._change(edit))

    async def sample(self, model_name: str, sampling: Sampling) -> FleetConfiguration:
        """Have some requests of a model sent here; with the rate 0 none any more. Raises `UnknownModel`."""

        async def edit(before: FleetConfiguration) -> FleetConfiguration:
            return await self._vetting.sampling(model_name, sampling, before)

        return self._vetting.redacted(await self._change(edit))

    async def _change(self, edit: Edit) -> FleetConfiguration:
        for _ in range(MOST_TRIES):
            before = await self.stored()
            after = await edit(before)
            if after == before:
                return before
            generation = await self._database.change(partial(_write, after=after))
            if generation is not None:
                await self._announce(generation)
                return msgspec.structs.replace(after, generation=generation)
        raise Overloaded("the fleet's configuration is being changed by many at once; try again", retry_after_s=1)


async def _read(work: AsyncConnection) -> FleetConfiguration:
    row = (await work.execute(select(_configuration.c.generation, _configuration.c.body))).first()
    if row is None:
        return FleetConfiguration(generation=0)
    return msgspec.convert({**row.body, "generation": row.generation}, FleetConfiguration)


async def _write(work: AsyncConnection, after: FleetConfiguration) -> int | None:
    """The new generation; None where somebody else has changed the document of which `after` was made."""
    await catalogue.lock(work)
    if (await _read(work)).generation != after.generation:
        return None
    generation = await catalogue.raise_generation(work)
    await work.execute(delete(_configuration))
    await work.execute(insert(_configuration).values(id=1, generation=generation, body=msgspec.to_builtins(after)))
    return generation


def _rule(document: FleetConfiguration, rule_id: str) -> AlertRule:
    for rule in document.rules:
        if rule.id == rule_id:
            return rule
    known = [rule.id for rule in document.rules]
    raise UnknownRule(f"the hub has no rule {shown(rule_id)} for its nodes; {suggestion(rule_id, known)}")


def _by_id(*rules: AlertRule) -> tuple[AlertRule, ...]:
    return tuple(sorted(rules, key=lambda rule: rule.id))
