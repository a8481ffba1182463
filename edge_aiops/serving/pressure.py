"""How hard the requests for a model press."""

from __future__ import annotations

from msgspec import Struct


class Pressure(Struct, frozen=True, kw_only=True):
    """Of one deployment, now and since it is served."""

    model_name: str
    model_version: str
    queued: int
    """Requests that wait: for a run of the model, or until it is loaded."""
    shed: int
    """Requests that were refused since the deployment is served, because they would have waited for too long."""
    circuit_open: bool
    """Whether the model has failed repeatedly, and has not succeeded since."""
