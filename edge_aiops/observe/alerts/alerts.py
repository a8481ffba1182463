"""The alerts of a node: rules are evaluated, alerts fire and resolve, people acknowledge them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterable

import msgspec

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, InvalidInput, NotFound
from edge_aiops.observe.alerts import records
from edge_aiops.observe.alerts.alert import Alert, AlertPage, new_id
from edge_aiops.observe.alerts.deliveries import Outgoing
from edge_aiops.observe.alerts.evaluation import MetricSource, RuleInForce, covering, read
from edge_aiops.observe.alerts.outbox import Outbox
from edge_aiops.observe.alerts.records import AlertFilter, Kept
from edge_aiops.observe.alerts.rule import AlertRule
from edge_aiops.observe.alerts.rules import Rules
from edge_aiops.observe.alerts.tracking import Key, Moment, Outcome, key_of, orphaned, outcome, restored
from edge_aiops.observe.alerts.words import shown
from edge_aiops.observe.forwarding import Forwarding
from edge_aiops.observe.models import ObservedModel
from edge_aiops.plugin.monitoring import Notification, NotificationKind
from edge_aiops.store.local import LocalDatabase

SAVE_HELD_NS = 60 * 10**9
"""How much of the time that a pending alert has held a restart may lose."""

_KINDS: dict[str | None, NotificationKind] = {
    "fired": "alert.fired",
    "repeated": "alert.fired",
    "resolved": "alert.resolved",
}
_SUMMARIES: dict[NotificationKind, str] = {
    "alert.fired": "{alert.message}",
    "alert.resolved": "Resolved, {alert.resolution}: {alert.message}",
    "alert.acknowledged": "Acknowledged by {alert.acknowledged_by}: {alert.message}",
}


class UnknownAlert(NotFound):
    """No alert with this id."""

    code = "unknown_alert"


class Alerts:
    """All alerts, at most one active for each rule and model version.

    `models` gives the versions that are served. An alert and the
    notifications of it are written in one transaction, so that a restart neither loses nor repeats any.
    """

    def __init__(
        self,
        database: LocalDatabase,
        active: Iterable[Kept],
        *,
        rules: Rules,
        outbox: Outbox,
        metrics: MetricSource,
        models: Callable[[], Collection[ObservedModel]],
        clock: Clock,
        node_id: str,
        forwarding: Forwarding | None = None,
    ) -> None:
        self._database = database
        self._rules = rules
        self._outbox = outbox
        self._metrics = metrics
        self._models = models
        self._clock = clock
        self._node_id = node_id
        self._forwarding = forwarding
        self._active = {_key(kept.alert): restored(kept, self._moment()) for kept in active}
        self._in_force: list[RuleInForce] = []
        self._revision: int | None = None
        self._changing = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        database: LocalDatabase,
        *,
        rules: Rules,
        outbox: Outbox,
        metrics: MetricSource,
        models: Callable[[], Collection[ObservedModel]],
        clock: Clock,
        node_id: str,
        forwarding: Forwarding | None = None,
    ) -> Alerts:
        """The alerts of this database, the active ones as they were left."""
        return cls(
            database,
            await records.active(database),
            rules=rules,
            outbox=outbox,
            metrics=metrics,
            models=models,
            clock=clock,
            node_id=node_id,
            forwarding=forwarding,
        )

    def active(self) -> list[Alert]:
        """The alerts that are pending or firing, the oldest first."""
        return sorted((active.alert for active in self._active.values()), key=lambda alert: alert.id)

    async def evaluate(self) -> None:
        """Judge every rule on every model version that it covers, and act on it.

        Where a metric cannot be read, all others are judged nevertheless, and the failure is raised in the end.
        """
        rules = self._rules_in_force()
        models = {(model.served_by.model_name, model.served_by.model_version): model for model in self._models()}
        covers = {key: covering(rules, model) for key, model in models.items()}
        values = {key: await read(self._metrics, covers[key], model) for key, model in models.items()}
        async with self._changing:
            at = self._moment()
            outcomes: list[Outcome] = []
            judged: set[Key] = set()
            for served, model in models.items():
                for rule in covers[served]:
                    judged.add(key := key_of(rule.rule, model))
                    found = outcome(rule, model, values[served].values, before=self._active.get(key), at=at)
                    outcomes += [found] if found else []
                await asyncio.sleep(0)
            known = {rule.id: rule for rule in self._rules.all()}
            outcomes += orphaned(self._active, judged, rules=known, served=models.keys(), at=at)
            await self._apply(outcomes)
        for read_values in values.values():
            if read_values.failure is not None:
                raise read_values.failure

    async def page(self, wanted: AlertFilter, *, cursor: str | None = None, limit: int = 100) -> AlertPage:
        """The newest `limit` alerts (1 to 1,000) that `wanted` lets through, before `cursor`."""
        alerts = await records.page(self._database, wanted, cursor=cursor, limit=limit)
        more = alerts[limit - 1].id if len(alerts) > limit else None
        return AlertPage(alerts=[self._current(alert) for alert in alerts[:limit]], next_cursor=more)

    async def get(self, alert_id: str) -> Alert:
        """One alert. Raises `UnknownAlert`."""
        if (alert := await records.one(self._database, alert_id)) is None:
            raise UnknownAlert(f"there is no alert {alert_id[:80]!r}; GET /monitoring/alerts lists them")
        return self._current(alert)

    async def acknowledge(self, alert_id: str, *, by: str, note: str | None = None) -> Alert:
        """Note that somebody has seen an alert: it is not repeated any more.

        Said again by the same person, it changes nothing. Raises `UnknownAlert`, and `Conflict` where somebody else
        has acknowledged it, or where it has not fired yet.
        """
        if not (by.strip() and by.isprintable()):
            raise InvalidInput.of("acknowledgedBy", f"{shown(by)} is not a name on one line")
        async with self._changing:
            alert = await self.get(alert_id)
            if alert.acknowledged_by == by:
                return alert
            if alert.acknowledged:
                raise Conflict(f"{alert.acknowledged_by!r} acknowledged this alert already, at {alert.acknowledged_at}")
            if alert.status == "pending":
                raise Conflict("this alert has not fired yet, so there is nothing to acknowledge")
            seen = msgspec.structs.replace(
                alert,
                acknowledged=True,
                acknowledged_by=by,
                acknowledged_at=self._clock.now_ms(),
                acknowledge_note=note,
            )
            rule = next((rule for rule in self._rules.all() if rule.id == seen.rule_id), None)
            await self._write([Kept(seen, 0)], [], self._outgoing("alert.acknowledged", seen, rule))
            if seen.status == "firing":
                self._active[_key(seen)] = self._active[_key(seen)]._replace(alert=seen)
            return seen

    async def prune(self, before_ms: int) -> int:
        """Delete resolved alerts that began before a moment, as `records.prune` does; gives how many."""
        return await self._database.write(lambda connection: records.prune(connection, before_ms))

    def _moment(self) -> Moment:
        return Moment(self._clock.now_ms(), self._clock.ticks_ns())

    def _rules_in_force(self) -> list[RuleInForce]:
        if self._revision != self._rules.revision:
            self._in_force = [RuleInForce.of(rule) for rule in self._rules.all() if rule.enabled]
            self._revision = self._rules.revision
        return self._in_force

    def _current(self, alert: Alert) -> Alert:
        """The alert with its latest value, which is not written to disk at every evaluation."""
        active = self._active.get(_key(alert))
        return active.alert if active and active.alert.id == alert.id else alert

    async def _apply(self, outcomes: Iterable[Outcome]) -> None:
        after: list[Outcome] = []
        kept: list[Kept] = []
        dropped: list[str] = []
        outgoing: list[Outgoing] = []
        for made in outcomes:
            held_ns = made.active.held_ns if made.active else 0
            if made.change == "withdrawn":
                dropped.append(made.alert.id)
            elif made.change or (made.active and held_ns - made.active.saved_ns >= SAVE_HELD_NS):
                kept.append(Kept(made.alert, held_ns // 10**6))
                if made.active:
                    made = made._replace(active=made.active._replace(saved_ns=held_ns))
            if kind := _KINDS.get(made.change):
                outgoing += self._outgoing(kind, made.alert, made.rule)
            after.append(made)
        if kept or dropped:
            await self._write(kept, dropped, outgoing)
        for made in after:
            if made.active:
                self._active[made.key] = made.active
            else:
                self._active.pop(made.key, None)

    def _outgoing(self, kind: NotificationKind, alert: Alert, rule: AlertRule | None) -> list[Outgoing]:
        now_ms = self._clock.now_ms()
        notification = Notification(
            id=new_id(now_ms),
            type=kind,
            timestamp=now_ms,
            node_id=self._node_id,
            severity=alert.severity,
            summary=_SUMMARIES[kind].format(alert=alert),
            alert=msgspec.to_builtins(alert),
        )
        wanted = rule.notifiers if rule else None
        return [Outgoing(name, notification) for name in self._outbox.addressed(wanted, severity=alert.severity)]

    async def _write(self, kept: list[Kept], dropped: list[str], outgoing: list[Outgoing]) -> None:
        def unit(connection: sqlite3.Connection) -> list[int]:
            records.forget(connection, dropped)
            records.store(connection, kept)
            if self._forwarding is not None:
                self._forwarding.alerted(connection, [one.alert for one in kept])
            return self._outbox.put(connection, outgoing)

        self._outbox.accept(outgoing, await self._database.write(unit))


def _key(alert: Alert) -> Key:
    return Key(alert.rule_id, alert.model_name, alert.model_version)
