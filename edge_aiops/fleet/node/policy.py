"""The node's own policy: a file on the device that limits what a hub may change there. Nothing remote overrides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from edge_aiops.base.errors import SettingsError
from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState, Sampling
from edge_aiops.journal.capture import CapturePolicy

POLICY_FILE = "policy.toml"

_STAGES = {"production": 0, "staging": 1}


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a hub may change here. Without a file: everything, but for samples."""

    frameworks: tuple[str, ...] | None = None
    """Of models; None: all."""
    trust_code: bool = True
    """Whether models may bring code along, in worker processes."""
    capture: tuple[Literal["full", "sampled", "hashed", "none"], ...] = ("full", "sampled", "hashed", "none")
    """Modes in which payloads may be kept here; nothing is kept of a model that has another."""
    sampling: bool = False
    """Whether requests with their features may leave this device."""
    most_samples_per_day: Annotated[int, Meta(ge=0)] = 1_000
    """Of each model."""
    max_artifact_bytes: Annotated[int, Meta(ge=0)] | None = None
    max_models: Annotated[int, Meta(ge=0)] | None = None
    """Versions; those in production come first, then those in staging."""
    rules: bool = True
    """Whether the hub's alert rules hold here."""
    monitoring: bool = True
    """Whether the hub's configuration of monitoring holds here."""

    @classmethod
    def read(cls, named: str, folder: Path) -> Policy:
        """The policy in the file that is `named`, or else in `folder`/policy.toml, if there is one.

        Raises `SettingsError` that names the file and the key.
        """
        file = Path(named).expanduser() if named else folder / POLICY_FILE
        if not named and not file.exists():
            return cls()
        import tomllib  # here, because most nodes have no such file

        try:
            return msgspec.convert(tomllib.loads(file.read_text("utf-8")), cls)
        except (OSError, ValueError) as error:
            raise SettingsError(f"the policy {file} cannot be followed, so the node does not start: {error}") from error


class Permitted(NamedTuple):
    """A desired state without what the policy forbids."""

    desired: DesiredState
    refused: tuple[str, ...]
    """What it forbids, a sentence each."""


def permitted(desired: DesiredState, policy: Policy) -> Permitted:
    """What of `desired` may be applied here."""
    refused: list[str] = []
    if desired.alert_rules and not policy.rules:
        refused.append("the hub's alert rules do not hold here: the node's policy says rules = false")
    if desired.monitoring and not policy.monitoring:
        refused.append("the hub's monitoring configuration does not hold here: the policy says monitoring = false")
    if desired.sampling and not policy.sampling:
        names = ", ".join(sorted(desired.sampling))
        refused.append(f"no samples of {names} are sent to the hub: the node's policy does not say sampling = true")
    return Permitted(
        msgspec.structs.replace(
            desired,
            models=tuple(_models(desired.models, policy, refused)),
            alert_rules=desired.alert_rules if policy.rules else None,
            monitoring=desired.monitoring if policy.monitoring else {},
            sampling=_limited(desired.sampling, policy) if policy.sampling else {},
        ),
        tuple(refused),
    )


def _models(models: Iterable[DesiredModel], policy: Policy, refused: list[str]) -> Iterator[DesiredModel]:
    allowed = 0
    for model in sorted(models, key=lambda model: _STAGES.get(model.stage, len(_STAGES))):
        if reason := _forbidden(model, policy, allowed):
            refused.append(f"model {model.name} {model.version} is not fetched: {reason}")
            continue
        allowed += 1
        if model.capture.mode in policy.capture:
            yield model
        else:
            refused.append(
                f"nothing is kept of {model.name} {model.version}: its capture {model.capture.mode!r} is not in the "
                f"policy's capture = {[*policy.capture]}"
            )
            yield msgspec.structs.replace(model, capture=CapturePolicy(mode="none"))


def _forbidden(model: DesiredModel, policy: Policy, allowed: int) -> str | None:
    if policy.frameworks is not None and model.framework not in policy.frameworks:
        return f"its framework {model.framework!r} is not in the policy's frameworks = {[*policy.frameworks]}"
    if model.trust == "code" and not policy.trust_code:
        return "it brings code along, and the policy says trust_code = false"
    if policy.max_artifact_bytes is not None and model.size > policy.max_artifact_bytes:
        return f"its {model.size} bytes are more than the policy's max_artifact_bytes = {policy.max_artifact_bytes}"
    if policy.max_models is not None and allowed >= policy.max_models:
        return f"the policy says max_models = {policy.max_models}"
    return None


def _limited(sampling: Mapping[str, Sampling], policy: Policy) -> dict[str, Sampling]:
    return {
        name: msgspec.structs.replace(wanted, most_per_day=min(wanted.most_per_day, policy.most_samples_per_day))
        for name, wanted in sampling.items()
    }
