"""Benchmarks of the models of an equivalence group."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from edge_aiops.base.errors import Unavailable
from edge_aiops.http import json
from edge_aiops.http.endpoint import NODE, SETTINGS, Created, Endpoints
from edge_aiops.http.routes.events import Moment
from edge_aiops.serving.benchmark.history import BenchmarkFilter
from edge_aiops.serving.benchmark.messages import Benchmark, BenchmarkPage, BenchmarkRequest

ENDPOINTS = Endpoints("benchmark", role="node")

Number = Annotated[int, Meta(ge=1, lt=2**53)]


class HistoryQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which benchmarks, by when they began, in milliseconds since the epoch."""

    task_type: str | None = None
    equivalence_group: str | None = None
    model: str | None = None
    """The name of a model that took part."""
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)
    cursor: Number | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 20


@ENDPOINTS.post("/benchmark/compare", body=BenchmarkRequest, answer=Benchmark, status=202)
async def compare(request: web.Request, body: BenchmarkRequest) -> Benchmark | Created:
    """Compare the models of an equivalence group on this node. The answer comes at the end; with `background` at once,
    as 202, and `GET /benchmark/history/{id}` tells how far it is. Benchmarks run behind live traffic, and are no
    inference events."""
    benchmarks = request.app[NODE].benchmarks
    test_data = json.unwrapped(body.test_data, "testData", request.app[SETTINGS].http)
    begun = await benchmarks.start(replace(body, test_data=test_data))
    if body.background:
        return Created(begun)
    ended = await benchmarks.ended(begun.id)
    if ended.status != "done":
        raise Unavailable(f"benchmark {ended.id} did not come to its end: {ended.verdict}")
    return ended


@ENDPOINTS.get("/benchmark/history", query=HistoryQuery, answer=BenchmarkPage)
async def list_benchmarks(request: web.Request, query: HistoryQuery) -> BenchmarkPage:
    """Benchmarks, newest first, in pages: send `nextCursor` as `cursor` for the next."""
    wanted = BenchmarkFilter(
        task_type=query.task_type,
        equivalence_group=query.equivalence_group,
        model=query.model,
        from_ms=query.from_ms,
        until_ms=query.until_ms,
    )
    return await request.app[NODE].benchmarks.page(wanted, cursor=query.cursor, limit=query.limit)


@ENDPOINTS.get("/benchmark/history/{id}", answer=Benchmark)
async def get_benchmark(request: web.Request) -> Benchmark:
    """One benchmark, with its progress while it runs."""
    return await request.app[NODE].benchmarks.get(_number(request))


@ENDPOINTS.post("/benchmark/{id}/cancel", answer=Benchmark)
async def cancel_benchmark(request: web.Request) -> Benchmark:
    """End a benchmark that runs. One that has ended stays as it is."""
    return await request.app[NODE].benchmarks.cancel(_number(request))


def _number(request: web.Request) -> int:
    text = request.match_info["id"]
    # A number beyond those of SQLite is one that no benchmark has.
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 18 else 0
