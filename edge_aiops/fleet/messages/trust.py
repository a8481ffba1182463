"""What a hub that signs and a node that verifies agree upon, beside the specification of The Update Framework."""

from __future__ import annotations

SIGNED_AT = "x-edge-aiops-signed-at"
"""Member of every document: when it was signed, in milliseconds since the epoch. It cannot be earlier at a node."""

DESIRED = "desired"
"""The target that is the desired state: the very bytes that GET /fleet/desired answers."""


def artifact(sha256: str) -> str:
    """The target that is the artifact with this digest."""
    return f"artifacts/{sha256}"
