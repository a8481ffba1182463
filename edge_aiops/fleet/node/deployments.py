"""What a node serves, from what its routes say."""

from __future__ import annotations

from typing import NamedTuple

from edge_aiops.fleet.messages.desired import DesiredModel
from edge_aiops.fleet.node.files import ModelFiles
from edge_aiops.fleet.node.rollout import PRODUCTION, Names, Route, Snapshot
from edge_aiops.serving.deployment import Deployment


class Serving(NamedTuple):
    """What answers, and what may come back: it is not served, and its model stays in memory while there is room."""

    deployments: list[Deployment]
    standby: list[Deployment]


def serving(snapshot: Snapshot, files: ModelFiles) -> Serving:
    """What is served by these routes. Of a version whose file is gone, the one before it; or none, until it is back."""
    served: dict[Names, Deployment] = {}
    standby: list[Deployment] = []
    for route in sorted(snapshot.routes, key=lambda route: route.route == PRODUCTION):
        answers = next((model for model in (route.answers, route.before) if model and _present(model, files)), None)
        if answers is not None:
            apart = snapshot.is_suspect(answers)
            served[answers.name, answers.version] = deployment(
                answers, files, stage=_stage(route, answers), apart=apart
            )
        if route.before is not None and route.before is not answers:
            standby.append(deployment(route.before, files, stage="archived"))
    return Serving(list(served.values()), standby)


def deployment(model: DesiredModel, files: ModelFiles, *, stage: str = "", apart: bool = False) -> Deployment:
    """How the model is served on this node; `stage`: another than the hub's; `apart`: in a process of its own."""
    return Deployment(
        name=model.name,
        version=model.version,
        deployment_version=model.deployment,
        stage=stage or model.stage,
        framework=model.framework,
        sha256=model.sha256,
        path=files.path(model.sha256) if model.sha256 else None,
        options=model.options,
        task_type=model.task_type,
        feature_names=model.feature_names,
        missing_values=model.missing_values,
        class_labels=model.class_labels,
        output_names=tuple(output.name for output in model.signature.outputs) if model.signature else (),
        baseline_distributions=model.baseline_distributions,
        input_schema=model.input_schema,
        capture=model.capture,
        isolation="process" if apart else model.isolation,
        trust=model.trust,
        batching=model.batching,
        pinned=model.pinned,
        equivalence_group=model.equivalence_group,
        output_dimensions=model.output_dimensions,
        signature=model.signature,
    )


def _present(model: DesiredModel, files: ModelFiles) -> bool:
    return model.sha256 is None or model.sha256 in files


def _stage(route: Route, answers: DesiredModel) -> str:
    if route.route == PRODUCTION:
        return "production"
    # Wanted in production, but not, or not yet, or not any more there on this node.
    return "staging" if answers.stage == "production" else answers.stage
