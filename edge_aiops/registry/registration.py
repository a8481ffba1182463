"""What registering means for a version that may exist already."""

from __future__ import annotations

from typing import Literal

from edge_aiops.base.errors import BackendUnavailable, Conflict, InvalidInput
from edge_aiops.base.names import valid_name
from edge_aiops.plugin.registry import Backends
from edge_aiops.registry.messages import ModelVersion, Registration, registration_of, same_apart_from_stage
from edge_aiops.registry.stages import is_later

RESERVED_VERSIONS = frozenset({"active", "versions", "validation-history", "load", "unload"})
"""What `/models/{name}/...` means something else by."""

Outcome = Literal["created", "replaced", "advanced", "unchanged"]
"""`created`: the version is new. `replaced`: a candidate got other content or metadata. `advanced`: only its stage
moved. `unchanged`: it was registered so already."""


def check(registration: Registration, backends: Backends, *, size_bytes: int | None) -> None:
    """Raise `InvalidInput` or `BackendUnavailable` for what is wrong on the face of it.

    `size_bytes`: of the artifact; None without one.
    """
    valid_name(registration.model_name, field="modelName")
    valid_name(registration.model_version, field="modelVersion")
    if registration.model_version in RESERVED_VERSIONS:
        raise InvalidInput.of(
            "modelVersion", f"{registration.model_version!r} is a path of the API; choose another, such as v1"
        )
    valid_name(registration.framework, field="framework")
    if close := backends.meant(registration.framework):
        raise InvalidInput.of("framework", f"there is no {registration.framework!r}; did you mean {close!r}?")
    if reason := backends.missing(registration.framework):
        raise BackendUnavailable(reason, retry_after_s=60)
    if registration.trust == "code" and registration.isolation not in (None, "process"):
        raise InvalidInput.of(
            "isolation", f"what is trusted as code runs in a worker process, not {registration.isolation}; leave it out"
        )
    needs_artifact = backends.specs[registration.framework].artifact
    if needs_artifact and not size_bytes:
        kind = "an artifact" if size_bytes is None else "an artifact that is not empty"
        raise InvalidInput.of(
            "artifact",
            f"framework {registration.framework!r} needs {kind}: send it in modelBlob as base64, "
            "or its bytes to PUT /models/{name}/{version}/artifact",
        )
    if size_bytes is not None and not needs_artifact:
        raise InvalidInput.of(
            "artifact", f"framework {registration.framework!r} takes none; its options describe the model"
        )


def outcome(existing: ModelVersion | None, wanted: Registration, sha256: str | None) -> Outcome:
    """What registering `wanted` with an artifact of this digest does. Raises `Conflict` where it may not be."""
    if existing is None:
        return "created"
    named = f"{existing.model_name} {existing.model_version}"
    if existing.sha256 != sha256 or not same_apart_from_stage(registration_of(existing), wanted):
        if existing.stage == "candidate":
            return "replaced"
        raise Conflict(
            f"{named} is in stage {existing.stage} with other content or metadata, and only candidates are replaced; "
            "register this as another version"
        )
    if existing.stage == "archived" and wanted.stage in ("staging", "production"):
        raise Conflict(f"{named} is archived and does not come back by registering; register it as another version")
    return "advanced" if is_later(wanted.stage, existing.stage) else "unchanged"
