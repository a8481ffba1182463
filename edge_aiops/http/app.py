"""The application: the endpoints of the roles that run in this process, behind one guard."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiohttp import web

from edge_aiops.base.settings import Settings
from edge_aiops.http import openapi
from edge_aiops.http.direct import DirectAnswers
from edge_aiops.http.endpoint import (
    DIRECT,
    HUB,
    NODE,
    OPENAPI,
    PLUGINS,
    SETTINGS,
    Endpoint,
    Endpoints,
    Role,
    aiohttp_handler,
)
from edge_aiops.http.guard import Guard, guarding
from edge_aiops.plugin.loader import Plugins

if TYPE_CHECKING:
    from edge_aiops.hub.hub import Hub
    from edge_aiops.node import Node

ROUTE_MODULES: dict[str, Role] = {
    "predictions": "node",
    "events": "node",
    "loaded": "node",
    "benchmark": "node",
    "realtime": "node",
    "monitoring": "node",
    "baselines": "node",
    "drift": "node",
    "quality": "node",
    "metrics": "node",
    "alerts": "node",
    "rules": "node",
    "notifiers": "node",
    "oip": "node",
    "oip_repository": "node",
    "openai": "node",
    "node_key": "node",
    "catalogue": "hub",
    "managed": "managed",
    "fleet": "hub",
    "enrolment": "hub",
    "nodes": "hub",
    "fleet_view": "hub",
    "fleet_configuration": "hub",
    "push": "hub",
    "sharing": "managed",
    "health": "any",
    "documentation": "any",
    "compat": "any",
}
"""With the role that needs them, in the order in which /docs shows them. Those of other roles are not imported."""


def endpoints(*, node: bool, hub: bool) -> list[Endpoint]:
    """What a process with these roles answers."""
    roles = {"any", *(("node",) if node else ()), *(("hub",) if hub else ()), *(("managed",) if not hub else ())}
    found: list[Endpoint] = []
    for name, role in ROUTE_MODULES.items():
        if role not in roles:
            continue
        declared: Endpoints = import_module(f"edge_aiops.http.routes.{name}").ENDPOINTS
        found += [endpoint for endpoint in declared.all if endpoint.role in roles]
    return found


def application(
    settings: Settings, *, plugins: Plugins, node: Node | None = None, hub: Hub | None = None
) -> web.Application:
    """The aiohttp application for running roles."""
    guard = Guard(settings.http)
    app = web.Application(middlewares=[guarding(guard)], client_max_size=settings.http.max_body_bytes)
    app[SETTINGS] = settings
    app[PLUGINS] = plugins
    if node is not None:
        app[NODE] = node
    if hub is not None:
        app[HUB] = hub
    found = endpoints(node=node is not None, hub=hub is not None)
    described: Callable[[], dict[str, Any]] = cache(partial(openapi.document, found))
    app[OPENAPI] = described
    app[DIRECT] = {
        endpoint.path: DirectAnswers(
            app, endpoint.path, endpoint.direct, endpoint.body, guard=guard, settings=settings.http
        )
        for endpoint in found
        if endpoint.direct is not None
    }
    for endpoint in found:
        methods = (endpoint.method, "HEAD") if endpoint.method == "GET" else (endpoint.method,)
        for method in methods:
            app.router.add_route(method, endpoint.path, aiohttp_handler(endpoint, settings))
    return app
