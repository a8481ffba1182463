"""What the node has seen of a week, as its API tells it."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from edge_aiops.base.errors import Unavailable
from edge_aiops.cli.demo.api import Api
from edge_aiops.cli.demo.show import Moved, Week

_SHOWN = 2
_LONGEST_WAIT_S = 30.0
_PAUSE_S = 0.1


class Seen(NamedTuple):
    """A week as it is shown, and what checks of drift found in it, by drift type."""

    week: Week
    until_ms: int
    drift: dict[str, Any]


class Watch:
    """Looks at one model version. Monitoring works by itself; this waits for it and reads what it wrote."""

    def __init__(self, api: Api, model: str) -> None:
        self._api = api
        self._model = model
        self._known: set[str] = set()

    async def week(self, number: int, from_ms: int, until_ms: int) -> Seen:
        """What there is to say of a week that has just ended, after its check on schedule."""
        drift = await self._checked(until_ms)
        span: dict[str, Any] = {"from": from_ms, "to": until_ms}
        asked = {"granularity": "hourly", **span}
        windows = (await self._api.call("GET", f"/monitoring/metrics/{self._model}", params=asked))["windows"]
        (quality,) = await self._api.call("POST", f"/monitoring/quality/{self._model}/check", json=span)
        concept = drift.get("concept", {})
        week = Week(
            number=number,
            requests=sum(window["requests"] for window in windows),
            p95_ms=max((window["p95LatencyMs"] or 0 for window in windows), default=None),
            moved=_moved(drift["input"]),
            quality=quality["score"],
            accuracy=concept.get("accuracy"),
            worse=bool(concept.get("drifted")),
            alerts=await self._new_alerts(),
        )
        return Seen(week, until_ms, drift)

    async def fired(self) -> list[dict[str, Any]]:
        """All alerts that have fired, the oldest first."""
        page = await self._api.call("GET", "/monitoring/alerts", params={"modelName": self._model})
        return [alert for alert in reversed(page["alerts"]) if alert["firedAt"] is not None]

    async def _new_alerts(self) -> list[str]:
        found = [alert for alert in await self.fired() if alert["id"] not in self._known]
        self._known.update(alert["id"] for alert in found)
        return [alert["ruleName"] for alert in found]

    async def _checked(self, at_ms: int) -> dict[str, Any]:
        """The results of the check on schedule at this time, by drift type."""
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                while not (found := await self._results(at_ms)):  # noqa: ASYNC110  # another process tells no events
                    await asyncio.sleep(_PAUSE_S)
        except TimeoutError as error:
            raise Unavailable(f"no check of drift came within {_LONGEST_WAIT_S:.0f} s") from error
        return found

    async def _results(self, at_ms: int) -> dict[str, Any]:
        made: dict[str, Any] = {"from": at_ms, "to": at_ms + 1}
        answer = await self._api.call("GET", f"/monitoring/drift/{self._model}", params=made)
        return {result["driftType"]: result for result in answer["history"] if result["trigger"] == "schedule"}


def _moved(result: dict[str, Any]) -> list[Moved]:
    """The features that are furthest from the baseline."""
    features = sorted(result["features"], key=lambda feature: -(feature["effectSize"] or 0))
    return [Moved(one["feature"], one["effectSize"] or 0.0, one["drifted"]) for one in features[:_SHOWN]]
