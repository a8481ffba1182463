"""One refresh of what a node trusts, by section 5 of the specification of The Update Framework (1.0); no network here.

Synchronous and for one use in a thread: python-tuf judges, this keeps what it has found good. Each file is written
whole or not at all, and in the order in which they are judged; so whenever the power goes, what is in the folder is
what some refresh had found good, and the next one goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tuf.api import exceptions
from tuf.api.serialization import DeserializationError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from edge_aiops.base.disk import is_full, write_whole
from edge_aiops.base.errors import StorageFull, StoreError, Untrusted
from edge_aiops.fleet.messages.trust import SIGNED_AT

if TYPE_CHECKING:
    from tuf.api.metadata import MetaFile, Signed

logger = logging.getLogger(__name__)


class Target(NamedTuple):
    """Length in bytes and SHA-256 of what a target must be."""

    length: int
    sha256: str


class Wanted(NamedTuple):
    """A document to fetch, and its most bytes as what is trusted already says; None where it does not say."""

    name: str
    most_bytes: int | None


class Workflow:
    """Judges the documents of one refresh in their order: roots, timestamp, snapshot, targets.

    Everything raises `Untrusted` that names what the document looks like, and `StoreError` or `StorageFull` for the
    disk.
    """

    def __init__(self, folder: Path, root: bytes, *, now_ms: int) -> None:
        """Begin with the newest root in `folder`, or else with `root`, which the node has had since it joined."""
        self._folder = folder
        self._now_ms = now_ms
        self._trusted = self._opened(root)

    @property
    def next_root(self) -> str:
        """The name of the root that would replace the trusted one."""
        return f"{self._trusted.root.version + 1}.root.json"

    @property
    def root_version(self) -> int:
        """Of the trusted root."""
        return int(self._trusted.root.version)

    @property
    def key_ids(self) -> list[str]:
        """Of the keys that sign targets."""
        return sorted(self._trusted.root.roles["targets"].keyids)

    @property
    def signed_at_ms(self) -> int:
        """When the trusted timestamp was signed."""
        return _signed_at_ms(self._trusted.timestamp)

    @property
    def expires_ms(self) -> int:
        """When the trusted timestamp expires."""
        return round(self._trusted.timestamp.expires.timestamp() * 1_000)

    def take_root(self, content: bytes) -> None:
        """Trust the next root, if it is signed by the one before and by itself."""
        with self._judged(self.next_root):
            self._trusted.update_root(content)
        self._keep("root", content)

    def take_timestamp(self, content: bytes) -> None:
        """Trust the timestamp: it is not older than the one before, and not expired."""
        self._tell_time(self._trusted.root)
        if (kept := self._kept("timestamp")) is not None:
            # What has expired still shows which versions were seen.
            with suppress(exceptions.RepositoryError):
                self._trusted.update_timestamp(kept)
            if "timestamp" in self._trusted:
                self._tell_time(self._trusted.timestamp)
        with self._judged("timestamp.json"):
            try:
                self._trusted.update_timestamp(content)
            except exceptions.EqualVersionNumberError:
                if self._trusted.timestamp.is_expired(self._trusted.reference_time):
                    raise exceptions.ExpiredMetadataError("timestamp.json is expired") from None
                return
        self._keep("timestamp", content)

    def wanted_snapshot(self) -> Wanted | None:
        """The snapshot that the timestamp names; None where it is in the folder."""
        if (kept := self._kept("snapshot")) is not None:
            with suppress(exceptions.RepositoryError):
                self._trusted.update_snapshot(kept, trusted=True)
                return None
        return _wanted("snapshot", self._trusted.timestamp.snapshot_meta)

    def take_snapshot(self, content: bytes) -> None:
        """Trust the snapshot, if it is the one that the timestamp names and nothing in it went back."""
        with self._judged("snapshot.json"):
            self._trusted.update_snapshot(content)
        self._keep("snapshot", content)

    def wanted_targets(self) -> Wanted | None:
        """The targets that the snapshot names; None where they are in the folder."""
        if (kept := self._kept("targets")) is not None:
            with suppress(exceptions.RepositoryError):
                self._trusted.update_targets(kept)
                return None
        with self._judged("snapshot.json"):
            return _wanted("targets", self._trusted.snapshot.meta["targets.json"])

    def take_targets(self, content: bytes) -> None:
        """Trust the targets, if they are the ones that the snapshot names."""
        with self._judged("targets.json"):
            self._trusted.update_targets(content)
        self._keep("targets", content)

    def targets(self) -> dict[str, Target]:
        """What is trusted now, by path."""
        files = self._trusted.targets.targets
        return {path: Target(file.length, file.hashes.get("sha256", "")) for path, file in files.items()}

    def _opened(self, root: bytes) -> TrustedMetadataSet:
        if (kept := self._kept("root")) is not None:
            try:
                return TrustedMetadataSet(kept, EnvelopeType.METADATA)
            except exceptions.RepositoryError as error:
                logger.error("the root in %s is damaged (%s): trust begins anew with the first one", kept, error)
        with self._judged("root.json"):
            return TrustedMetadataSet(root, EnvelopeType.METADATA)

    def _tell_time(self, document: Signed) -> None:
        """Judge expiry by the node's clock, unless something trusted shows that it is behind."""
        self._now_ms = max(self._now_ms, _signed_at_ms(document))
        self._trusted.reference_time = datetime.fromtimestamp(self._now_ms // 1_000, UTC)

    def _kept(self, role: str) -> bytes | None:
        try:
            return (self._folder / f"{role}.json").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"what this node trusts cannot be read: {error}") from error

    def _keep(self, role: str, content: bytes) -> None:
        try:
            write_whole(self._folder / f"{role}.json", content)
        except OSError as error:
            if is_full(error):
                raise StorageFull(f"no space left for what this node trusts: {error}", retry_after_s=60) from error
            raise StoreError(f"what this node trusts cannot be written: {error}") from error

    @contextmanager
    def _judged(self, name: str) -> Iterator[None]:
        """The library's verdict as an error of ours."""
        try:
            yield
        except exceptions.ExpiredMetadataError as error:
            raise Untrusted(
                f"what the hub has signed has expired ({error}; it is {self._trusted.reference_time} here): somebody "
                "may keep this node from news (freeze). Check who answers as the hub, and the clocks of both"
            ) from error
        except exceptions.BadVersionNumberError as error:
            raise Untrusted(
                f"{name} of the hub is older than what this node knows ({error}): somebody may offer an old state "
                "again (rollback). If the hub was restored from a backup, run `edge-aiops hub recover` there"
            ) from error
        except exceptions.LengthOrHashMismatchError as error:
            raise Untrusted(
                f"{name} is not the one that the hub has signed for ({error}): documents of different times or "
                "strangers were put together (mix-and-match)"
            ) from error
        except exceptions.UnsignedMetadataError as error:
            raise Untrusted(
                f"{name} does not bear the signatures that this node trusts ({error}): an unknown signer. If this is "
                "another hub than the one it joined, it must join again"
            ) from error
        except DeserializationError as error:
            raise Untrusted(f"{name} of the hub cannot be read: {error.__cause__ or error}") from error
        except Exception as error:
            # Whatever a hostile document makes of the library, it is the document that is at fault.
            raise Untrusted(f"{name} of the hub is not as it should be: {type(error).__name__}: {error}") from error


def _wanted(role: str, named: MetaFile) -> Wanted:
    return Wanted(f"{named.version}.{role}.json", named.length)


def _signed_at_ms(document: Signed) -> int:
    said = document.unrecognized_fields.get(SIGNED_AT)
    return said if isinstance(said, int) and 0 <= said < 2**43 else 0
