"""What a node trusts of its hub: it takes nothing that the hub's keys have not signed, nor anything older.

The Update Framework, the node's side; docs/fleet/trust.md tells which attacks it withstands.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.disk import write_whole
from edge_aiops.base.errors import Unavailable, Untrusted
from edge_aiops.fleet.messages.trust import DESIRED, artifact
from edge_aiops.fleet.node.hub_client import HubClient

if TYPE_CHECKING:
    from edge_aiops.fleet.node.trust_workflow import Target, Wanted, Workflow

MOST_ROOTS = 256
"""Rotations that one refresh walks through; a node that missed more goes on at the next."""
MOST_BYTES = {"root": 256 * 1024, "timestamp": 16 * 1024, "snapshot": 64 * 1024, "targets": 8 * 1024**2}
"""Of each document; enough for 40,000 artifacts."""
FETCH_TIMEOUT_S = 60.0
"""Longest time for one document, however it trickles."""

_CHUNK_BYTES = 64 * 1024
_ACCEPTED = "accepted.json"

Fetch = Callable[[str, int], Awaitable[bytes | None]]
"""Gives the document with this name, None where there is none. Raises `Untrusted` for more than so many bytes."""


class TrustStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a node trusts now."""

    root_version: int
    signed_at: int
    """When the hub signed what this node checked last."""
    expires: int
    """From then on this node takes nothing new before it has heard from the hub again; it goes on serving."""
    clock_behind_ms: int
    """How much at least the node's clock was behind the hub's when it checked."""


class Trust:
    """Refreshes and keeps in `folder` what is trusted, beginning with `root`; made by `Trust.open`."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._of_all_roots = folder
        self._clock = clock
        self._root: bytes | None = None
        self._folder = folder
        self._accepted: list[str] | None = None
        self._key_ids: list[str] = []
        self._targets: dict[str, Target] = {}
        self._due_ns = clock.ticks_ns()
        self.status: TrustStatus | None = None
        """None until the first refresh of this start."""

    @classmethod
    async def open(cls, folder: Path, root: bytes | None, *, clock: Clock) -> Trust:
        """What was trusted last under `root`, the root metadata that the node got when it joined; None before that."""
        trust = cls(folder, clock=clock)
        if root is not None:
            await trust.begin(root)
        return trust

    @property
    def has_begun(self) -> bool:
        """Whether there is a root: whether the node has joined."""
        return self._root is not None

    async def begin(self, root: bytes) -> None:
        """Trust `root` from now on: the node has joined. Nothing that was trusted under another root counts."""
        if root == self._root:
            return
        folder = self._of_all_roots / hashlib.sha256(root).hexdigest()[:32]
        self._accepted = await asyncio.to_thread(_prepared, folder)
        self._folder, self._root = folder, root
        self._key_ids, self._targets, self.status = [], {}, None
        self._due_ns = self._clock.ticks_ns()

    @property
    def is_due(self) -> bool:
        """Whether to refresh even if the hub says that nothing has changed: who keeps news back says the same."""
        return self._clock.ticks_ns() >= self._due_ns

    @property
    def is_rekeyed(self) -> bool:
        """Whether the hub has other keys than when a state was accepted last; what those signed counts no more."""
        return self._accepted is not None and self._accepted != self._key_ids

    async def refresh(self, fetch: Fetch) -> None:
        """Learn what the hub has signed last.

        Raises `Untrusted` for what is not signed, old, expired or malformed, and what `fetch` raises. What was found
        good before that is kept.
        """
        if self._root is None:
            raise Untrusted("this node has not joined a hub yet and trusts none; start it once with --join TOKEN")
        workflow = await asyncio.to_thread(_workflow, self._folder, self._root, self._clock.now_ms())
        for _ in range(MOST_ROOTS):
            if (content := await fetch(workflow.next_root, MOST_BYTES["root"])) is None:
                break
            await asyncio.to_thread(workflow.take_root, content)
        timestamp = await _found(fetch, "timestamp.json", MOST_BYTES["timestamp"])
        await asyncio.to_thread(workflow.take_timestamp, timestamp)
        for role, wanted, take in (
            ("snapshot", workflow.wanted_snapshot, workflow.take_snapshot),
            ("targets", workflow.wanted_targets, workflow.take_targets),
        ):
            document: Wanted | None = await asyncio.to_thread(wanted)
            if document is not None:
                most_bytes = min(document.most_bytes or MOST_BYTES[role], MOST_BYTES[role])
                await asyncio.to_thread(take, await _found(fetch, document.name, most_bytes))
        self._targets = await asyncio.to_thread(workflow.targets)
        self._key_ids = workflow.key_ids
        self._conclude(workflow)

    async def verify_desired(self, body: bytes) -> None:
        """Raise `Untrusted` unless these bytes are the desired state that the hub has signed last."""
        digest = await asyncio.to_thread(hashlib.sha256, body)
        self._expect(DESIRED, length=len(body), sha256=digest.hexdigest())

    def verify_artifacts(self, named: Iterable[tuple[str, int]]) -> None:
        """Raise `Untrusted` unless the hub has signed for each artifact that is named by SHA-256 and size in bytes."""
        for sha256, size in named:
            self._expect(artifact(sha256), length=size, sha256=sha256)

    async def accept(self) -> None:
        """Remember that a state under the present keys was accepted."""
        if self._accepted != self._key_ids:
            await asyncio.to_thread(write_whole, self._folder / _ACCEPTED, msgspec.json.encode(self._key_ids))
            self._accepted = self._key_ids

    def _expect(self, path: str, *, length: int, sha256: str) -> None:
        target = self._targets.get(path)
        if target is None:
            raise Untrusted(f"the hub has not signed for {path}: somebody may have put it there (arbitrary software)")
        if target != (length, sha256):
            raise Untrusted(
                f"{path} is not what the hub has signed for: {length} bytes, SHA-256 {sha256}, instead of "
                f"{target.length} bytes, {target.sha256}: it may have been exchanged (arbitrary software)"
            )

    def _conclude(self, workflow: Workflow) -> None:
        life_ms = max(0, workflow.expires_ms - workflow.signed_at_ms)
        # The hub signs anew when half of a life is over, so there is news by then, whatever the clocks say.
        self._due_ns = self._clock.ticks_ns() + life_ms * 1_000_000 // 4
        self.status = TrustStatus(
            root_version=workflow.root_version,
            signed_at=workflow.signed_at_ms,
            expires=workflow.expires_ms,
            clock_behind_ms=max(0, workflow.signed_at_ms - self._clock.now_ms()),
        )


def metadata_of(hub: HubClient, *, timeout_s: float = FETCH_TIMEOUT_S) -> Fetch:
    """Fetches the signed metadata of `hub`."""

    async def fetch(name: str, most_bytes: int) -> bytes | None:
        try:
            async with asyncio.timeout(timeout_s), hub.ask("GET", f"/fleet/tuf/{name}") as response:
                if response.status == 404:
                    return None
                if response.status != 200:
                    raise Unavailable(f"the hub answered {response.status} {response.reason} to GET {response.url}")
                content = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    content += chunk
                    if len(content) > most_bytes:
                        raise Untrusted(
                            f"{name} of the hub is longer than the {most_bytes} bytes that it may have (endless data)"
                        )
                return bytes(content)
        except TimeoutError as error:
            raise Unavailable(f"{name} of the hub did not come within {timeout_s:g} s (slow retrieval)") from error

    return fetch


async def _found(fetch: Fetch, name: str, most_bytes: int) -> bytes:
    if (content := await fetch(name, most_bytes)) is None:
        raise Unavailable(f"the hub has no {name}; it may have been signed anew in this instant")
    return content


def _prepared(folder: Path) -> list[str] | None:
    folder.mkdir(parents=True, exist_ok=True)
    for partial in folder.glob("*.partial"):
        partial.unlink()
    try:
        return msgspec.json.decode((folder / _ACCEPTED).read_bytes(), type=list[str])
    except (FileNotFoundError, ValueError):
        return None


def _workflow(folder: Path, root: bytes, now_ms: int) -> Workflow:
    # Imported at the first use: python-tuf takes 12 MB, and a node that does not hear from its hub needs none of it.
    from edge_aiops.fleet.node.trust_workflow import Workflow

    return Workflow(folder, root, now_ms=now_ms)
