"""A node's key: made on the device, in a file that only its owner may read, and never sent anywhere.

While a key is being exchanged for another there are two files: the hub knows the one or the other, and after a crash
the node finds out which.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge_aiops.base.disk import flush
from edge_aiops.base.errors import StoreError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = "node.key"
NEXT_FILE = "node.key.next"


class NodeKey:
    """An Ed25519 key (RFC 8032)."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """The signature of `content`."""
        return self._key.sign(content)


class NodeKeys:
    """The key of the node in `folder`, and the one that shall take its place, if any. Blocks; for threads."""

    def __init__(self, folder: Path) -> None:
        self._current, self._next = folder / KEY_FILE, folder / NEXT_FILE

    def current(self) -> NodeKey:
        """The node's key, made at the first call. Raises `StoreError` for a damaged file."""
        return _read(self._current) or _made(self._current)

    def next(self) -> NodeKey | None:
        """The key that shall take the place of the current one, where somebody has begun with that."""
        return _read(self._next)

    def begin_next(self) -> NodeKey:
        """The key that shall take the place of the current one, made if there is none yet."""
        return _read(self._next) or _made(self._next)

    def adopt_next(self) -> None:
        """Have the next key, if there is one, as the current one from now on; the old one is gone."""
        with suppress(FileNotFoundError):
            self._next.replace(self._current)
        flush(self._current.parent)


def _read(file: Path) -> NodeKey | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreError(f"{file} is no key: {error}; delete it, and join the hub again with a new token") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreError(f"{file} is no Ed25519 key; delete it, and join the hub again with a new token")
    return NodeKey(key)


def _made(file: Path) -> NodeKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    # For its owner alone from the first moment on.
    partial.touch(mode=0o600, exist_ok=False)
    with partial.open("wb") as opened:
        opened.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(file)
    flush(file.parent)
    return NodeKey(key)
