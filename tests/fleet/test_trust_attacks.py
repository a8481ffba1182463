"""The attacks that The Update Framework names, each against a node, with a hub that lies (promise P13).

After each of them the node has what it had before, and takes the honest hub's next state.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_aiops.base.errors import Conflict, EdgeAiopsError, Unavailable, Untrusted
from edge_aiops.fleet.hub import signing_metadata as making
from edge_aiops.fleet.hub.signing_keys import new_key
from edge_aiops.fleet.messages.trust import SIGNED_AT
from edge_aiops.fleet.node import trust
from edge_aiops.testing.clock import FakeClock
from tests.fleet.hostile_hub import Device, Files, HostileHub, device, digest, state

LIFE_S = making.LIFETIME_MS["timestamp"] / 1_000
ALL_ROLES = ("timestamp.json", "2.snapshot.json", "2.targets.json")


@pytest.fixture
async def hub(fake_clock: FakeClock) -> AsyncIterator[HostileHub]:
    """A hub that has honestly published generation 1, under version 1."""
    async with HostileHub(fake_clock).running() as running:
        running.publish(1, b"one")
        yield running


@pytest.fixture
def started(hub: HostileHub, tmp_path: Path, fake_clock: FakeClock) -> Any:
    """A node on the test's folder: `async with started() as node`; a second time, it starts again."""
    return partial(device, hub, tmp_path / "trust", clock=fake_clock)


@pytest.fixture
async def node(started: Any) -> AsyncIterator[Device]:
    """A node that has accepted generation 1."""
    async with started() as opened:
        assert await opened.pull() == 1
        yield opened


async def refuses(node: Device, said: str, kind: type[EdgeAiopsError] = Untrusted) -> None:
    """It refuses, says this, and keeps what it has."""
    before = node.accepted
    with pytest.raises(kind, match=re.compile(said, re.DOTALL)) as caught:
        await node.pull()
    assert caught.type is kind
    assert node.accepted == before


async def refuses_again(node: Device, said: str) -> None:
    """The same once it is time to look again, whatever the tag of the desired state says."""
    node.clock.advance(LIFE_S / 4)
    await refuses(node, said)


async def follows_again(node: Device, hub: HostileHub, generation: int = 50) -> None:
    """The honest hub is believed again."""
    hub.says_nothing_changed = False
    hub.publish(generation, b"honest")
    assert await node.pull() == generation


# Arbitrary software


async def test_a_desired_state_that_is_not_the_signed_one_is_refused(node: Device, hub: HostileHub) -> None:
    hub.files["desired"] = state(2, [b"evil"])
    await refuses(node, "desired is not what the hub has signed for.*arbitrary software")
    await follows_again(node, hub)


async def test_one_changed_byte_of_the_desired_state_is_refused(node: Device, hub: HostileHub) -> None:
    hub.publish(2, b"one")
    hub.files["desired"] = hub.files["desired"].replace(b'"staging"', b'"stagine"')
    await refuses(node, "desired is not what the hub has signed for")


async def test_an_artifact_that_is_not_signed_is_refused_even_if_the_state_is(node: Device, hub: HostileHub) -> None:
    hub.publish(2, b"one", b"two")
    files = msgspec.json.decode(hub.files["2.targets.json"])["signed"]["targets"]
    del files[f"artifacts/{digest(b'two')}"]
    hub.resign(targets=files)
    await refuses(node, f"has not signed for artifacts/{digest(b'two')}.*arbitrary software")
    await follows_again(node, hub)


@pytest.mark.parametrize(
    "change", [{"length": 4}, {"hashes": {"sha256": digest(b"evil")}}, {"hashes": {"sha512": "0"}}]
)
async def test_the_right_name_for_another_content_is_refused(
    node: Device, hub: HostileHub, change: dict[str, Any]
) -> None:
    hub.publish(2, b"one", b"two")
    files = msgspec.json.decode(hub.files["2.targets.json"])["signed"]["targets"]
    files[f"artifacts/{digest(b'two')}"] |= change
    hub.resign(targets=files)
    await refuses(node, "is not what the hub has signed for.*it may have been exchanged")


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "artifacts/../../x", "..\\x", "a\0b", "\u202ex", ""]
)
async def test_a_target_with_a_path_for_a_name_goes_nowhere(
    node: Device, hub: HostileHub, tmp_path: Path, path: str
) -> None:
    hub.publish(2, b"two")
    files = msgspec.json.decode(hub.files["2.targets.json"])["signed"]["targets"]
    hub.resign(targets=files | {path: files["desired"]})
    assert await node.pull() == 2
    assert files_in(tmp_path) == [
        "accepted.json", "snapshot.json", "targets.json", "timestamp.json",
    ]  # fmt: skip


# Unknown signers, keys and thresholds


@pytest.mark.parametrize("name", ALL_ROLES)
async def test_a_stranger_s_signature_is_refused(node: Device, hub: HostileHub, name: str) -> None:
    hub.publish(2, b"two")
    stranger = new_key()
    hub.forge(name, key=stranger)
    hub.mend(but=name)
    await refuses(node, f"{'' if name in ALL_ROLES[:1] else name[2:]}.*signed by 0/1 keys.*an unknown signer")
    await follows_again(node, hub)


@pytest.mark.parametrize("name", ALL_ROLES)
async def test_a_document_without_signatures_is_refused(node: Device, hub: HostileHub, name: str) -> None:
    hub.publish(2, b"two")
    document = msgspec.json.decode(hub.files[name])
    hub.files[name] = msgspec.json.encode(document | {"signatures": []})
    hub.mend(but=name)
    await refuses(node, "signed by 0/1 keys")


@pytest.mark.parametrize("name", ALL_ROLES)
async def test_a_signature_of_something_else_is_refused(node: Device, hub: HostileHub, name: str) -> None:
    hub.publish(2, b"two")
    hub.forge(name, expires="2099-01-01T00:00:00Z")
    hub.mend(but=name)
    await refuses(node, "signed by 0/1 keys")


async def test_the_root_key_signs_no_targets(node: Device, hub: HostileHub) -> None:
    hub.publish(2, b"two", key=hub.root_key)
    await refuses(node, "an unknown signer")


async def test_a_stranger_s_key_under_the_known_id_is_refused(node: Device, hub: HostileHub) -> None:
    stranger = new_key()
    stranger.public_key.keyid = hub.online_key.public_key.keyid
    hub.publish(2, b"two", key=stranger)
    await refuses(node, "signed by 0/1 keys")


async def test_one_key_that_signs_twice_is_not_two(node: Device, hub: HostileHub) -> None:
    document = msgspec.json.decode(hub.files["timestamp.json"])
    document["signatures"] *= 2
    hub.files["timestamp.json"] = msgspec.json.encode(document)
    await refuses_again(node, "Multiple signatures found for keyid")


async def test_another_hub_is_refused(node: Device, hub: HostileHub, fake_clock: FakeClock) -> None:
    other = HostileHub(fake_clock)
    other.publish(2, b"two")
    hub.files = other.files
    await refuses_again(node, "an unknown signer. If this is another hub .* must join again")


async def test_a_node_that_has_not_joined_believes_nobody(started: Any) -> None:
    async with started(joined=False) as node:
        await refuses(node, "has not joined a hub yet")


# Rollback


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
async def test_an_older_repository_is_refused(node: Device, hub: HostileHub, started: Any, restart: bool) -> None:
    old: Files = dict(hub.files)
    hub.publish(2, b"two")
    await node.pull()
    hub.files = old
    if restart:
        async with started(accepted=node.accepted) as again:
            await refuses(again, r"timestamp\.json .*older than what this node knows.*rollback.*hub recover")
    else:
        await refuses_again(node, r"timestamp\.json .*older than what this node knows.*rollback.*hub recover")


async def test_an_older_snapshot_under_a_new_timestamp_is_refused(node: Device, hub: HostileHub) -> None:
    hub.publish(2, b"two")
    await node.pull()
    stamp = making.timestamp(
        hub.online_key, version=3, snapshot=hub.document("1.snapshot.json"), now_ms=hub.clock.now_ms()
    )
    hub.files["timestamp.json"] = stamp.body
    await refuses_again(node, "snapshot version must be >= 2, got version 1.*rollback")


async def test_older_targets_under_a_new_snapshot_are_refused(node: Device, hub: HostileHub) -> None:
    hub.publish(2, b"two")
    await node.pull()
    old = msgspec.json.decode(hub.files["1.snapshot.json"])["signed"]["meta"]
    hub.publish(3, b"three")
    hub.forge("3.snapshot.json", key=hub.online_key, meta=old)
    hub.point_at("3.snapshot.json")
    await refuses(node, r"targets\.json version 1, got 2.*rollback")


async def test_a_snapshot_that_forgets_the_targets_is_refused(node: Device, hub: HostileHub) -> None:
    hub.publish(2, b"two")
    hub.forge("2.snapshot.json", key=hub.online_key, meta={})
    hub.point_at("2.snapshot.json")
    await refuses(node, r"snapshot.json of the hub is not as it should be.*targets\.json")
    await follows_again(node, hub)


async def test_a_lower_generation_is_refused_even_if_it_is_signed_anew(node: Device, hub: HostileHub) -> None:
    hub.publish(5, b"five")
    await node.pull()
    hub.publish(4, b"four")
    await refuses(node, "offers generation 4, this node has accepted 5.*hub recover", Conflict)
    hub.publish(5, b"otherwise")
    assert await node.pull() == 5


async def test_an_older_root_is_refused(node: Device, hub: HostileHub, started: Any) -> None:
    hub.rotate()
    hub.publish(2, b"two")
    assert await node.pull() == 2
    hub.files["3.root.json"] = hub.files["1.root.json"]
    hub.publish(3, b"three")
    await refuses(node, r"3\.root\.json.*Expected root version 3 instead got version 1")


# Freeze


async def test_the_same_old_answers_are_taken_until_they_expire_and_then_named(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    fake_clock.advance(LIFE_S - 1)
    assert await node.pull() == 1
    fake_clock.advance(LIFE_S)
    await refuses(node, r"has expired.*timestamp\.json is expired.*freeze.*the clocks")
    await follows_again(node, hub)


async def test_who_says_that_nothing_has_changed_must_show_it_now_and_then(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    hub.says_nothing_changed = True
    hub.asked.clear()
    assert await node.pull() == 1
    assert hub.asked == []
    fake_clock.advance(LIFE_S + 1)
    await refuses(node, "freeze")
    assert hub.asked == ["2.root.json", "timestamp.json"]
    await follows_again(node, hub)


async def test_who_says_that_nothing_has_changed_while_something_is_signed_is_found_out(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    hub.publish(2, b"two")
    hub.says_nothing_changed = True
    fake_clock.advance(LIFE_S / 4)
    await refuses(node, "the hub answered 304", Unavailable)
    await follows_again(node, hub)


@pytest.mark.parametrize("name", ALL_ROLES[1:])
async def test_a_document_that_has_expired_is_refused_even_under_a_fresh_timestamp(
    node: Device, hub: HostileHub, name: str
) -> None:
    hub.publish(2, b"two")
    hub.forge(name, key=hub.online_key, expires="2020-01-01T00:00:00Z")
    hub.mend(but=name)
    await refuses(node, "has expired.*freeze")
    await follows_again(node, hub)


async def test_a_root_that_has_expired_lets_nothing_new_in_until_there_is_another(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    fake_clock.advance(making.LIFETIME_MS["root"] / 1_000 + 1)
    hub.publish(2, b"two")
    await refuses(node, r"Final root\.json is expired")
    hub.rotate()
    await follows_again(node, hub)


# Mix-and-match


@pytest.mark.parametrize("role", ["snapshot", "targets"])
async def test_documents_of_different_times_are_refused(node: Device, hub: HostileHub, role: str) -> None:
    hub.publish(2, b"two")
    hub.files[f"2.{role}.json"] = hub.files[f"1.{role}.json"]
    await refuses(node, rf"{role}\.json is not the one that the hub has signed for.*mix-and-match")
    await follows_again(node, hub)


async def test_one_document_in_the_place_of_another_is_refused(node: Device, hub: HostileHub) -> None:
    hub.files["timestamp.json"] = hub.files["1.snapshot.json"]
    await refuses_again(node, "Expected 'timestamp', got 'snapshot'")


async def test_a_state_that_changes_between_two_answers_is_no_attack(node: Device, hub: HostileHub) -> None:
    changes = iter([2, 3])

    def change(name: str) -> None:
        if name == "timestamp.json" and (generation := next(changes, None)):
            hub.publish(generation, b"new")

    hub.on_asked = change
    hub.publish(1, b"changed")
    assert await node.pull() == 3


# Endless data, slow retrieval


@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"])
async def test_a_document_without_an_end_is_cut_off(node: Device, hub: HostileHub, name: str) -> None:
    hub.publish(2, b"two")
    hub.endless.add(name)
    await refuses(node, rf"{name} of the hub is longer than the \d+ bytes that it may have \(endless data\)")
    hub.endless.clear()
    await follows_again(node, hub)


@pytest.mark.parametrize("name", ["snapshot", "targets"])
async def test_no_more_is_read_than_what_is_signed_for(node: Device, hub: HostileHub, name: str) -> None:
    hub.publish(2, b"two")
    hub.files[f"2.{name}.json"] += b" " * 100_000
    length = len(hub.files[f"2.{name}.json"]) - 100_000
    await refuses(node, rf"longer than the {length} bytes")


async def test_signed_targets_without_an_end_are_cut_off_too(node: Device, hub: HostileHub) -> None:
    hub.publish(2, b"two")
    meta = msgspec.json.decode(hub.files["2.snapshot.json"])["signed"]["meta"]
    del meta["targets.json"]["length"]
    hub.forge("2.snapshot.json", key=hub.online_key, meta=meta)
    hub.point_at("2.snapshot.json")
    hub.endless.add("2.targets.json")
    await refuses(node, f"longer than the {trust.MOST_BYTES['targets']} bytes")


@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json", "2.snapshot.json"])
async def test_a_document_that_trickles_is_given_up(started: Any, hub: HostileHub, name: str) -> None:
    async with started(fetch_timeout_s=1.5) as node:  # long enough for those that do not trickle
        await node.pull()
        hub.publish(2, b"two")
        hub.slow.add(name)
        await refuses(node, rf"{name} of the hub did not come within 1\.5 s \(slow retrieval\)", Unavailable)
        hub.slow.clear()
        assert await node.pull() == 2


async def test_a_desired_state_without_an_end_is_cut_off(
    node: Device, hub: HostileHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_aiops.fleet.node.offers.MOST_STATE_BYTES", 1_000_000)
    hub.endless.add("desired")
    await refuses(node, "larger than 1000000 bytes", Unavailable)


# Key compromise, fast-forward


async def test_a_stolen_online_key_is_worth_nothing_after_a_rotation(node: Device, hub: HostileHub) -> None:
    stolen = hub.online_key
    hub.publish(2, b"evil", key=stolen)
    assert await node.pull() == 2  # nothing can tell the thief from the hub, until the operator rotates
    hub.rotate()
    hub.publish(3, b"three")
    assert await node.pull() == 3
    hub.publish(4, b"evil", key=stolen)
    await refuses_again(node, "an unknown signer")


async def test_versions_that_a_thief_ran_up_do_not_outlive_a_rotation(node: Device, hub: HostileHub) -> None:
    highest = 2**63 - 1
    hub.offer(state(highest, [b"evil"]), version=highest)
    assert await node.pull() == highest
    hub.version = 1
    hub.publish(2, b"honest")
    await refuses_again(node, "rollback")
    hub.rotate()
    hub.version = 2
    hub.publish(3, b"honest")
    assert await node.pull() == 3
    hub.publish(2, b"older")
    await refuses(node, "offers generation 2", Conflict)


async def test_a_rotation_that_was_not_accepted_before_a_crash_still_counts_after_it(
    node: Device, hub: HostileHub, started: Any
) -> None:
    hub.offer(state(2**40, [b"evil"]))
    await node.pull()
    hub.rotate()
    hub.publish(3, b"honest")
    async with started(accepted=node.accepted) as again:
        await again.trust.refresh(again.fetch)
    async with started(accepted=node.accepted) as again:
        assert await again.pull() == 3


async def test_a_generation_does_not_go_back_after_a_rotation_that_brought_no_news(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    hub.publish(5, b"five")
    await node.pull()
    hub.rotate()
    hub.offer(hub.files["desired"])
    fake_clock.advance(LIFE_S / 4)
    assert await node.pull() == 5
    hub.publish(4, b"four")
    await refuses(node, "offers generation 4", Conflict)


# Roots


async def test_a_root_that_the_one_before_has_not_signed_is_refused(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    thief = new_key()
    forged = making.first_root(thief, thief, now_ms=hub.clock.now_ms())
    hub.files["2.root.json"] = forged.body
    hub.forge("2.root.json", key=thief, version=2)
    hub.publish(2, b"evil", key=thief)
    await refuses(node, r"2\.root\.json does not bear the signatures.*signed by 0/1 keys")
    del hub.files["2.root.json"]
    await follows_again(node, hub)


async def test_a_root_that_does_not_sign_itself_is_refused(node: Device, hub: HostileHub) -> None:
    hub.files["2.root.json"] = hub.files["1.root.json"]
    other = new_key()
    document = msgspec.json.decode(hub.files["2.root.json"])["signed"]
    key_id = other.public_key.keyid
    keys = document["keys"] | {key_id: other.public_key.to_dict()}
    roles = document["roles"] | {"root": {"keyids": [key_id], "threshold": 1}}
    hub.forge("2.root.json", key=hub.root_key, version=2, keys=keys, roles=roles)
    hub.publish(2, b"two")
    await refuses(node, r"2\.root\.json does not bear the signatures")


async def test_a_threshold_that_is_not_met_is_refused(node: Device, hub: HostileHub) -> None:
    keys = [new_key() for _ in range(3)]
    hub.rotate(new_root_keys=keys, threshold=2)
    hub.publish(2, b"two")
    assert await node.pull() == 2
    hub.rotate(root_keys=keys[:2])
    document = msgspec.json.decode(hub.files["3.root.json"])
    whole = hub.files["3.root.json"]
    hub.files["3.root.json"] = msgspec.json.encode(document | {"signatures": document["signatures"][:1]})
    hub.publish(3, b"three")
    await refuses(node, r"3\.root\.json.*signed by 1/2 keys")
    hub.files["3.root.json"] = whole
    assert await node.pull() == 3


async def test_a_gap_in_the_chain_of_roots_cannot_be_jumped(node: Device, hub: HostileHub) -> None:
    hub.rotate()
    hub.rotate()
    kept = hub.files.pop("2.root.json")
    hub.publish(2, b"two")
    await refuses(node, "an unknown signer")
    hub.files["2.root.json"] = hub.files["3.root.json"]
    await refuses(node, "Expected root version 2 instead got version 3")
    hub.files["2.root.json"] = kept
    assert await node.pull() == 2


async def test_a_node_that_missed_many_rotations_walks_through_all(node: Device, hub: HostileHub) -> None:
    for _ in range(20):
        hub.rotate()
    hub.publish(2, b"two")
    assert await node.pull() == 2
    assert node.trust.status is not None
    assert node.trust.status.root_version == 21


async def test_a_hub_restored_to_before_a_rotation_comes_back_by_rotating_once_more(
    node: Device, hub: HostileHub
) -> None:
    hub.rotate()
    hub.publish(2, b"two")
    await node.pull()
    hub.roots.pop()
    hub.rotate()
    hub.publish(3, b"three")
    await refuses(node, "an unknown signer")
    hub.rotate()
    hub.publish(3, b"three")
    assert await node.pull() == 3


# Documents that are none


MALFORMED = {
    "empty": b"",
    "no JSON": b"\xff\xfe{",
    "a list": b"[]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "deep members": b'{"signed":' * 5_000 + b"1" + b"}" * 5_000,
    "no signed": b'{"signatures": []}',
    "huge number": b'{"signed": {"version": ' + b"9" * 5_000 + b"}}",
    "no object": b'{"signatures": 1, "signed": {"_type": "timestamp"}}',
    "NaN": b'{"signatures": [], "signed": {"_type": "timestamp", "version": NaN}}',
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json"])
async def test_what_is_no_document_is_refused(node: Device, hub: HostileHub, name: str, content: bytes) -> None:
    hub.publish(2, b"two")
    kept = hub.files.get(name)
    hub.files[name] = content
    await refuses(node, f"{name} of the hub (cannot be read|is longer|is not as it should be)")
    if kept is None:
        del hub.files[name]
    await follows_again(node, hub)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0}, {"version": -1}, {"version": "7"}, {"version": None}, {"version": 1.5}, {"version": True},
        {"_type": "root"}, {"_type": "evil"}, {"_type": None}, {"_type": []},
        {"expires": "never"}, {"expires": 0}, {"expires": None}, {"expires": "9999-99-99T00:00:00Z"},
        {"spec_version": "2.0.0"}, {"spec_version": "x"}, {"meta": {}}, {"meta": None}, {"meta": []},
        {"meta": {"snapshot.json": {"version": 0}}}, {"meta": {"snapshot.json": {"version": 2, "length": -1}}},
        {"meta": {"snapshot.json": {"version": 2, "length": "x"}}},
        {"meta": {"snapshot.json": {"version": 2, "hashes": {"rot13": "aa"}}}},
        {"meta": {"snapshot.json": {"version": "../../x"}}},
    ],
    ids=str,
)  # fmt: skip
async def test_a_signed_timestamp_that_makes_no_sense_is_refused(
    node: Device, hub: HostileHub, change: dict[str, Any]
) -> None:
    hub.publish(2, b"two")
    hub.sign_raw("timestamp.json", change)
    await refuses(node, "of the hub|has signed for|does not bear")
    await follows_again(node, hub)


@pytest.mark.parametrize("said", [None, "soon", -1, 2**60, 1e300, True, [], {}], ids=str)
async def test_a_signing_time_that_is_none_is_passed_over(node: Device, hub: HostileHub, said: Any) -> None:
    hub.publish(2, b"two")
    hub.sign_raw("timestamp.json", {SIGNED_AT: said})
    if said == 1e300:  # not a number that canonical JSON knows
        await refuses(node, "timestamp.json of the hub")
    else:
        assert await node.pull() == 2


# Clocks


@pytest.mark.parametrize("years", [-50, -10, -1])
async def test_a_clock_that_is_behind_stops_nothing_and_is_shown(
    node: Device, hub: HostileHub, fake_clock: FakeClock, years: int
) -> None:
    hub.publish(2, b"two")
    fake_clock.jump(years * 365.25 * 86_400)
    assert await node.pull() == 2
    assert node.trust.status is not None
    assert node.trust.status.clock_behind_ms == pytest.approx(-years * 365.25 * 86_400_000)


async def test_a_clock_that_is_behind_does_not_make_a_replayed_state_fresh(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    fake_clock.advance(10 * LIFE_S)
    hub.publish(2, b"two")
    await node.pull()
    fake_clock.jump(-20 * LIFE_S)
    hub.forge("timestamp.json", key=hub.online_key, version=3, expires="2025-06-20T00:00:00Z")
    hub.files["desired"] += b" "
    await refuses(node, "freeze")


async def test_a_clock_that_is_ahead_lets_nothing_new_in_and_what_is_accepted_stays(
    node: Device, hub: HostileHub, fake_clock: FakeClock
) -> None:
    hub.publish(2, b"two")
    fake_clock.jump(365 * 86_400)
    await refuses(node, "has expired.*it is 2026-.*freeze.*the clocks of both")
    fake_clock.jump(-365 * 86_400)
    assert await node.pull() == 2


# The folder of what is trusted


@pytest.mark.parametrize("name", ["root.json", "timestamp.json", "snapshot.json", "targets.json", "accepted.json"])
@pytest.mark.parametrize(
    "damage", [b"", b"\0" * 4_096, b"{}", b'["\xff"]', None], ids=["empty", "zeros", "object", "no text", "gone"]
)
async def test_a_damaged_file_of_what_is_trusted_is_made_good_by_the_hub(
    node: Device, hub: HostileHub, started: Any, tmp_path: Path, name: str, damage: bytes | None
) -> None:
    hub.rotate()
    hub.publish(2, b"two")
    await node.pull()
    damage_file(tmp_path, name, damage)
    hub.publish(3, b"three")
    async with started(accepted=node.accepted) as again:
        assert await again.pull() == 3
    async with started(accepted=node.accepted) as again:
        assert await again.pull() == 3


async def test_a_refresh_that_breaks_off_anywhere_leaves_what_the_next_one_can_go_on_from(
    hub: HostileHub, started: Any
) -> None:
    generation, accepted = 1, None
    for stop_at in range(20):
        hub.rotate()
        generation += 1
        hub.publish(generation, str(generation).encode())
        hub.on_asked = partial(break_off, iter(range(stop_at, -1, -1)))
        async with started(accepted=accepted) as node:
            try:
                await node.pull()
            except Unavailable:
                assert stop_at < 10
            accepted = node.accepted
        hub.on_asked = lambda name: None
        async with started(accepted=accepted) as node:
            assert await node.pull() == generation
            accepted = node.accepted


async def test_a_node_that_joins_again_begins_with_the_new_root(
    node: Device, hub: HostileHub, started: Any, fake_clock: FakeClock
) -> None:
    other = HostileHub(fake_clock)
    other.publish(1, b"other")
    hub.files = other.files
    async with started(root=other.roots[0].body) as again:
        assert await again.pull() == 1


async def test_a_root_that_is_none_is_refused_at_the_first_refresh(started: Any) -> None:
    async with started(root=b"{}") as node:
        await refuses(node, r"root\.json of the hub cannot be read")


async def test_trusting_never_blocks_the_event_loop(node: Device, hub: HostileHub, no_blocking: None) -> None:
    hub.rotate()
    await asyncio.to_thread(hub.publish, 2, *(str(number).encode() for number in range(500)))
    assert await node.pull() == 2


def files_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def damage_file(folder: Path, name: str, damage: bytes | None) -> None:
    (file,) = folder.rglob(name)
    file.unlink()
    if damage is not None:
        file.write_bytes(damage)


def break_off(steps: Iterator[int], _name: str) -> None:
    if next(steps, 1) == 0:
        raise ConnectionResetError
