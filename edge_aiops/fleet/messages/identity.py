"""How a node becomes known to a hub, and how it proves who it is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

NodeId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
Labels = dict[Annotated[str, Meta(max_length=63)], Annotated[str, Meta(max_length=128)]]
PublicKey = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""Of Ed25519 (RFC 8032), base64 in JSON."""
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]

JOIN_CONTEXT = b"edge-aiops join 1\0"
SESSION_CONTEXT = b"edge-aiops session 1\0"
ROTATE_CONTEXT = b"edge-aiops rotate 1\0"
"""What stands before the bytes that are signed, so that no signature fits two purposes."""


class JoinRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of POST /fleet/join."""

    token: Annotated[str, Meta(max_length=256)]
    node_id: NodeId
    public_key: PublicKey
    proof: Signature
    """Of `JOIN_CONTEXT`, the node id, the public key and the token, by the private key."""
    name: Annotated[str, Meta(max_length=128)] = ""
    """For people, such as the host's name."""
    labels: Labels = {}


class Joined(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a join."""

    node_id: str
    group: str
    root: str
    """The hub's trusted root metadata (TUF), JSON text; its SHA-256 begins with the token's pin."""


class ChallengeRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of POST /fleet/challenge."""

    node_id: NodeId


class Challenge(Struct, frozen=True, kw_only=True, rename="camel"):
    """What to sign; good for a minute."""

    challenge: Annotated[str, Meta(max_length=512)]


class SessionRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of POST /fleet/session."""

    node_id: NodeId
    challenge: Annotated[str, Meta(max_length=512)]
    signature: Signature
    """Of `SESSION_CONTEXT` and the challenge's text."""


class Session(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session: send `Authorization: Bearer <token>`."""

    token: str
    expires_in_s: int


class RotateRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of POST /fleet/rotate, within a session of the old key."""

    public_key: PublicKey
    """The new one."""
    proof: Signature
    """Of `ROTATE_CONTEXT`, the node id and the new public key, by the new key."""
    signature: Signature
    """Of the same bytes, by the old key."""
