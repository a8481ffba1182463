"""Addresses that people may be shown."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(://[^:/?#@]*:).*@|([?&]password=)[^&#]*")


def without_password(url: str) -> str:
    """`url` with three stars for its password, if it has one, whatever signs that has."""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", url)
