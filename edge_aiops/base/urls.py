"""Addresses: what may be shown of them, and what must be in them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from edge_aiops.base.errors import InvalidInput

_PASSWORD = re.compile(r"(://[^:/?#@]*:).*@|([?&]password=)[^&#]*")


def without_password(url: str) -> str:
    """`url` with three stars for its password, if it has one, whatever signs that has."""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", url)


def server_url(url: str, *, field: str) -> str:
    """`url` without a slash at its end. Raises `InvalidInput` with `field` where no server can be at it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInput.of(
            field, f"{url!r} is not the address of a server; write it like http://hub.example:9926, or with https://"
        )
    return url.rstrip("/")
