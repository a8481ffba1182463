"""Takes every version that is wanted to service: fetched, verified, probed, activated; then kept or rolled back.

States are in `messages.rollout`, what is on disk in `rollout`. Downloading and verified are not written down: a file
that is there under its digest is verified, and one that is there in part says itself how far it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, ModelFailed
from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState
from edge_aiops.fleet.messages.rollout import Activation, ActivationState
from edge_aiops.fleet.node.deployments import Serving, deployment, serving
from edge_aiops.fleet.node.download import Downloads
from edge_aiops.fleet.node.files import Artifact, ModelFiles
from edge_aiops.fleet.node.rollout import Names, Progress, Rollout
from edge_aiops.fleet.node.watching import judged
from edge_aiops.serving.deployment import Deployment, Key
from edge_aiops.serving.statistics import Vitals

WATCH_INTERVAL_S = 1.0
"""How often versions that are not kept yet are judged."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 60.0, 6 * 3_600.0
"""Before a version that failed its probe is tried again."""

logger = logging.getLogger(__name__)


class Watched(Protocol):
    """Who serves, and tells how a version does."""

    def watch(self, deployment: Deployment) -> None:
        """Let its `vitals` count from now on."""

    def unwatch(self, deployment: Deployment) -> None:
        """Nobody asks for its `vitals` any more."""

    def vitals(self, deployment: Deployment) -> Vitals:
        """How it does since it is watched."""


Probe = Callable[[DesiredModel, Path | None], Awaitable[str | None]]
"""Why a version cannot be served here; None if it can."""


class _Interrupted(Exception):
    """What is wanted has changed; nothing of the work is lost."""


class _Pause(NamedTuple):
    """Before a version that failed its probe is tried again."""

    model: DesiredModel
    until_ns: int
    length_s: float


class _Trial(NamedTuple):
    """A version that is not kept yet."""

    since_ns: int
    deployment: Deployment


class Activator:
    """Brings versions to service, one at a time, the smallest first.

    `apply` gets what is to be served from then on; `report` is told when a version has become active, was kept, rolled
    back, or failed. Without `probe` a version is activated as soon as its file is there.
    """

    def __init__(
        self,
        rollout: Rollout,
        *,
        files: ModelFiles,
        downloads: Downloads,
        apply: Callable[[Serving], None],
        watched: Watched,
        clock: Clock,
        probe: Probe | None,
        report: Callable[[Activation], None] | None = None,
        max_bytes: int = 0,
    ) -> None:
        self._rollout = rollout
        self._files = files
        self._downloads = downloads
        self._apply = apply
        self._watched = watched
        self._clock = clock
        self._probe = probe
        self._report = report
        self._max_bytes = max_bytes
        self._working: asyncio.Task[None] | None = None
        self._again = False
        self._serving = Serving([], [])
        self._troubles: dict[Names, EdgeAiopsError] = {}
        self._pauses: dict[Names, _Pause] = {}
        self._under_way: tuple[Names, ActivationState, int] | None = None
        self._trials: dict[Key, _Trial] = {}

    def activations(self) -> dict[str, Activation]:
        """How far each version is, by `name:version`."""
        shown = {}
        for names, progress in self._rollout.now.activations.items():
            activation, offset = progress, 0
            if self._under_way is not None and self._under_way[0] == names:
                _, state, offset = self._under_way
                activation = progress._replace(state=state)
            elif names in self._troubles and progress.state == "wanted":
                activation = progress._replace(reason=self._troubles[names].message)
            shown[":".join(names)] = activation.shown(offset=offset)
        return shown

    @property
    def trouble(self) -> EdgeAiopsError | None:
        """What the last attempt to bring what is wanted to service ended with, if not well."""
        return next(iter(self._troubles.values()), None)

    async def resume(self, applied: DesiredState | None) -> None:
        """Serve what was served last, but for what has brought the node down too often; `applied`: the desired state
        that was accepted last, if it is known, as far as the node's policy permits it now."""
        now_ms = self._clock.now_ms()
        given_up: list[DesiredModel] = []
        try:
            given_up = await self._rollout.resume(applied, now_ms=now_ms, present=lambda sha256: sha256 in self._files)
            if applied is not None:
                await self._rollout.accept(applied, lambda connection: None, now_ms=now_ms)
        except EdgeAiopsError as error:
            # Such as a full disk: what was served is served nevertheless.
            logger.error("this start of the node is not written down: %s", error)
            await self._rollout.look()
        self.serve()
        for model in given_up:
            self._tell(model)

    def serve(self) -> None:
        """Have what the routes say served."""
        now = serving(self._rollout.now, self._files)
        if now != self._serving:
            self._serving = now
            self._apply(now)
        self._watch_trials()

    def begin(self, *, anew: bool = False) -> None:
        """Work on what is wanted; `anew`: that has changed since the work that is under way began."""
        self._again = self._again or anew
        if self._working is None:
            self._working = asyncio.create_task(self._work(), name="activation")

    async def settled(self) -> None:
        """Wait until everything that is wanted is as far as it can be now. Raises the first trouble."""
        if self._working is not None:
            await asyncio.shield(self._working)
        if (trouble := self.trouble) is not None:
            raise trouble

    async def judge(self) -> None:
        """Keep or roll back the versions for which it is time."""
        for progress in list(self._rollout.now.activations.values()):
            trial = self._trials.get(_key(progress.wanted))
            if progress.state == "active" and trial is not None:
                await self._judge(progress, trial)

    async def close(self) -> None:
        """Stop working, and note that the process ends in order."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        try:
            await self._rollout.end()
        except EdgeAiopsError as error:
            logger.warning("that this node ends in order is not written down: %s", error)

    async def _judge(self, progress: Progress, trial: _Trial) -> None:
        model = progress.wanted
        after_s = (self._clock.ticks_ns() - trial.since_ns) / 1e9
        verdict = judged(model.commit, self._watched.vitals(trial.deployment), after_s=after_s)
        if verdict.reason and not self._rollout.has_before(model):
            await self._bear(progress, trial, verdict.reason)
            return
        if verdict.reason:
            await self._rollout.roll_back(model, now_ms=self._clock.now_ms(), reason=verdict.reason)
            logger.warning("model %s %s is rolled back: %s", model.name, model.version, verdict.reason)
        elif verdict.keep:
            await self._rollout.keep(model, now_ms=self._clock.now_ms())
        else:
            return
        self.serve()
        self._tell(model)

    async def _bear(self, progress: Progress, trial: _Trial, reason: str) -> None:
        """Go on with a version that does badly because nothing else could answer, and judge it anew."""
        model = progress.wanted
        self._trials[_key(model)] = trial._replace(since_ns=self._clock.ticks_ns())
        self._watched.watch(trial.deployment)
        if not progress.reason:
            now_ms = self._clock.now_ms()
            await self._rollout.enter(model, "active", now_ms=now_ms, reason=reason, attempts=progress.attempts)
            logger.warning("model %s %s does badly, and nothing was there before: %s", *progress.names, reason)
            self._tell(model)

    async def _work(self) -> None:
        try:
            while True:
                self._again, self._troubles = False, {}
                with suppress(_Interrupted):
                    await self._pass()
                if not self._again:
                    return
        finally:
            self._working = self._under_way = None

    async def _pass(self) -> None:
        for progress in self._due():
            await self._advance(progress)
        try:
            await self._files.collect(self._rollout.now.referenced(), max_bytes=self._max_bytes)
        except EdgeAiopsError as error:
            logger.warning("model files that nothing needs are not deleted: %s", error)

    def _due(self) -> list[Progress]:
        now_ns = self._clock.ticks_ns()
        due = []
        for names, progress in self._rollout.now.activations.items():
            pause = self._pauses.get(names)
            waits = pause is not None and pause.model == progress.wanted and now_ns < pause.until_ns
            if progress.state in ("wanted", "probing") or (progress.state == "failed" and not waits):
                due.append(progress)
        return sorted(due, key=lambda progress: progress.wanted.size)

    async def _advance(self, progress: Progress) -> None:
        model = progress.wanted
        try:
            await self._fetched(model)
            self._at(model, "verified", model.size)
            if (reason := await self._refused(progress)) is None:
                await self._rollout.activate(model, now_ms=self._clock.now_ms())
            else:
                await self._fail(progress, reason)
        except EdgeAiopsError as error:
            logger.warning("model %s %s is not served yet: %s", model.name, model.version, error)
            self._troubles[progress.names] = error
            return
        except _Interrupted:
            raise
        except Exception as error:
            # The boundary of one version: what nobody has thought of must not keep the others from service.
            logger.exception("model %s %s is not served yet", model.name, model.version)
            self._troubles[progress.names] = EdgeAiopsError(f"{type(error).__name__}: {error}")
            return
        finally:
            self._under_way = None
        self.serve()
        self._tell(model)

    async def _fetched(self, model: DesiredModel) -> None:
        """Have the model's file. That the hub has signed it was seen before the state that names it was accepted."""
        artifact = Artifact.of(model)
        if artifact is None:
            return
        if await self._files.is_whole(artifact.sha256):
            return
        self._at(model, "downloading", 0)
        await self._downloads.fetch(
            artifact, keep=self._rollout.now.referenced(), go_on=lambda offset: self._at(model, "downloading", offset)
        )

    async def _refused(self, progress: Progress) -> str | None:
        """Why it must not be activated."""
        if self._probe is None:
            return None
        # Attempts that ended in order, however badly, do not count.
        model, attempts = progress.wanted, 1 + (0 if progress.state == "failed" else progress.attempts)
        await self._rollout.enter(model, "probing", now_ms=self._clock.now_ms(), attempts=attempts)
        self._at(model, "probing", model.size)
        return await self._probe(model, self._files.path(model.sha256) if model.sha256 else None)

    async def _fail(self, progress: Progress, reason: str) -> None:
        model, pause = progress.wanted, self._pauses.get(progress.names)
        again = pause is not None and pause.model == model
        length_s = min(2 * pause.length_s, _LONGEST_PAUSE_S) if pause and again else _FIRST_PAUSE_S
        self._pauses[progress.names] = _Pause(model, self._clock.ticks_ns() + round(length_s * 1e9), length_s)
        await self._rollout.enter(model, "failed", now_ms=self._clock.now_ms(), reason=reason)
        logger.warning("model %s %s is not served here: %s", model.name, model.version, reason)
        self._troubles[progress.names] = ModelFailed(f"model {model.name} {model.version}: {reason}")

    def _at(self, model: DesiredModel, state: ActivationState, offset: int) -> None:
        if self._again:
            raise _Interrupted
        self._under_way = (model.name, model.version), state, offset

    def _watch_trials(self) -> None:
        """Watch the versions that are active and not kept, from now on; no others."""
        active = [progress.wanted for progress in self._rollout.now.activations.values() if progress.state == "active"]
        keys = {_key(model) for model in active}
        for key in self._trials.keys() - keys:
            self._watched.unwatch(self._trials.pop(key).deployment)
        for model in active:
            if _key(model) not in self._trials:
                trial = _Trial(self._clock.ticks_ns(), deployment(model, self._files))
                self._watched.watch(trial.deployment)
                self._trials[_key(model)] = trial

    def _tell(self, model: DesiredModel) -> None:
        progress = self._rollout.now.activations.get((model.name, model.version))
        if self._report is not None and progress is not None and progress.wanted == model:
            self._report(progress.shown())


def _key(model: DesiredModel) -> Key:
    return Key(model.name, model.version, model.deployment, model.sha256)
