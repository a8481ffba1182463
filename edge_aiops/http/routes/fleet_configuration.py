"""What a hub wants of monitoring on all of its nodes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from edge_aiops.fleet.hub.wishes import FleetConfiguration, FleetWish
from edge_aiops.fleet.messages.desired import Sampling
from edge_aiops.http.endpoint import HUB, Endpoints
from edge_aiops.observe.alerts.rule import AlertRule, RuleWish
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.configuration import GLOBAL

ENDPOINTS = Endpoints("fleet configuration", role="hub")

_ROOT = "/fleet/configuration"


@ENDPOINTS.get(_ROOT, answer=FleetConfiguration)
async def get_configuration(request: web.Request) -> FleetConfiguration:
    """What the hub wants of monitoring on all of its nodes; secrets are hidden."""
    return await request.app[HUB].configurations.shown()


@ENDPOINTS.put(_ROOT, body=FleetWish, answer=FleetConfiguration)
async def put_configuration(request: web.Request, body: FleetWish) -> FleetConfiguration:
    """Replace all of it at once, as `GET` shows it. With the `generation` of that, only if nobody has changed it since;
    else 409."""
    return await request.app[HUB].configurations.replace(body)


@ENDPOINTS.get(_ROOT + "/rules/{id}", answer=AlertRule)
async def get_rule(request: web.Request) -> AlertRule:
    """One alert rule of the hub's nodes."""
    return await request.app[HUB].configurations.rule(request.match_info["id"])


@ENDPOINTS.put(_ROOT + "/rules/{id}", body=dict[str, Any], documented=RuleWish, answer=AlertRule)
async def put_rule(request: web.Request, body: dict[str, Any]) -> AlertRule:
    """Have an alert rule on every node, in place of the one with this id."""
    return await request.app[HUB].configurations.put_rule(request.match_info["id"], body)


@ENDPOINTS.delete(_ROOT + "/rules/{id}", answer=AlertRule)
async def delete_rule(request: web.Request) -> AlertRule:
    """Withdraw an alert rule from every node. Answers what it was."""
    return await request.app[HUB].configurations.delete_rule(request.match_info["id"])


@ENDPOINTS.put(_ROOT + "/monitoring", body=dict[str, Any], documented=MonitoringConfig, answer=FleetConfiguration)
async def put_monitoring(request: web.Request, body: dict[str, Any]) -> FleetConfiguration:
    """Configure monitoring on every node. What is left out is left to the nodes; an empty object takes all back."""
    return await request.app[HUB].configurations.configure(GLOBAL, body)


@ENDPOINTS.put(
    _ROOT + "/monitoring/{modelName}", body=dict[str, Any], documented=MonitoringConfig, answer=FleetConfiguration
)
async def put_model_monitoring(request: web.Request, body: dict[str, Any]) -> FleetConfiguration:
    """Configure monitoring of one model on every node, over what holds for all models."""
    return await request.app[HUB].configurations.configure(request.match_info["modelName"], body)


@ENDPOINTS.put(_ROOT + "/sampling/{modelName}", body=Sampling, answer=FleetConfiguration)
async def put_sampling(request: web.Request, body: Sampling) -> FleetConfiguration:
    """Have a share of the requests of a model sent to the hub, with their features; a node sends them only where its
    own policy says so too. The rate 0 ends it."""
    return await request.app[HUB].configurations.sample(request.match_info["modelName"], body)
