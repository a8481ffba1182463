"""How much of a prediction's payload is kept in the journal: all, a sample, hashed fields, or nothing.

The event itself is always recorded; only its features and its prediction are subject to the policy.
"""

from __future__ import annotations

import hashlib
import random
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

_HASH_BYTES = 16


class CapturePolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """A model's policy: `{"mode": "sampled", "rate": 0.1}` or `{"mode": "hashed", "fields": ["email"]}`."""

    mode: Literal["full", "sampled", "hashed", "none"] = "full"
    """`full`: as sent. `sampled`: a share `rate` of the events. `hashed`: as sent, but the values of the features
    named in `fields` (all, if none are named) replaced by a keyed hash. `none`: never."""

    rate: Annotated[float, Meta(ge=0, le=1)] = 1.0
    fields: tuple[str, ...] = ()


class Capture:
    """Applies policies. `key`: the node's secret, so that hashes cannot be matched with those of another node.
    `max_bytes`: what is longer as JSON is left out, whatever the policy (the setting journal.max_payload_bytes)."""

    def __init__(self, key: bytes, *, max_bytes: int = 1024 * 1024, seed: int | None = None) -> None:
        self._key = key
        self.max_bytes = max_bytes
        self._random = random.Random(seed)

    def wanted(self, policy: CapturePolicy) -> bool:
        """Whether this event's payload is kept at all."""
        if policy.mode == "sampled":
            return self._random.random() < policy.rate
        return policy.mode != "none"

    def features(self, policy: CapturePolicy, features: bytes) -> str | None:
        """JSON of the features as the journal keeps it: `features` itself unless fields are hashed; None if too long.

        Features without names, and text, are hashed whole.
        """
        kept = self.text(features)
        return kept if kept is None or policy.mode != "hashed" else self._hashed_features(policy, features).decode()

    def text(self, payload: bytes) -> str | None:
        """JSON as the journal keeps it; None if it is too long."""
        return payload.decode() if len(payload) <= self.max_bytes else None

    def _hashed_features(self, policy: CapturePolicy, features: bytes) -> bytes:
        value = msgspec.json.decode(features)
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            return msgspec.json.encode([self._row(policy, row) for row in value])
        return msgspec.json.encode(self._row(policy, value) if isinstance(value, dict) else self._hashed(value))

    def _row(self, policy: CapturePolicy, row: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self._hashed(content) if not policy.fields or name in policy.fields else content
            for name, content in row.items()
        }

    def _hashed(self, value: Any) -> str:
        digest = hashlib.blake2b(msgspec.json.encode(value), key=self._key, digest_size=_HASH_BYTES)
        return f"blake2b:{digest.hexdigest()}"
