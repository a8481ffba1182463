"""Who becomes a node, who may act as one, and when that ends; on each kind of database."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_aiops.base.errors import (
    Conflict,
    EdgeAiopsError,
    InvalidInput,
    NodeQuarantined,
    NodeRevoked,
    NotFound,
    Unauthenticated,
    UnknownNode,
)
from edge_aiops.fleet.hub.boots import Pushing
from edge_aiops.fleet.hub.enrolment import Enrolment
from edge_aiops.fleet.hub.nodes import NodeChange
from edge_aiops.fleet.hub.sessions import CHALLENGE_S, FRESH_S, SESSION_S, Caller, Sessions
from edge_aiops.fleet.hub.tokens import TokenRequest
from edge_aiops.fleet.messages.identity import (
    JoinRequest,
    RotateRequest,
    SessionRequest,
    join_proof,
    rotate_proof,
    session_proof,
)
from edge_aiops.store.shared.database import Database
from edge_aiops.testing.clock import FakeClock
from tests.hub_stores import Stores

ROOT = b'{"signed": "the root of this hub"}'
NODE, OTHER = "a" * 32, "b" * 32


async def root() -> bytes:
    return ROOT


class Device:
    """A key that does with hubs what nodes do."""

    def __init__(self, node_id: str = NODE) -> None:
        self.node_id = node_id
        self.key = Ed25519PrivateKey.generate()

    def join_request(self, token: str, *, signer: Ed25519PrivateKey | None = None) -> JoinRequest:
        public = self.key.public_key().public_bytes_raw()
        proof = (signer or self.key).sign(join_proof(self.node_id, public, token))
        return JoinRequest(token=token, node_id=self.node_id, public_key=public, proof=proof, name="device")

    async def join(self, hub: Enrolment, token: str | None = None) -> str:
        """The group."""
        token = token or (await hub.create_token(TokenRequest())).token
        return (await hub.join(self.join_request(token))).group

    async def session(self, hub: Enrolment) -> str:
        """The bearer of a new session."""
        challenge = (await hub.sessions.challenge(self.node_id)).challenge
        return (await hub.sessions.begin(self.session_request(challenge))).token

    def session_request(self, challenge: str) -> SessionRequest:
        signature = self.key.sign(session_proof(challenge))
        return SessionRequest(node_id=self.node_id, challenge=challenge, signature=signature)

    def rotate_request(self, new: Ed25519PrivateKey, *, old: Ed25519PrivateKey | None = None) -> RotateRequest:
        public = new.public_key().public_bytes_raw()
        signed = rotate_proof(self.node_id, public)
        signature = (old or self.key).sign(signed)
        return RotateRequest(public_key=public, proof=new.sign(signed), signature=signature)


class Hub:
    """Replicas on one database."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock

    async def replica(self) -> Enrolment:
        return Enrolment(
            self.database, await Sessions.open(self.database, clock=self.clock), root=root, clock=self.clock
        )


@asynccontextmanager
async def opened(stores: Stores) -> AsyncIterator[Hub]:
    async with Database.open(stores.database) as database:
        yield Hub(database, FakeClock())


@pytest.fixture
async def hub(stores: Stores) -> AsyncIterator[Hub]:
    async with opened(stores) as one:
        yield one


@pytest.fixture
async def enrolment(hub: Hub) -> Enrolment:
    return await hub.replica()


async def refusals(*calls: Any) -> list[type[EdgeAiopsError] | None]:
    """Why each call was refused; None where it was not."""
    done = await asyncio.gather(*calls, return_exceptions=True)
    for answer in done:
        if isinstance(answer, BaseException) and not isinstance(answer, EdgeAiopsError):
            raise answer
    return [type(answer) if isinstance(answer, EdgeAiopsError) else None for answer in done]


async def test_a_device_with_a_token_becomes_a_node_in_the_group_of_the_token(enrolment: Enrolment) -> None:
    made = await enrolment.create_token(TokenRequest(group="presses", labels={"site": "oslo"}))
    prefix, _, pin = made.token.split(".")
    assert (prefix, pin) == ("eaj1", hashlib.sha256(ROOT).hexdigest()[:32])
    joined = await enrolment.join(Device().join_request(made.token))
    assert (joined.node_id, joined.group, joined.root.encode()) == (NODE, "presses", ROOT)
    node, history = await enrolment.node(NODE)
    assert (node.name, node.group, node.labels, node.status) == ("device", "presses", {"site": "oslo"}, "active")
    assert [event.what for event in history] == ["joined"]
    assert [(token.id, token.uses_left) for token in await enrolment.tokens()] == [(made.details.id, 0)]


async def test_the_text_of_a_token_is_kept_nowhere(enrolment: Enrolment, stores: Stores) -> None:
    made = await enrolment.create_token(TokenRequest())
    (kept,) = await enrolment.tokens()
    assert kept == made.details
    if stores.kind == "sqlite":
        files = list(stores.database.parent.glob("hub.db*"))  # type: ignore[union-attr]  # it is a path
        assert all(made.token.split(".")[1].encode() not in file.read_bytes() for file in files)


async def test_of_many_that_race_for_a_token_exactly_as_many_win_as_it_has_uses(hub: Hub) -> None:
    first, second = await hub.replica(), await hub.replica()
    token = (await first.create_token(TokenRequest(uses=2))).token
    devices = [Device(f"{number:032x}") for number in range(8)]
    said = await refusals(*(device.join([first, second][i % 2], token) for i, device in enumerate(devices)))
    assert sorted(map(str, said)) == sorted(map(str, [None] * 2 + [Unauthenticated] * 6))
    assert len(await first.nodes()) == 2


async def test_a_join_whose_answer_was_lost_is_answered_again_and_uses_the_token_once(enrolment: Enrolment) -> None:
    token, device = (await enrolment.create_token(TokenRequest(uses=2))).token, Device()
    first = await device.join(enrolment, token)
    assert [await device.join(enrolment, token) for _ in range(3)] == [first] * 3
    assert [known.uses_left for known in await enrolment.tokens()] == [1]


async def test_many_repeats_of_a_join_at_once_are_one(hub: Hub) -> None:
    replicas = [await hub.replica(), await hub.replica()]
    token, device = (await replicas[0].create_token(TokenRequest(uses=5))).token, Device()
    assert await refusals(*(device.join(replicas[i % 2], token) for i in range(6))) == [None] * 6
    assert [known.uses_left for known in await replicas[0].tokens()] == [4]


async def test_a_token_that_is_no_good_is_refused(hub: Hub, enrolment: Enrolment) -> None:
    late = (await enrolment.create_token(TokenRequest(ttl="1m"))).token
    withdrawn = await enrolment.create_token(TokenRequest())
    await enrolment.delete_token(withdrawn.details.id)
    others = await enrolment.token_for(OTHER)
    good = (await enrolment.create_token(TokenRequest())).token
    hub.clock.advance(60)
    for token in (late, withdrawn.token, others, good[:-1], good + "0", "eaj1..", "", "x" * 256):
        with pytest.raises(Unauthenticated):
            await Device().join(enrolment, token or " ")
    with pytest.raises(NotFound):
        await enrolment.delete_token(withdrawn.details.id)
    assert await enrolment.nodes() == []
    assert await Device().join(enrolment, good) == "default"


async def test_only_the_owner_of_a_key_can_join_with_it(enrolment: Enrolment) -> None:
    token = (await enrolment.create_token(TokenRequest())).token
    with pytest.raises(Unauthenticated):
        await enrolment.join(Device().join_request(token, signer=Ed25519PrivateKey.generate()))
    assert [known.uses_left for known in await enrolment.tokens()] == [1]


async def test_a_node_is_not_taken_over_by_somebody_with_a_token(enrolment: Enrolment) -> None:
    await Device().join(enrolment)
    token = (await enrolment.create_token(TokenRequest())).token
    with pytest.raises(Conflict, match="--node"):
        await Device().join(enrolment, token)
    assert sorted(known.uses_left for known in await enrolment.tokens()) == [0, 1]


async def test_a_device_that_lost_its_key_comes_back_with_a_token_for_it_alone(enrolment: Enrolment) -> None:
    lost, again = Device(), Device()
    await lost.join(enrolment)
    bearer = await lost.session(enrolment)
    await enrolment.change(NODE, NodeChange(group="presses", labels={"site": "oslo"}))
    assert await again.join(enrolment, await enrolment.token_for(NODE)) == "presses"
    assert (await enrolment.node(NODE))[0].labels == {"site": "oslo"}
    assert await refusals(again.session(enrolment), lost.session(enrolment), enrolment.sessions.check(bearer)) == [
        None,
        Unauthenticated,
        Unauthenticated,
    ]


async def test_a_session_shows_who_calls_on_every_replica(hub: Hub) -> None:
    first, second = await hub.replica(), await hub.replica()
    device = Device()
    await device.join(first)
    caller = await second.sessions.check(await device.session(first))
    assert caller.node_id == NODE
    later = await second.sessions.check(await device.session(second))
    assert later.session > caller.session


async def test_a_session_ends_after_its_time_and_no_earlier(hub: Hub, enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    bearer = await device.session(enrolment)
    hub.clock.advance(SESSION_S - 1)
    await enrolment.sessions.check(bearer)
    hub.clock.advance(1)
    with pytest.raises(Unauthenticated):
        await enrolment.sessions.check(bearer)


async def test_a_challenge_is_good_once_for_its_node_and_for_a_minute(hub: Hub, enrolment: Enrolment) -> None:
    device, other = Device(), Device(OTHER)
    await device.join(enrolment)
    await other.join(enrolment)
    begin = enrolment.sessions.begin
    challenge = (await enrolment.sessions.challenge(NODE)).challenge
    with pytest.raises(Unauthenticated):
        await begin(other.session_request(challenge))
    replayed = device.session_request(challenge)
    assert await refusals(begin(replayed), begin(replayed)) in ([None, Unauthenticated], [Unauthenticated, None])
    with pytest.raises(Unauthenticated):
        await begin(replayed)
    late = device.session_request((await enrolment.sessions.challenge(NODE)).challenge)
    hub.clock.advance(CHALLENGE_S)
    with pytest.raises(Unauthenticated):
        await begin(late)


async def test_a_signature_for_one_purpose_is_none_for_another(enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    caller = await enrolment.sessions.check(await device.session(enrolment))
    challenge = (await enrolment.sessions.challenge(NODE)).challenge
    public = device.key.public_key().public_bytes_raw()
    for content in (challenge.encode(), join_proof(NODE, public, challenge), rotate_proof(NODE, public)):
        request = SessionRequest(node_id=NODE, challenge=challenge, signature=device.key.sign(content))
        with pytest.raises(Unauthenticated):
            await enrolment.sessions.begin(request)
    new = Ed25519PrivateKey.generate()
    signed = session_proof(rotate_proof(NODE, new.public_key().public_bytes_raw()).decode("latin-1"))
    request = RotateRequest(
        public_key=new.public_key().public_bytes_raw(), proof=new.sign(signed), signature=device.key.sign(signed)
    )
    with pytest.raises(Unauthenticated):
        await enrolment.rotate(caller, request)


def flipped(text: str, place: int) -> str:
    prefix, _, encoded = text.partition(".")
    content = bytearray(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    content[place] ^= 1
    return f"{prefix}.{base64.urlsafe_b64encode(bytes(content)).decode().rstrip('=')}"


async def test_a_bearer_that_this_hub_has_not_made_is_refused(enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    bearer = await device.session(enrolment)
    challenge = (await enrolment.sessions.challenge(NODE)).challenge
    length = len(base64.urlsafe_b64decode(bearer.partition(".")[2] + "=="))
    forged = [flipped(bearer, place) for place in range(length)]
    elsewhere = Sessions(enrolment._database, bytes(32), clock=FakeClock())  # another hub's secret
    assert len(forged) == 80
    for text in (*forged, bearer[:-4], bearer + "AAAA", challenge, challenge.replace("eac1", "eas1"), "", ".", "eas1."):
        with pytest.raises(Unauthenticated):
            await enrolment.sessions.check(text)
    with pytest.raises(Unauthenticated):
        await elsewhere.check(bearer)
    assert (await enrolment.sessions.check(bearer)).node_id == NODE


async def test_an_unknown_node_is_told_that_it_is_unknown(enrolment: Enrolment) -> None:
    with pytest.raises(UnknownNode, match="join"):
        await enrolment.sessions.challenge(NODE)
    for call in (
        enrolment.node(NODE),
        enrolment.release(NODE),
        enrolment.forget(NODE),
        enrolment.revoke(NODE, reason=""),
    ):
        with pytest.raises(NotFound):
            await call


async def test_a_revoked_node_is_out_at_once_here_and_within_half_a_second_elsewhere(hub: Hub) -> None:
    here, elsewhere = await hub.replica(), await hub.replica()
    device, bystander = Device(), Device(OTHER)
    await device.join(here)
    await bystander.join(here)
    bearer, others = await device.session(here), await bystander.session(here)
    await elsewhere.sessions.check(bearer)
    await here.revoke(NODE, reason="stolen")
    with pytest.raises(NodeRevoked):
        await here.sessions.check(bearer)
    hub.clock.advance(FRESH_S)
    with pytest.raises(NodeRevoked):
        await elsewhere.sessions.check(bearer)
    assert FRESH_S < 1
    assert await refusals(device.session(elsewhere), device.join(elsewhere), elsewhere.sessions.check(others)) == [
        NodeRevoked,
        NodeRevoked,
        None,
    ]
    with pytest.raises(NodeRevoked, match="stolen"):
        await device.session(here)


async def test_a_released_node_opens_a_new_session_and_the_old_one_stays_over(hub: Hub, enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    bearer = await device.session(enrolment)
    for change in (enrolment.revoke(NODE, reason=""), enrolment.release(NODE)):
        hub.clock.advance(1)
        await change
    with pytest.raises(Unauthenticated):
        await enrolment.sessions.check(bearer)
    await enrolment.sessions.check(await device.session(enrolment))
    assert [event.what for event in (await enrolment.node(NODE))[1]] == ["released", "revoked", "joined"]


async def test_a_forgotten_node_is_out_and_may_join_again_with_another_key(hub: Hub, enrolment: Enrolment) -> None:
    device, again = Device(), Device()
    await device.join(enrolment)
    bearer = await device.session(enrolment)
    assert (await enrolment.forget(NODE)).node_id == NODE
    assert await refusals(enrolment.sessions.check(bearer), device.session(enrolment)) == [Unauthenticated, UnknownNode]
    hub.clock.advance(1)
    await again.join(enrolment)
    await enrolment.sessions.check(await again.session(enrolment))
    with pytest.raises(Unauthenticated):
        await enrolment.sessions.check(bearer)


async def test_a_key_is_exchanged_only_if_both_keys_sign_and_its_sessions_end(hub: Hub) -> None:
    here, elsewhere = await hub.replica(), await hub.replica()
    device, new = Device(), Ed25519PrivateKey.generate()
    await device.join(here)
    bearer = await device.session(here)
    caller = await elsewhere.sessions.check(bearer)
    good, stranger = device.rotate_request(new), Ed25519PrivateKey.generate()
    for wrong in (
        device.rotate_request(new, old=stranger),
        RotateRequest(public_key=good.public_key, proof=good.signature, signature=good.signature),
        RotateRequest(public_key=stranger.public_key().public_bytes_raw(), proof=good.proof, signature=good.signature),
    ):
        with pytest.raises(Unauthenticated):
            await here.rotate(caller, wrong)
    await here.rotate(caller, good)
    await here.rotate(caller, good)
    hub.clock.advance(FRESH_S)
    for replica in (here, elsewhere):
        with pytest.raises(Unauthenticated):
            await replica.sessions.check(bearer)
    with pytest.raises(Unauthenticated):
        await device.session(here)
    device.key = new
    await elsewhere.sessions.check(await device.session(here))


async def admitted(hub: Enrolment, boot: int, session: int, node_id: str = NODE) -> type[EdgeAiopsError] | str:
    pushing = [Pushing(node_id, boot, session)]
    (verdict,) = await hub._database.change_by(lambda: hub.admit(pushing))  # as ingest does
    if verdict is None:
        (verdict,) = await hub.note(pushing)
    return verdict if isinstance(verdict, str) else type(verdict)


async def caller_of(device: Device, hub: Enrolment) -> Caller:
    return await hub.sessions.check(await device.session(hub))


async def test_a_node_that_starts_again_and_again_is_no_clone(enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    for boot in range(1, 30):
        session = (await caller_of(device, enrolment)).session
        assert [await admitted(enrolment, boot, session) for _ in range(2)] == ["default"] * 2


async def test_a_late_push_of_a_process_that_is_dead_is_refused_and_harms_nobody(enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    dead, alive = [(await caller_of(device, enrolment)).session for _ in range(2)]
    assert await admitted(enrolment, 1, dead) == "default"
    assert await admitted(enrolment, 2, alive) == "default"
    assert await admitted(enrolment, 1, dead) is Unauthenticated
    assert await admitted(enrolment, 3, dead) is Unauthenticated
    assert await admitted(enrolment, 2, alive) == "default"
    assert (await enrolment.node(NODE))[0].status == "active"


async def test_clones_that_take_turns_are_put_in_quarantine_with_the_first_push_that_proves_it(hub: Hub) -> None:
    here, elsewhere = await hub.replica(), await hub.replica()
    device = Device()
    await device.join(here)
    one, two = [(await caller_of(device, here)).session for _ in range(2)]
    assert [await admitted(here, 1, one), await admitted(elsewhere, 2, two)] == ["default", "default"]
    assert await admitted(here, 1, one) is Unauthenticated
    bearer = await device.session(here)
    hub.clock.advance(1)
    assert await admitted(here, 1, (await here.sessions.check(bearer)).session) is NodeQuarantined
    assert await admitted(elsewhere, 2, two) is NodeQuarantined
    hub.clock.advance(FRESH_S)
    for replica in (here, elsewhere):
        assert await refusals(replica.sessions.check(bearer), device.session(replica)) == [NodeQuarantined] * 2
    node, history = await here.node(NODE)
    assert (node.status, history[0].what) == ("quarantined", "quarantined")
    await here.change(NODE, NodeChange(labels={"a": "b"}))
    assert (await here.node(NODE))[0].status == "quarantined"
    await here.release(NODE)
    session = (await caller_of(device, elsewhere)).session
    assert [await admitted(elsewhere, 2, session) for _ in range(2)] == ["default"] * 2


async def test_pushes_of_nodes_that_are_out_are_refused_in_the_transaction_itself(enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    session = (await caller_of(device, enrolment)).session
    assert await admitted(enrolment, 1, session, node_id=OTHER) is Unauthenticated
    await enrolment.revoke(NODE, reason="")
    assert await admitted(enrolment, 1, session) is NodeRevoked


async def test_nodes_are_found_by_group_label_and_status_page_by_page(enrolment: Enrolment) -> None:
    for number in range(6):
        device = Device(f"{number:032x}")
        labels = {"site": "oslo" if number % 2 else "bergen", "line": str(number)}
        wanted = TokenRequest(group="odd" if number % 2 else "even", labels=labels)
        await device.join(enrolment, (await enrolment.create_token(wanted)).token)
    await enrolment.revoke(f"{5:032x}", reason="")

    async def found(**wanted: Any) -> list[int]:
        return [int(node.node_id, 16) for node in await enrolment.nodes(**wanted)]

    assert await found() == [0, 1, 2, 3, 4, 5]
    assert await found(group="odd") == [1, 3, 5]
    assert await found(group="odd", status="active") == [1, 3]
    assert await found(labels={"site": "bergen"}) == [0, 2, 4]
    assert await found(labels={"site": "bergen", "line": "2"}) == [2]
    assert await found(labels={"site": "2", "line": "bergen"}) == []
    assert await found(after=f"{1:032x}", limit=2) == [2, 3]
    assert await found(status="quarantined") == []


async def test_labels_name_and_group_change_by_themselves(enrolment: Enrolment) -> None:
    await Device().join(enrolment)
    await enrolment.change(NODE, NodeChange(labels={"a": "1", "b": "2"}))
    node = await enrolment.change(NODE, NodeChange(name="press 4", labels={"a": None, "c": "3"}))
    assert (node.name, node.group, node.labels) == ("press 4", "default", {"b": "2", "c": "3"})
    assert (await enrolment.change(NODE, NodeChange(name=""))).name == ""
    with pytest.raises(InvalidInput, match="64"):
        await enrolment.change(NODE, NodeChange(labels={f"l{number}": "" for number in range(65)}))
    with pytest.raises(NotFound):
        await enrolment.change(OTHER, NodeChange(labels={"a": "1"}))


@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
@pytest.mark.parametrize("ttl", ["0s", "-1h", "400d", "soon", ""])
async def test_a_token_lives_for_a_time_that_makes_sense(enrolment: Enrolment, ttl: str) -> None:
    with pytest.raises(InvalidInput, match="ttl"):
        await enrolment.create_token(TokenRequest(ttl=ttl))


@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
async def test_sessions_of_the_past_stay_over_when_the_clock_of_the_hub_jumps(hub: Hub, enrolment: Enrolment) -> None:
    device = Device()
    await device.join(enrolment)
    bearer = await device.session(enrolment)
    numbers = [(await enrolment.sessions.check(bearer)).session]
    await enrolment.revoke(NODE, reason="")
    hub.clock.jump(-20 * 365 * 86_400)
    with pytest.raises(NodeRevoked):
        await enrolment.sessions.check(bearer)
    await enrolment.release(NODE)
    numbers.append((await enrolment.sessions.check(await device.session(enrolment))).session)
    assert numbers == sorted(set(numbers))


async def test_operators_who_change_a_node_at_once_do_not_undo_each_other(enrolment: Enrolment) -> None:
    await Device().join(enrolment)
    wanted = {f"label{number}": str(number) for number in range(8)}
    changes = [enrolment.change(NODE, NodeChange(labels={name: value})) for name, value in wanted.items()]
    assert await refusals(*changes) == [None] * len(wanted)
    assert (await enrolment.node(NODE))[0].labels == wanted
    shut_out = [enrolment.revoke(NODE, reason="stolen") for _ in range(4)]
    assert await refusals(*shut_out) == [None] * 4
    forgotten = [enrolment.forget(NODE) for _ in range(4)]
    assert sorted(map(str, await refusals(*forgotten))) == sorted(map(str, [None, *[NotFound] * 3]))


async def test_a_device_that_joins_twice_at_once_is_one_node(enrolment: Enrolment) -> None:
    device = Device()
    both = [device.join(enrolment, (await enrolment.create_token(TokenRequest())).token) for _ in range(4)]
    assert await refusals(*both) == [None] * 4
