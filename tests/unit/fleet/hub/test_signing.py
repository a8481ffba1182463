"""What a hub signs, on each kind of store, with one replica or several."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tuf.api.metadata import Metadata, Root
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from edge_aiops.base.errors import InvalidInput, NotFound, StoreError
from edge_aiops.fleet.hub.desired import Desired
from edge_aiops.fleet.hub.signing import ROOT_KEY, Signing, pin_of
from edge_aiops.fleet.hub.signing_keys import new_key, read_key, write_key
from edge_aiops.fleet.hub.signing_metadata import LIFETIME_MS
from edge_aiops.fleet.hub.signing_rotation import recover, rotate, trusted_keys
from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState
from edge_aiops.registry import catalogue
from edge_aiops.store.shared.database import Database
from edge_aiops.testing.clock import FakeClock
from tests.hub_stores import Stores

HALF_A_LIFE_S = LIFETIME_MS["timestamp"] / 2_000


class Hub:
    """A replica: signs what the test wants; its catalogue is the database's generation."""

    def __init__(self, database: Database, folder: Path, clock: FakeClock) -> None:
        self.database = database
        self.folder = folder
        self.clock = clock
        self.contents: tuple[bytes, ...] = ()
        self.signing = Signing(database, make=self._make, generation=self._generation, clock=clock)

    async def start(self) -> None:
        """Do what a hub does at its start."""
        await asyncio.to_thread(self.folder.mkdir, exist_ok=True)
        await self.signing.prepare(self.folder)

    async def want(self, *contents: bytes) -> None:
        """Change the catalogue."""
        self.contents = contents
        await self.database.change(catalogue.raise_generation)

    async def verified(self) -> dict[str, int]:
        """Length by target, after what a client of The Update Framework verifies; the reference client's own code."""
        documents, chain = self.signing, TrustedMetadataSet(await self.root(1), EnvelopeType.METADATA)
        chain.reference_time = datetime.fromtimestamp(self.clock.now_ms() / 1_000, UTC)
        try:
            while True:
                chain.update_root(await documents.document(f"{chain.root.version + 1}.root.json"))
        except NotFound:
            pass
        chain.update_timestamp(await documents.document("timestamp.json"))
        chain.update_snapshot(await documents.document(f"{chain.timestamp.snapshot_meta.version}.snapshot.json"))
        chain.update_targets(await documents.document(f"{chain.snapshot.meta['targets.json'].version}.targets.json"))
        return {path: target.length for path, target in chain.targets.targets.items()}

    async def root(self, version: int) -> bytes:
        """One of the roots."""
        return await self.signing.document(f"{version}.root.json")

    async def timestamp(self) -> Any:
        """What the timestamp says."""
        return msgspec.json.decode(await self.signing.document("timestamp.json"))["signed"]

    async def _generation(self) -> int:
        return await self.database.read(catalogue.generation)

    async def _make(self) -> Desired:
        models = tuple(
            DesiredModel(
                name=f"m{number}", version="1", deployment=1, stage="staging", framework="onnx",
                sha256=hashlib.sha256(content).hexdigest(), size=len(content),
            )
            for number, content in enumerate(self.contents)
        )  # fmt: skip
        state = DesiredState(generation=await self._generation(), models=models)
        body = msgspec.json.encode(state)
        return Desired(state, "unused", body)


@pytest.fixture
async def database(stores: Stores) -> AsyncIterator[Database]:
    async with Database.open(stores.database) as opened:
        yield opened


@pytest.fixture
async def hub(database: Database, tmp_path: Path, fake_clock: FakeClock) -> Hub:
    """A hub that has been started."""
    started = Hub(database, tmp_path / "hub", fake_clock)
    await started.start()
    return started


def root_key(hub: Hub) -> Any:
    return read_key(hub.folder / ROOT_KEY)


async def test_the_first_start_makes_keys_and_says_where_the_root_key_is(
    database: Database, tmp_path: Path, fake_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub(database, tmp_path / "hub", fake_clock)
    with pytest.raises(StoreError, match="start it once"):
        await hub.signing.root()
    with caplog.at_level(logging.WARNING):
        await hub.start()
    file = tmp_path / "hub" / ROOT_KEY
    assert f"{file}: move it to a medium that is kept offline" in caplog.text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    root = Metadata[Root].from_bytes(await hub.signing.root()).signed
    assert root.roles["root"].keyids == [read_key(file).public_key.keyid]
    assert root.roles["root"].keyids != root.roles["timestamp"].keyids
    assert root.consistent_snapshot
    assert hashlib.sha256(await hub.signing.root()).hexdigest().startswith(pin_of(await hub.signing.root()))
    assert len(pin_of(await hub.signing.root())) * 4 >= 128


async def test_the_hub_runs_without_its_root_key_and_makes_no_other(hub: Hub) -> None:
    (hub.folder / ROOT_KEY).unlink()
    before = await hub.signing.root()
    again = Hub(hub.database, hub.folder, hub.clock)
    await again.start()
    await again.want(b"one")
    assert await again.signing.root() == before
    assert len(await again.verified()) == 2
    assert not (hub.folder / ROOT_KEY).exists()


async def test_a_start_that_died_before_it_was_done_is_done_again_with_the_same_root_key(
    database: Database, tmp_path: Path, fake_clock: FakeClock
) -> None:
    (tmp_path / "hub").mkdir()
    write_key(tmp_path / "hub" / ROOT_KEY, key := new_key())
    hub = Hub(database, tmp_path / "hub", fake_clock)
    await hub.start()
    assert (await trusted_keys(database)).key_ids["root"] == [key.public_key.keyid]


async def test_replicas_that_start_at_the_same_time_have_one_root_and_one_root_key(
    database: Database, tmp_path: Path, fake_clock: FakeClock
) -> None:
    hubs = [Hub(database, tmp_path / f"hub{number}", fake_clock) for number in range(4)]
    await asyncio.gather(*(hub.start() for hub in hubs))
    assert len({await hub.signing.root() for hub in hubs}) == 1
    (kept,) = [file for hub in hubs if (file := hub.folder / ROOT_KEY).exists()]
    assert (await trusted_keys(database)).key_ids["root"] == [read_key(kept).public_key.keyid]


async def test_replicas_that_start_at_the_same_time_in_one_folder_do_not_lose_the_root_key(
    database: Database, tmp_path: Path, fake_clock: FakeClock
) -> None:
    hubs = [Hub(database, tmp_path / "hub", fake_clock) for _ in range(4)]
    await asyncio.gather(*(hub.start() for hub in hubs))
    assert (await trusted_keys(database)).key_ids["root"] == [root_key(hubs[0]).public_key.keyid]
    assert await asyncio.to_thread(lambda: [file.name for file in (tmp_path / "hub").iterdir()]) == [ROOT_KEY]


async def test_every_change_is_signed_with_exactly_what_it_names(hub: Hub) -> None:
    assert list(await hub.verified()) == ["desired"]
    for contents in ((b"one",), (b"one", b"two!!"), (b"two!!",)):
        await hub.want(*contents)
        desired = await hub.signing.desired()
        named = {f"artifacts/{hashlib.sha256(content).hexdigest()}": len(content) for content in contents}
        assert await hub.verified() == named | {"desired": len(desired.body)}
        assert desired.etag == f"{desired.generation}-{hashlib.sha256(desired.body).hexdigest()}"


async def test_what_has_not_changed_is_not_signed_again(hub: Hub) -> None:
    await hub.want(b"one")
    before = await hub.timestamp()
    hub.clock.advance(HALF_A_LIFE_S - 60)
    assert await hub.signing.desired() is await hub.signing.desired()
    assert await hub.timestamp() == before
    assert (await Hub(hub.database, hub.folder, hub.clock).timestamp())["version"] == before["version"]


async def test_the_timestamp_is_signed_again_when_half_of_its_life_is_over_and_nothing_else(hub: Hub) -> None:
    await hub.want(b"one")
    before = await hub.timestamp()
    hub.clock.advance(HALF_A_LIFE_S + 1)
    after = await hub.timestamp()
    assert after["version"] > before["version"]
    assert after["expires"] > before["expires"]
    assert after["meta"] == before["meta"]
    assert len(await hub.verified()) == 2


async def test_everything_is_signed_again_before_it_expires(hub: Hub) -> None:
    await hub.want(b"one")
    before = await hub.timestamp()
    for _ in range(5):
        hub.clock.advance(LIFETIME_MS["targets"] / 1_000 - 1)
        assert len(await hub.verified()) == 2
    assert (await hub.timestamp())["meta"] != before["meta"]


async def test_replicas_that_sign_at_the_same_time_agree(hub: Hub) -> None:
    replicas = [Hub(hub.database, hub.folder, hub.clock) for _ in range(4)]
    for number in range(5):
        await hub.want(f"content {number}".encode())
        for replica in replicas:
            replica.contents = hub.contents
        answers = await asyncio.gather(*(replica.signing.desired() for replica in replicas))
        assert len(set(answers)) == 1
        assert await replicas[number % 4].verified() == await hub.verified()


async def test_a_replica_of_an_older_program_serves_what_was_signed_for_a_generation(hub: Hub) -> None:
    await hub.want(b"one")
    signed = await hub.signing.desired()
    other = Hub(hub.database, hub.folder, hub.clock)
    other.contents = (b"it would say something else",)
    assert await other.signing.desired() == signed


async def test_a_node_in_the_middle_of_a_refresh_still_finds_what_the_timestamp_named(hub: Hub) -> None:
    await hub.want(b"one")
    named = (await hub.timestamp())["meta"]["snapshot.json"]["version"]
    for number in range(15):
        await hub.want(str(number).encode())
        await hub.signing.desired()
    assert await hub.signing.document(f"{named}.snapshot.json")
    assert await hub.signing.document(f"{named}.targets.json")
    for number in range(2):
        await hub.want(f"more {number}".encode())
        await hub.signing.desired()
    with pytest.raises(NotFound, match=r"ask for timestamp\.json again"):
        await hub.signing.document(f"{named}.snapshot.json")


@pytest.mark.parametrize(
    "name",
    ["", "root.json", "0.root.json", "01.root.json", "-1.root.json", "1.desired.json", "../root.key", "1.root.json\n",
     "1.timestamp.json", "99999999999999999999.root.json", "2.root.json", "٣.root.json"],
)  # fmt: skip
@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
async def test_a_name_that_is_none_is_not_found(hub: Hub, name: str) -> None:
    with pytest.raises(NotFound):
        await hub.signing.document(name)


async def test_a_rotation_makes_a_new_online_key_and_signs_with_it(hub: Hub) -> None:
    await hub.want(b"one")
    before, signed = await trusted_keys(hub.database), await hub.signing.desired()
    await rotate(hub.database, root_keys=[root_key(hub)], now_ms=hub.clock.now_ms())
    after = await trusted_keys(hub.database)
    assert after.key_ids["root"] == before.key_ids["root"]
    assert set(after.key_ids["targets"]).isdisjoint(before.key_ids["targets"])
    assert len(await hub.verified()) == 2
    assert await hub.signing.desired() == signed
    await hub.want(b"one", b"two")
    assert len(await hub.verified()) == 3


async def test_the_root_key_is_replaced_by_several_of_which_some_must_sign(hub: Hub) -> None:
    old, new = root_key(hub), [new_key() for _ in range(3)]
    await rotate(hub.database, root_keys=[old], new_root_keys=new, threshold=2, now_ms=hub.clock.now_ms())
    assert await hub.verified()
    for too_few in ([], [old], new[:1], [new[0], new[0]], [old, new[2]]):
        with pytest.raises(InvalidInput, match="wants 2 of the root keys"):
            await rotate(hub.database, root_keys=too_few, now_ms=hub.clock.now_ms())
    await rotate(hub.database, root_keys=new[1:], now_ms=hub.clock.now_ms())
    assert await hub.verified()
    assert (await trusted_keys(hub.database)).root.version == 3


async def test_a_refused_rotation_changes_nothing(hub: Hub) -> None:
    before = await trusted_keys(hub.database)
    with pytest.raises(InvalidInput, match=before.key_ids["root"][0]):
        await rotate(hub.database, root_keys=[new_key()], now_ms=hub.clock.now_ms())
    assert await trusted_keys(hub.database) == before
    assert await hub.verified()


async def test_a_recovered_hub_is_beyond_all_that_it_has_ever_said(hub: Hub) -> None:
    await hub.want(b"one")
    said = await hub.timestamp()
    generation = await recover(hub.database, now_ms=hub.clock.now_ms())
    assert generation > hub.clock.now_ms() // 1_000
    assert (await hub.signing.desired()).generation == generation
    assert (await hub.timestamp())["version"] > said["version"]
    await hub.want(b"two")
    assert (await hub.signing.desired()).generation == generation + 1
    assert await recover(hub.database, now_ms=hub.clock.now_ms()) == generation + 2


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_blamed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.key").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"a\.key holds no private key"):
        read_key(tmp_path / "a.key")
    with pytest.raises(InvalidInput, match=r"b\.key cannot be read: No such file"):
        read_key(tmp_path / "b.key")
    with pytest.raises(InvalidInput, match="never overwritten"):
        write_key(tmp_path / "a.key", new_key())
    assert (tmp_path / "a.key").read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["a.key"]
