"""What this server answers, for programs and for people."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from edge_aiops.http.endpoint import OPENAPI, Endpoints

ENDPOINTS = Endpoints("documentation", role="any")


@ENDPOINTS.get("/openapi.json", answer=dict[str, Any])
async def openapi(request: web.Request) -> dict[str, Any]:
    """The OpenAPI 3.1 document of what this process answers."""
    return request.app[OPENAPI]()
