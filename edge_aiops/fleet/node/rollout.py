"""How far a node is with each version that its hub wants, and what answers meanwhile: two tables of state.db.

An *activation* is the way of one version to service. A *route* is what callers ask for: a version by its name, or
whatever is in production (the route ""); it says which version answers, and which one comes back if that one fails.
So every change is one transaction in which routes move: before it the old version answers, after it the new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState
from edge_aiops.fleet.messages.rollout import Activation, ActivationState
from edge_aiops.store.local import LocalDatabase

TABLES = (
    """
    CREATE TABLE activations (
        model_name TEXT NOT NULL,
        model_version TEXT NOT NULL,
        state TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        reason TEXT NOT NULL,
        wanted BLOB NOT NULL,
        PRIMARY KEY (model_name, model_version)
    ) STRICT
    """,
    """
    CREATE TABLE routes (
        model_name TEXT NOT NULL,
        route TEXT NOT NULL,
        answers BLOB NOT NULL,
        before BLOB,
        kept INTEGER NOT NULL,
        PRIMARY KEY (model_name, route)
    ) STRICT
    """,
)

PRODUCTION = ""
"""The route of requests that name no version."""

Names = tuple[str, str]
"""Of a model and of a version."""


class Progress(NamedTuple):
    """One activation. `attempts`: times in a row that it was begun and not ended in order."""

    wanted: DesiredModel
    state: ActivationState
    at_ms: int
    attempts: int
    reason: str

    @property
    def names(self) -> Names:
        """Whose it is."""
        return self.wanted.name, self.wanted.version

    def shown(self, *, offset: int = 0) -> Activation:
        """As the hub is told."""
        return Activation(
            model_name=self.wanted.name,
            model_version=self.wanted.version,
            deployment=self.wanted.deployment,
            state=self.state,
            at_ms=self.at_ms,
            offset=offset,
            size=self.wanted.size,
            attempts=self.attempts,
            reason=self.reason,
        )


class Route(NamedTuple):
    """What answers; `before`: what comes back unless it is kept."""

    model_name: str
    route: str
    answers: DesiredModel
    before: DesiredModel | None
    kept: bool


class Snapshot(NamedTuple):
    """Both tables as they are."""

    activations: dict[Names, Progress]
    routes: list[Route]

    def routes_of(self, model: DesiredModel) -> list[Route]:
        """The routes that it answers."""
        return [route for route in self.routes if route.model_name == model.name and _same(route.answers, model)]

    def is_suspect(self, model: DesiredModel) -> bool:
        """Whether it may be what brought the node down: it must not run within the node's own process."""
        progress = self.activations.get((model.name, model.version))
        if progress is None or progress.state != "active" or not _same(progress.wanted, model):
            return False
        return progress.attempts > model.commit.most_attempts

    def referenced(self) -> set[str]:
        """The contents that are needed: wanted, answering, or coming back."""
        models = [progress.wanted for progress in self.activations.values()]
        models += [model for route in self.routes for model in (route.answers, route.before) if model is not None]
        return {model.sha256 for model in models if model.sha256 is not None}


class Rollout:
    """The tables, and what they hold, in memory. Every method is one transaction."""

    def __init__(self, database: LocalDatabase) -> None:
        self._database = database
        self.now = Snapshot({}, [])

    async def resume(
        self, applied: DesiredState | None, *, now_ms: int, present: Callable[[str], bool]
    ) -> list[DesiredModel]:
        """Begin where the last process ended, before anything is loaded.

        What it left half done is wanted again; a version that was not kept counts one more attempt, and is rolled back
        where it has had its number, unless nothing else could answer. `applied`: the desired state; where a program
        that knew no activations applied it, everything of it whose content is `present` counts as kept. Gives what was
        rolled back.
        """
        given_up: list[DesiredModel] = []

        def work(connection: sqlite3.Connection) -> None:
            snapshot = _read(connection)
            if not snapshot.activations and not snapshot.routes and applied is not None:
                for model in applied.models:
                    kept = model.sha256 is None or present(model.sha256)
                    _put(connection, Progress(model, "committed" if kept else "wanted", now_ms, 0, ""))
                    if kept:
                        _move(connection, model, kept=True)
            for progress in snapshot.activations.values():
                sole = not any(route.before for route in snapshot.routes_of(progress.wanted))
                if (resumed := _resumed(progress, now_ms, present, sole=sole)) != progress:
                    _put(connection, resumed)
                if progress.state != resumed.state == "rolledBack":
                    given_up.append(progress.wanted)
                    _bring_back(connection, progress.wanted)

        await self._change(work)
        return given_up

    async def accept(self, desired: DesiredState, save: Callable[[sqlite3.Connection], object], *, now_ms: int) -> None:
        """Want exactly what `desired` says, and `save` it; what it does not name answers no more.

        A version that was given up is tried again if anything about it has changed.
        """

        def work(connection: sqlite3.Connection) -> None:
            save(connection)
            snapshot = _read(connection)
            wanted = {(model.name, model.version): model for model in desired.models}
            produced = {model.name for model in desired.models if model.stage == "production"}
            for names in snapshot.activations.keys() - wanted.keys():
                connection.execute("DELETE FROM activations WHERE model_name = ? AND model_version = ?", names)
            for route in snapshot.routes:
                if (
                    route.model_name not in produced
                    if route.route == PRODUCTION
                    else (route.model_name, route.route) not in wanted
                ):
                    _drop(connection, route)
            routes = {(route.model_name, route.route): route for route in _read(connection).routes}
            for names, model in wanted.items():
                progress = snapshot.activations.get(names)
                if progress is None or progress.wanted != model:
                    _want(connection, progress, model, routes, now_ms)

        await self._change(work)

    async def enter(
        self, model: DesiredModel, state: ActivationState, *, now_ms: int, reason: str = "", attempts: int = 0
    ) -> None:
        """Note that the version has come into `state`; nothing happens if it is not wanted any more."""

        def work(connection: sqlite3.Connection) -> None:
            if _is_wanted(connection, model):
                _put(connection, Progress(model, state, now_ms, attempts, reason))

        await self._change(work)

    async def activate(self, model: DesiredModel, *, now_ms: int) -> None:
        """From now on it answers, and is not kept yet; nothing happens if it is not wanted any more."""

        def work(connection: sqlite3.Connection) -> None:
            if _is_wanted(connection, model):
                # One attempt before it is loaded for the first time.
                _put(connection, Progress(model, "active", now_ms, 1, ""))
                _move(connection, model, kept=False)

        await self._change(work)

    async def keep(self, model: DesiredModel, *, now_ms: int) -> None:
        """It has proved itself: what was there before is not needed any more."""

        def work(connection: sqlite3.Connection) -> None:
            if _is_wanted(connection, model):
                _put(connection, Progress(model, "committed", now_ms, 0, ""))
                for route in _routes_of(connection, model):
                    _put_route(connection, route._replace(before=None, kept=True))

        await self._change(work)

    async def roll_back(self, model: DesiredModel, *, now_ms: int, reason: str) -> None:
        """It has failed: what was there before answers again, or nothing."""

        def work(connection: sqlite3.Connection) -> None:
            if _is_wanted(connection, model):
                _put(connection, Progress(model, "rolledBack", now_ms, 0, reason))
                _bring_back(connection, model)

        await self._change(work)

    async def look(self) -> None:
        """Only read what is there."""
        activations, routes = await self._database.read(_ACTIVATIONS), await self._database.read(_ROUTES)
        self.now = _snapshot(activations, routes)

    async def end(self) -> None:
        """The process ends in order: no version has brought it down."""
        if not any(progress.state in ("active", "probing") for progress in self.now.activations.values()):
            return

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE activations SET attempts = 0 WHERE state IN ('active', 'probing')")

        await self._change(work)

    def is_wanted(self, model: DesiredModel) -> bool:
        """Whether exactly this is still wanted."""
        progress = self.now.activations.get((model.name, model.version))
        return progress is not None and progress.wanted == model

    def has_before(self, model: DesiredModel) -> bool:
        """Whether something else answers if this is rolled back."""
        return any(route.before is not None for route in self.now.routes_of(model))

    async def _change(self, work: Callable[[sqlite3.Connection], None]) -> None:
        def unit(connection: sqlite3.Connection) -> Snapshot:
            work(connection)
            return _read(connection)

        self.now = await self._database.write(unit)


def _resumed(progress: Progress, now_ms: int, present: Callable[[str], bool], *, sole: bool) -> Progress:
    model, attempts = progress.wanted, progress.attempts
    if progress.state in ("active", "probing") and attempts >= model.commit.most_attempts:
        doing = "serving" if progress.state == "active" else "probing"
        reason = f"the node ended {attempts} times while it was {doing} this version"
        if not (sole and progress.state == "active"):
            return Progress(model, "rolledBack", now_ms, attempts, reason)
        progress = progress._replace(reason=f"{reason}; it runs in a process of its own until it has proved itself")
    if progress.state == "rolledBack":
        return progress
    if progress.state == "failed" or (model.sha256 is not None and not present(model.sha256)):
        return progress._replace(state="wanted", at_ms=now_ms, attempts=0)
    if progress.state == "active":
        return progress._replace(attempts=attempts + 1)
    return progress if progress.state == "committed" else progress._replace(state="wanted")


def _want(
    connection: sqlite3.Connection,
    progress: Progress | None,
    model: DesiredModel,
    routes: dict[Names, Route],
    now_ms: int,
) -> None:
    if progress is not None and progress.wanted.deployment == model.deployment and progress.state in _ANSWERS:
        exact, produced = routes.get((model.name, model.version)), routes.get((model.name, PRODUCTION))
        ours = [route for route in (exact, produced) if route and route.answers.deployment == model.deployment]
        promoted = model.stage == "production" and not any(route.route == PRODUCTION for route in ours)
        if ours and not promoted:
            # Only what is told about it has changed.
            _put(connection, progress._replace(wanted=model))
            for route in ours:
                _put_route(connection, route._replace(answers=model))
            return
    _put(connection, Progress(model, "wanted", now_ms, 0, ""))


def _move(connection: sqlite3.Connection, model: DesiredModel, *, kept: bool) -> None:
    routes = {route.route: route for route in _read(connection).routes if route.model_name == model.name}
    for name in (model.version, PRODUCTION) if model.stage == "production" else (model.version,):
        now = routes.get(name)
        if now is not None and _same(now.answers, model):
            moved = now._replace(answers=model)
        else:
            # What comes back is what has proved itself, however many were tried since; or else what was there.
            before = now and (now.answers if now.kept or now.before is None else now.before)
            before = None if before is not None and _same(before, model) else before
            moved = Route(model.name, name, model, None if kept else before, kept)
        _put_route(connection, moved)


def _bring_back(connection: sqlite3.Connection, model: DesiredModel) -> None:
    for route in _routes_of(connection, model):
        if route.kept:
            continue
        if route.before is None:
            _drop(connection, route)
        else:
            _put_route(connection, route._replace(answers=route.before, before=None, kept=True))


def _same(one: DesiredModel, other: DesiredModel) -> bool:
    return (one.version, one.deployment) == (other.version, other.deployment)


_ANSWERS = ("active", "committed")
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(DesiredModel).decode
_ACTIVATIONS = "SELECT wanted, state, at_ms, attempts, reason FROM activations"
_ROUTES = "SELECT model_name, route, answers, before, kept FROM routes ORDER BY 1, 2"


def _read(connection: sqlite3.Connection) -> Snapshot:
    return _snapshot(connection.execute(_ACTIVATIONS), connection.execute(_ROUTES))


def _snapshot(activations: Iterable[tuple[Any, ...]], routes: Iterable[tuple[Any, ...]]) -> Snapshot:
    found = Snapshot({}, [])
    for wanted, *rest in activations:
        if (model := _model(wanted)) is not None:
            found.activations[model.name, model.version] = Progress(model, *rest)
    for name, route, answers, before, kept in routes:
        if (model := _model(answers)) is not None:
            found.routes.append(Route(name, route, model, _model(before), bool(kept)))
    return found


def _model(body: bytes | None) -> DesiredModel | None:
    """None also for what another version of this program wrote and this one cannot read: the hub says it again."""
    try:
        return None if body is None else _decode(body)
    except ValueError:  # not msgspec.MsgspecError alone: text that is no UTF-8 is none
        return None


def _is_wanted(connection: sqlite3.Connection, model: DesiredModel) -> bool:
    asked = "SELECT wanted FROM activations WHERE model_name = ? AND model_version = ?"
    row = connection.execute(asked, (model.name, model.version)).fetchone()
    return row is not None and _model(row[0]) == model


def _routes_of(connection: sqlite3.Connection, model: DesiredModel) -> list[Route]:
    return _read(connection).routes_of(model)


def _put(connection: sqlite3.Connection, progress: Progress) -> None:
    wanted, *rest = progress
    row = (*progress.names, *rest, _encode(wanted))
    connection.execute("INSERT OR REPLACE INTO activations VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _put_route(connection: sqlite3.Connection, route: Route) -> None:
    before = None if route.before is None else _encode(route.before)
    row = (route.model_name, route.route, _encode(route.answers), before, route.kept)
    connection.execute("INSERT OR REPLACE INTO routes VALUES (?, ?, ?, ?, ?)", row)


def _drop(connection: sqlite3.Connection, route: Route) -> None:
    connection.execute("DELETE FROM routes WHERE model_name = ? AND route = ?", (route.model_name, route.route))
