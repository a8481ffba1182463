"""Metrics for Prometheus, and for all that reads its formats."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.observe.measures import Measure

ENDPOINTS = Endpoints("monitoring", role="node")


@ENDPOINTS.get("/metrics", media_type="text/plain")
async def metrics(request: web.Request) -> web.Response:
    """Metrics in the text format of Prometheus, or in that of OpenMetrics where `Accept` prefers it."""
    measures = await request.app[NODE].measuring.measures()
    text, media_type = await asyncio.to_thread(_rendered, measures, request.headers.get("Accept", ""))
    return web.Response(body=text, headers={"Content-Type": media_type})


def _rendered(measures: Sequence[Measure], accept: str) -> tuple[bytes, str]:
    # Imported at the first scrape: most devices are never scraped.
    from edge_aiops.observe.exposition import rendered

    return rendered(measures, accept)
