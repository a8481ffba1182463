"""How a node follows its hub: it pulls the complete desired state, fetches files, then serves what it says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import aiohttp
from msgspec import Struct

from edge_aiops.base.errors import EdgeAiopsError, Unavailable
from edge_aiops.fleet.messages.desired import DesiredModel
from edge_aiops.fleet.node.configured import Configured
from edge_aiops.fleet.node.files import ModelFiles
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.offers import Offers, decoded
from edge_aiops.fleet.node.state import NodeState, SavedDesired
from edge_aiops.fleet.node.trust import Trust
from edge_aiops.serving.deployment import Deployment

_CHUNK_BYTES = 256 * 1024

logger = logging.getLogger(__name__)


class FollowStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a node stands with its hub."""

    hub: str
    generation: int
    last_error: str | None


class Follower:
    """Pulls `GET /fleet/desired` and applies it: all files first, then one transaction, then the switch.

    `apply` gets the deployments to serve from then on. `trust`: what the hub has not signed is refused; a node that was
    never told the hub's root has none, and believes who answers.
    """

    def __init__(
        self,
        hub: HubClient,
        *,
        state: NodeState,
        files: ModelFiles,
        configured: Configured,
        trust: Trust | None = None,
        apply: Callable[[list[Deployment]], None],
    ) -> None:
        self._hub = hub
        self._offers = Offers(hub, trust)
        self._state = state
        self._files = files
        self._configured = configured
        self._apply = apply
        self._accepted: SavedDesired | None = None
        self._last_error: str | None = None
        self._pulling = asyncio.Lock()

    @property
    def generation(self) -> int:
        """Of the state that was accepted last."""
        return self._accepted.generation if self._accepted else 0

    @property
    def status(self) -> FollowStatus:
        """Where this node stands."""
        return FollowStatus(hub=self._hub.hub_url, generation=self.generation, last_error=self._last_error)

    async def restore(self) -> None:
        """Serve what was applied last, without asking anybody; a model whose file is gone waits for the hub."""
        saved = await self._state.desired()
        if saved is None:
            return
        self._accepted = saved._replace(etag="")
        try:
            desired = decoded(saved.body)
        except Unavailable as error:
            logger.error("what was served last is not known any more, the hub must say it again: %s", error)
            return
        desired = await self._configured.restore(desired)
        present = [model for model in desired.models if model.sha256 is None or model.sha256 in self._files]
        if len(present) == len(desired.models):
            self._accepted = saved
        self._apply([self._deployment(model) for model in present])

    async def pull(self) -> None:
        """One exchange with the hub.

        Raises `Unavailable` where the hub does not answer as it should, `Untrusted` for what it has not signed,
        `Conflict` for a state older than the one applied; what is served stays as it was.
        """
        async with self._pulling:
            try:
                await self._pull()
            except EdgeAiopsError as error:
                self._last_error = str(error)
                raise
            self._last_error = None

    async def reach(self, generation: int) -> None:
        """Pull until at least `generation` is applied, with every file."""
        if self.generation < generation or not (self._accepted and self._accepted.etag):
            await self.pull()

    async def _pull(self) -> None:
        if (offered := await self._offers.newest(self._accepted)) is None:
            return
        desired = await self._configured.apply(offered.state)
        for model in desired.models:
            await self._fetch(model)
        await self._state.save_desired(offered.saved)
        self._apply([self._deployment(model) for model in desired.models])
        self._accepted = offered.saved
        await self._offers.accepted()
        await asyncio.to_thread(self._files.collect, {model.sha256 for model in desired.models if model.sha256})
        logger.info("generation %d of %s: %d models", desired.generation, self._hub.hub_url, len(desired.models))

    async def _fetch(self, model: DesiredModel) -> None:
        if model.sha256 is None or model.sha256 in self._files:
            return
        async with self._hub.ask("GET", f"/artifacts/{model.sha256}") as response:
            _expect_ok(response)
            await self._files.receive(model.sha256, model.size, response.content.iter_chunked(_CHUNK_BYTES))

    def _deployment(self, model: DesiredModel) -> Deployment:
        return Deployment(
            name=model.name,
            version=model.version,
            deployment_version=model.deployment,
            stage=model.stage,
            framework=model.framework,
            sha256=model.sha256,
            path=self._files.path(model.sha256) if model.sha256 else None,
            options=model.options,
            task_type=model.task_type,
            feature_names=model.feature_names,
            missing_values=model.missing_values,
            class_labels=model.class_labels,
            output_names=tuple(output.name for output in model.signature.outputs) if model.signature else (),
            baseline_distributions=model.baseline_distributions,
            input_schema=model.input_schema,
            capture=model.capture,
            isolation=model.isolation,
            trust=model.trust,
            batching=model.batching,
            pinned=model.pinned,
            equivalence_group=model.equivalence_group,
            output_dimensions=model.output_dimensions,
            signature=model.signature,
        )


def _expect_ok(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        raise Unavailable(f"the hub answered {response.status} {response.reason} to {response.method} {response.url}")
