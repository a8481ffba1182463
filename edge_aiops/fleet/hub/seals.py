"""Short-lived statements of a hub to itself: whoever carries one can neither read a secret from it nor change it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from typing import NamedTuple

from edge_aiops.base.errors import Unauthenticated

_LAYOUT = struct.Struct(">16sqq16s")
_MAC_BYTES = 32


class Statement(NamedTuple):
    """That a node may do something, until a moment."""

    node_id: str
    session: int
    """The number of a session."""
    expires_ms: int
    nonce: bytes = bytes(16)


class Seal:
    """Makes and checks statements for one purpose, by HMAC-SHA256; any replica that has the secret can."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._key = hmac.digest(secret, purpose.encode(), hashlib.sha256)
        self._prefix = f"{purpose}."

    def of(self, statement: Statement) -> str:
        """The statement as text."""
        said = _LAYOUT.pack(bytes.fromhex(statement.node_id), statement.session, statement.expires_ms, statement.nonce)
        return self._prefix + base64.urlsafe_b64encode(said + self._mac(said)).decode().rstrip("=")

    def read(self, text: str, *, now_ms: int) -> Statement:
        """What a text says. Raises `Unauthenticated` unless it is ours, for this purpose, whole, and not over."""
        return not_over(self.verified(text), now_ms=now_ms)

    def verified(self, text: str) -> Statement:
        """What a text says, which may be over. Raises `Unauthenticated` unless it is ours, for this purpose, whole."""
        prefix, encoded = text[: len(self._prefix)], text[len(self._prefix) :]
        try:
            content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            content = b""
        said, mac = content[:-_MAC_BYTES], content[-_MAC_BYTES:]
        if prefix != self._prefix or len(said) != _LAYOUT.size or not hmac.compare_digest(mac, self._mac(said)):
            raise Unauthenticated("this is nothing that this hub has said; show again who you are")
        node, session, expires_ms, nonce = _LAYOUT.unpack(said)
        return Statement(node.hex(), session, expires_ms, nonce)

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, hashlib.sha256)


def not_over(statement: Statement, *, now_ms: int) -> Statement:
    """The statement. Raises `Unauthenticated` where its moment has passed."""
    if now_ms >= statement.expires_ms:
        raise Unauthenticated("this is over; show again who you are")
    return statement
