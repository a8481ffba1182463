"""Which deployment answers a request."""

from __future__ import annotations

from collections.abc import Iterable

from edge_aiops.base.errors import UnknownModel
from edge_aiops.serving.deployment import Deployment

_RANKS = {"production": 2, "staging": 1, "candidate": 0}


class Routing:
    """The deployments of a node by name; replaced whole when the desired state changes."""

    def __init__(self, deployments: Iterable[Deployment] = ()) -> None:
        self._exact: dict[tuple[str, str], Deployment] = {}
        self._default: dict[str, Deployment] = {}
        for deployment in sorted(deployments, key=_rank):
            self._exact[deployment.name, deployment.version] = deployment
            self._default[deployment.name] = deployment

    @property
    def deployments(self) -> list[Deployment]:
        """All of them, least wanted first."""
        return list(self._exact.values())

    def choose(self, name: str, version: str | None = None) -> Deployment:
        """The deployment that answers for `name`.

        Without a version: the one in production; where there is none, staging before candidate, the newest
        first. Raises `UnknownModel` that lists what there is.
        """
        found = self._default.get(name) if version is None else self._exact.get((name, version))
        if found is not None:
            return found
        if name not in self._default:
            known = ", ".join(sorted(self._default)[:10]) or "none yet; register one with POST /models"
            raise UnknownModel(f"no model named {name[:80]!r} on this node; there are: {known}")
        versions = ", ".join(sorted(other for model, other in self._exact if model == name))
        raise UnknownModel(f"model {name!r} has no version {str(version)[:80]!r} on this node; it has: {versions}")


def _rank(deployment: Deployment) -> tuple[int, int]:
    return _RANKS.get(deployment.stage, 0), deployment.deployment_version
