"""What the hub wants its nodes to be, made from the catalogue."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec

from edge_aiops.fleet.hub.configuration import FleetConfigurations
from edge_aiops.fleet.hub.wishes import FleetConfiguration
from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState
from edge_aiops.registry.messages import ModelVersion, Trial
from edge_aiops.registry.registry import Registry


class Desired(NamedTuple):
    """A desired state, its entity tag (without quotes) and the JSON that the tag is of."""

    state: DesiredState
    etag: str
    body: bytes


async def desired_state(registry: Registry, configurations: FleetConfigurations) -> Desired:
    """The desired state of the catalogue's present generation; archived versions are no part of it."""
    snapshot, configuration = await registry.snapshot(), await configurations.stored()
    while configuration.generation > snapshot.generation:  # it was changed in between
        snapshot, configuration = await registry.snapshot(), await configurations.stored()
    models = tuple(
        _desired(version, snapshot.trials.get((version.model_name, version.model_version), Trial()))
        for version in snapshot.versions
        if version.stage != "archived"
    )
    state = DesiredState(generation=snapshot.generation, models=models, **_monitoring(configuration))
    body = msgspec.json.encode(state)
    return Desired(state, f"{state.generation}-{hashlib.sha256(body).hexdigest()}", body)


def _monitoring(configuration: FleetConfiguration) -> dict[str, Any]:
    """What a node must be able to follow in full is required of it; samples it may refuse."""
    rules = tuple(msgspec.to_builtins(rule) for rule in configuration.rules) or None
    required = {"monitoring": configuration.monitoring, "rules": rules}
    return {
        "alert_rules": rules,
        "monitoring": configuration.monitoring,
        "sampling": configuration.sampling,
        "requires": tuple(name for name, wanted in required.items() if wanted),
    }


def _desired(version: ModelVersion, trial: Trial) -> DesiredModel:
    return DesiredModel(
        name=version.model_name,
        version=version.model_version,
        deployment=version.deployment_version,
        stage=version.stage,
        framework=version.framework,
        sha256=version.sha256,
        size=version.size_bytes,
        options=version.options,
        task_type=version.task_type,
        signature=version.signature,
        feature_names=version.feature_names,
        missing_values=version.missing_values,
        class_labels=version.class_labels,
        baseline_distributions=version.baseline_distributions,
        input_schema=version.input_schema,
        capture=version.capture,
        isolation=version.isolation,
        trust=version.trust,
        batching=version.batching,
        pinned=version.pinned,
        equivalence_group=version.equivalence_group,
        output_dimensions=version.output_dimensions,
        chunks=trial.chunks,
        golden=version.golden or trial.golden,
        commit=version.commit,
        retries=version.retries,
    )
