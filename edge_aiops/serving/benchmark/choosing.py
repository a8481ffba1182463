"""Which models a benchmark compares."""

from __future__ import annotations

from collections.abc import Sequence

from edge_aiops.base.errors import InvalidInput, NotFound
from edge_aiops.serving.deployment import Deployment

MOST_MODELS = 16


def label(deployment: Deployment) -> str:
    """Name and version."""
    return f"{deployment.name} {deployment.version}"


def chosen(
    deployments: Sequence[Deployment], *, task_type: str, equivalence_group: str, only: Sequence[str] = ()
) -> list[Deployment]:
    """The models of a group that do the task, the most wanted first: production, staging, candidates.

    `deployments`: the least wanted first, as the engine has them. `only`: `name` or `name:version`. Raises `NotFound`
    that lists the groups for one that there is not, and `InvalidInput` for fewer than two models, more than
    `MOST_MODELS`, or such whose output dimensions differ.
    """
    group = [one for one in deployments if (one.task_type, one.equivalence_group) == (task_type, equivalence_group)][
        ::-1
    ]
    if not group:
        raise NotFound(
            f"no model on this node has the task type {task_type!r} and the equivalence group {equivalence_group!r}; "
            f"there are: {_groups(deployments)}"
        )
    found = [one for one in group if not only or {one.name, f"{one.name}:{one.version}"} & set(only)]
    for name in only:
        if not any(name in (one.name, f"{one.name}:{one.version}") for one in group):
            raise InvalidInput.of("models", f"{name!r} is not in the group; it has {_listed(group)}")
    if len(found) < 2:
        raise InvalidInput.of(
            "models" if only else "equivalenceGroup",
            f"it takes two models to compare, and there is one: {_listed(found)}; "
            "register another with the same taskType and equivalenceGroup",
        )
    if len(found) > MOST_MODELS:
        raise InvalidInput.of("models", f"the group has {len(found)} models; name at most {MOST_MODELS} of them")
    _check_dimensions(found)
    return found


def _check_dimensions(found: Sequence[Deployment]) -> None:
    if len({one.output_dimensions for one in found}) > 1:
        told = ", ".join(
            f"{label(one)} has {list(one.output_dimensions)}" if one.output_dimensions else f"{label(one)} names none"
            for one in found
        )
        raise InvalidInput.of("equivalenceGroup", f"outputDimensions differ, so the outputs are not equivalent: {told}")


def _listed(deployments: Sequence[Deployment]) -> str:
    return ", ".join(map(label, deployments))


def _groups(deployments: Sequence[Deployment]) -> str:
    pairs = sorted(
        {(one.task_type or "no task type", one.equivalence_group) for one in deployments if one.equivalence_group}
    )
    shown = ", ".join(f"{task} / {group}" for task, group in pairs[:20])
    return shown or "none; register models with a taskType and an equivalenceGroup"
