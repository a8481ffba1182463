"""How a node becomes known to a hub, and how it proves who it is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

NodeId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
GroupName = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$(?!\n)")]
NodeName = Annotated[str, Meta(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
LabelName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9._/-]{0,61}[a-zA-Z0-9])?$(?!\n)")]
LabelValue = Annotated[str, Meta(max_length=128, pattern=r"^[^\x00-\x1f\x7f,]*$(?!\n)")]
Labels = Annotated[dict[LabelName, LabelValue], Meta(max_length=64)]
PublicKey = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""Of Ed25519 (RFC 8032), base64 in JSON."""
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]

PIN_DIGITS = 32
"""A token ends with so many hexadecimal digits of the SHA-256 of the hub's root metadata: 128 bits."""

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
    """Of `join_proof`, by the private key."""
    name: NodeName = ""
    """For people, such as the host's name."""


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
    """What to sign; good for a minute, and once."""

    challenge: Annotated[str, Meta(max_length=512)]


class SessionRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of POST /fleet/session."""

    node_id: NodeId
    challenge: Annotated[str, Meta(max_length=512)]
    signature: Signature
    """Of `session_proof`."""


class Session(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session: send `Authorization: Bearer <token>`."""

    token: str
    expires_in_s: int


class RotateRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of POST /fleet/rotate, within a session of the old key."""

    public_key: PublicKey
    """The new one."""
    proof: Signature
    """Of `rotate_proof`, by the new key."""
    signature: Signature
    """Of the same bytes, by the old key."""


class Rotated(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a rotation: from now on only the new key opens sessions, and those of the old one are over."""

    node_id: str


def join_proof(node_id: str, public_key: bytes, token: str) -> bytes:
    """What a joining node signs."""
    return JOIN_CONTEXT + node_id.encode() + public_key + token.encode()


def session_proof(challenge: str) -> bytes:
    """What a node signs to open a session."""
    return SESSION_CONTEXT + challenge.encode()


def rotate_proof(node_id: str, public_key: bytes) -> bytes:
    """What both keys of a node sign when the second takes the first one's place."""
    return ROTATE_CONTEXT + node_id.encode() + public_key
