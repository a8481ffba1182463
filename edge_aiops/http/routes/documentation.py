"""What this server answers, for programs and for people."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from edge_aiops.http.endpoint import OPENAPI, Endpoints

ENDPOINTS = Endpoints("documentation", role="any")


@ENDPOINTS.get("/openapi.json", answer=dict[str, Any])
async def openapi(request: web.Request) -> dict[str, Any]:
    """The OpenAPI 3.1 document of what this process answers."""
    return request.app[OPENAPI]()


@ENDPOINTS.get("/docs", media_type="text/html")
async def docs(request: web.Request) -> web.Response:
    """The same for people: one page, which needs no network."""
    from edge_aiops.http import docs_page  # here, because few look at it

    document = {**request.app[OPENAPI](), "servers": [{"url": str(request.url.origin())}]}
    headers = {
        "Content-Security-Policy": docs_page.content_security_policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    text = await asyncio.to_thread(docs_page.page, document)
    return web.Response(text=text, content_type="text/html", headers=headers)


@ENDPOINTS.get("/", media_type="text/html")
async def root(request: web.Request) -> web.Response:
    """Leads to /docs."""
    return web.Response(status=302, headers={"Location": "/docs"})
