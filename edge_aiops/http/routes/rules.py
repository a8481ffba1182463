"""Alert rules, and what they can be about."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from msgspec import Struct

from edge_aiops.http.endpoint import NODE, Created, Endpoints
from edge_aiops.observe.alerts.catalogue import METRICS, OPERATORS, Metric
from edge_aiops.observe.alerts.rule import SEVERITIES, AlertRule, RuleWish

ENDPOINTS = Endpoints("alert rules", role="node")


class MetricCatalogue(Struct, frozen=True, kw_only=True, rename="camel"):
    """What conditions can be made of."""

    metrics: list[Metric]
    operators: tuple[str, ...]
    severities: tuple[str, ...]


class RuleList(Struct, frozen=True, kw_only=True, rename="camel"):
    """Every rule: the default ones first."""

    rules: list[AlertRule]


@ENDPOINTS.get("/monitoring/rules", answer=RuleList)
async def list_rules(request: web.Request) -> RuleList:
    """Every alert rule, the default ones first."""
    return RuleList(rules=request.app[NODE].monitoring.rules.all())


@ENDPOINTS.get("/monitoring/rules/metrics", answer=MetricCatalogue)
async def list_metrics(request: web.Request) -> MetricCatalogue:
    """The metrics that conditions can be about, with their units and parameters."""
    return MetricCatalogue(metrics=list(METRICS.values()), operators=OPERATORS, severities=SEVERITIES)


@ENDPOINTS.post("/monitoring/rules", body=dict[str, Any], documented=RuleWish, answer=AlertRule, status=201)
async def add_rule(request: web.Request, body: dict[str, Any]) -> Created:
    """Add an alert rule; its id is made of its name."""
    return Created(await request.app[NODE].monitoring.rules.add(body))


@ENDPOINTS.get("/monitoring/rules/{id}", answer=AlertRule)
async def get_rule(request: web.Request) -> AlertRule:
    """One alert rule."""
    return request.app[NODE].monitoring.rules.get(request.match_info["id"])


@ENDPOINTS.put("/monitoring/rules/{id}", body=dict[str, Any], documented=RuleWish, answer=AlertRule)
async def put_rule(request: web.Request, body: dict[str, Any]) -> AlertRule:
    """Store an alert rule under this id, in place of the one that is there.

    Of a default rule, what is left out is as it was built in: `{"enabled": false}` switches it off, `{}` restores it.
    """
    return await request.app[NODE].monitoring.rules.put(request.match_info["id"], body)


@ENDPOINTS.delete("/monitoring/rules/{id}", answer=AlertRule)
async def delete_rule(request: web.Request) -> AlertRule:
    """Delete an alert rule; a default one is switched off instead. Answers what is, or was, there."""
    return await request.app[NODE].monitoring.rules.delete(request.match_info["id"])
