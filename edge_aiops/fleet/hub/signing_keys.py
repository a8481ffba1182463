"""Ed25519 keys as files and as PEM; the root key's file is made once, and belongs on another medium."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from edge_aiops.base.disk import flush
from edge_aiops.base.errors import InvalidInput

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

_LARGEST_KEY_BYTES = 16 * 1024


def new_key() -> CryptoSigner:
    """A new Ed25519 key."""
    from securesystemslib.signer import CryptoSigner

    return CryptoSigner.generate_ed25519()


def from_pem(pem: bytes, *, told: str) -> CryptoSigner:
    """The private key in `pem`. Raises `InvalidInput` that blames `told` for what is no Ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{told} holds no private key in PEM without a password: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InvalidInput(f"{told} holds a key of another kind; it must be Ed25519")
    return CryptoSigner(private)


def read_key(file: Path) -> CryptoSigner:
    """The private key in `file`. Raises `InvalidInput` for a file that cannot be read or holds none."""
    try:
        with file.open("rb") as opened:
            pem = opened.read(_LARGEST_KEY_BYTES)
    except OSError as error:
        raise InvalidInput(f"the key file {file} cannot be read: {error.strerror}") from error
    return from_pem(pem, told=str(file))


def write_key(file: Path, key: CryptoSigner) -> None:
    """Write a new file that only its owner can read, on disk when this returns. Raises `InvalidInput` if it is there.

    The file is there whole or not at all.
    """
    descriptor, partial = mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(key.private_bytes)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(partial, file)  # unlike a renaming, this never replaces a key that is there
    except FileExistsError as error:
        raise InvalidInput(f"{file} is there already; a key is never overwritten") from error
    finally:
        Path(partial).unlink()
    flush(file.parent)
