"""Makes and signs the metadata of The Update Framework; pure, and slow enough for a thread."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.fleet.hub.signing_tables import Signed
from edge_aiops.fleet.messages.trust import DESIRED, SIGNED_AT, artifact

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

DAY_MS = 86_400_000
LIFETIME_MS = {"root": 9_125 * DAY_MS, "targets": 365 * DAY_MS, "snapshot": 365 * DAY_MS, "timestamp": 2 * DAY_MS}
"""From signing to expiry. The timestamp's is how long a node can be kept from news without noticing. The root's is 25
years: it is replaced by its successor, not by time, and a device whose clock is wrong must not lose its hub."""

ONLINE_ROLES = ("targets", "snapshot", "timestamp")


class Named(NamedTuple):
    """Length in bytes and SHA-256 of a target."""

    length: int
    sha256: str


class _Model(Struct, frozen=True):
    sha256: str | None
    size: int


class _Desired(Struct, frozen=True):
    models: tuple[_Model, ...]


def first_root(root_key: CryptoSigner, online_key: CryptoSigner, *, now_ms: int) -> Signed:
    """Version 1 of the root: one root key, and one online key for the three other roles."""
    from tuf.api.metadata import Root

    root = Root(version=1)
    root.add_key(root_key.public_key, "root")
    for role in ONLINE_ROLES:
        root.add_key(online_key.public_key, role)
    return _signed(root, [root_key], now_ms=now_ms)


def next_root(
    before: Signed,
    *,
    root_keys: Sequence[CryptoSigner],
    online_key: CryptoSigner,
    new_root_keys: Sequence[CryptoSigner] = (),
    threshold: int = 1,
    now_ms: int,
) -> Signed:
    """The root after `before`, with this online key and, where given, these root keys; signed by old and new ones.

    `threshold`: how many of the new root keys must sign from then on. Raises `InvalidInput` where `root_keys` are not
    those, or not as many, as nodes demand.
    """
    from tuf.api.exceptions import UnsignedMetadataError
    from tuf.api.metadata import Metadata, Root

    trusted: Root = Metadata[Root].from_bytes(before.body).signed
    root: Root = Metadata[Root].from_bytes(before.body).signed
    root.version += 1
    replaced: dict[str, Sequence[CryptoSigner]] = {role: [online_key] for role in ONLINE_ROLES}
    if new_root_keys:
        replaced["root"] = new_root_keys
        root.roles["root"].threshold = threshold
    for role, keys in replaced.items():
        for key_id in list(root.roles[role].keyids):
            root.revoke_key(key_id, role)
        for key in keys:
            root.add_key(key.public_key, role)
    signed = _signed(root, [*root_keys, *new_root_keys], now_ms=now_ms)
    document = Metadata[Root].from_bytes(signed.body)
    for judge in (trusted, root):
        try:
            judge.verify_delegate("root", document.signed_bytes, document.signatures)
        except (UnsignedMetadataError, ValueError) as error:
            wanted = judge.roles["root"]
            raise InvalidInput(
                f"version {judge.version} of the root wants {wanted.threshold} of the root keys "
                f"{', '.join(wanted.keyids)}; the keys given are {', '.join(_id(key) for key in root_keys)}"
            ) from error
    return signed


def named_by(desired: bytes) -> dict[str, Named]:
    """The targets of this desired state: itself and the artifacts of its models."""
    models = msgspec.json.decode(desired, type=_Desired).models
    artifacts = {artifact(model.sha256): Named(model.size, model.sha256) for model in models if model.sha256}
    return artifacts | {DESIRED: Named(len(desired), hashlib.sha256(desired).hexdigest())}


def everything(key: CryptoSigner, *, version: int, targets: Mapping[str, Named], now_ms: int) -> list[Signed]:
    """Targets, snapshot and timestamp."""
    from tuf.api.metadata import MetaFile, Snapshot, TargetFile, Targets

    files = {path: TargetFile(named.length, {"sha256": named.sha256}, path) for path, named in targets.items()}
    listed = _signed(Targets(version=version, targets=files), [key], now_ms=now_ms)
    meta = MetaFile(version, len(listed.body), {"sha256": hashlib.sha256(listed.body).hexdigest()})
    snapshot = _signed(Snapshot(version=version, meta={"targets.json": meta}), [key], now_ms=now_ms)
    return [listed, snapshot, timestamp(key, version=version, snapshot=snapshot, now_ms=now_ms)]


def timestamp(key: CryptoSigner, *, version: int, snapshot: Signed, now_ms: int) -> Signed:
    """The timestamp that says which snapshot is the newest."""
    from tuf.api.metadata import MetaFile, Timestamp

    digest = hashlib.sha256(snapshot.body).hexdigest()
    named = MetaFile(snapshot.version, len(snapshot.body), {"sha256": digest})
    return _signed(Timestamp(version=version, snapshot_meta=named), [key], now_ms=now_ms)


def key_ids(root: Signed) -> tuple[dict[str, list[str]], int]:
    """The ids of the keys of each role, and how many root keys must sign."""
    from tuf.api.metadata import Metadata, Root

    trusted: Root = Metadata[Root].from_bytes(root.body).signed
    return {name: list(role.keyids) for name, role in trusted.roles.items()}, trusted.roles["root"].threshold


def _signed(content: Root | Targets | Snapshot | Timestamp, keys: Sequence[CryptoSigner], *, now_ms: int) -> Signed:
    from tuf.api.metadata import Metadata

    expires_at = (now_ms + LIFETIME_MS[content.type]) // 1_000 * 1_000
    content.expires = datetime.fromtimestamp(expires_at // 1_000, UTC)
    content.unrecognized_fields[SIGNED_AT] = now_ms
    document: Metadata[Any] = Metadata(content)
    for key in keys:
        document.sign(key, append=True)
    return Signed(content.type, content.version, document.to_bytes(), now_ms, expires_at)


def _id(key: CryptoSigner) -> str:
    return str(key.public_key.keyid)
