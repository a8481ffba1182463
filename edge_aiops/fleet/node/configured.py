"""How a node takes over what its hub wants of monitoring, within the limits of its own policy."""

from __future__ import annotations

import logging

from edge_aiops.base.errors import Conflict, InvalidInput
from edge_aiops.fleet.messages.desired import CAPABILITIES, DesiredState, Sampling
from edge_aiops.fleet.node.policy import Policy, permitted
from edge_aiops.observe.monitoring import HubMonitoring, Monitoring

logger = logging.getLogger(__name__)


class Configured:
    """Has alert rules, monitoring configuration and samples of a desired state in force, all or nothing.

    Nothing of it is kept but the desired state itself, by whoever follows the hub; it is applied again at each start.
    """

    def __init__(self, monitoring: Monitoring, *, policy: Policy, hub: str) -> None:
        self._monitoring = monitoring
        self._policy = policy
        self._hub = hub
        self._sampling: dict[str, Sampling] = {}
        self._refused: tuple[str, ...] = ()
        self._unsupported: tuple[str, ...] = ()
        self._unreadable = ""

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Capabilities that the hub required last, and that this node does not have."""
        return self._unsupported

    @property
    def problems(self) -> list[str]:
        """What of the desired state does not hold here, a sentence each."""
        missing = [f"the hub requires {name!r}, which this node cannot do: update it" for name in self._unsupported]
        return [*missing, *self._refused, *filter(None, [self._unreadable])]

    def sampling(self) -> dict[str, Sampling]:
        """Of which models requests may be sent to the hub, and how many; by model name."""
        return self._sampling

    async def apply(self, desired: DesiredState) -> DesiredState:
        """Take it over; gives what of it the policy permits, so that the rest is not even fetched.

        Raises `Conflict` for a capability that this node does not have, and `InvalidInput` for a rule or configuration
        that cannot be here. Then all is as it was.
        """
        self._unsupported = tuple(sorted(set(desired.requires) - CAPABILITIES))
        if self._unsupported:
            raise Conflict(f"the desired state is not applied: {'; '.join(self.problems[: len(self._unsupported)])}")
        allowed, refused = permitted(desired, self._policy)
        wanted = self._monitoring.of_hub(allowed.alert_rules or (), allowed.monitoring)
        await self._take_over(wanted, allowed, refused)
        return allowed

    async def restore(self, desired: DesiredState) -> DesiredState:
        """As `apply`, for what was applied before the start; a part that cannot be in force any more, such as after
        a plugin was removed, is one of the `problems` and does not keep models from being served."""
        try:
            return await self.apply(desired)
        except (Conflict, InvalidInput) as error:
            logger.error("what the hub wanted of monitoring is not in force: %s", error)
            allowed, refused = permitted(desired, self._policy)
            await self._take_over(HubMonitoring({}, {}), allowed, refused)
            self._unreadable = f"what the hub wanted of monitoring is not in force: {error}"
            return allowed

    async def _take_over(self, wanted: HubMonitoring, allowed: DesiredState, refused: tuple[str, ...]) -> None:
        await self._monitoring.follow_hub(wanted, hub=self._hub)
        for sentence in refused:
            if sentence not in self._refused:
                logger.warning("%s", sentence)
        self._sampling, self._refused, self._unreadable = allowed.sampling, refused, ""
