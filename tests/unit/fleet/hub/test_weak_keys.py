"""Nobody can act under a key for which signatures fit that nobody made."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_aiops.base.errors import Unauthenticated
from edge_aiops.fleet.hub.sessions import verify

IDENTITY = (1).to_bytes(32, "little")
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
WEAK = [bytes(32), IDENTITY, ORDER_8, bytes((*ORDER_8[:-1], ORDER_8[-1] | 0x80))]


def fits(key: bytes, signature: bytes, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("key", WEAK, ids=[key.hex()[:8] + key.hex()[-2:] for key in WEAK])
def test_a_key_of_small_order_signs_nothing(key: bytes) -> None:
    forged = IDENTITY + bytes(32)
    contents = [b"%d" % number for number in range(100)]
    assert any(fits(key, forged, content) for content in contents)
    for content in contents:
        with pytest.raises(Unauthenticated):
            verify(key, forged, content)
