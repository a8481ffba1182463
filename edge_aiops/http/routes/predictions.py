"""Predictions."""

from __future__ import annotations

import re
from asyncio import Future
from collections.abc import Mapping

from aiohttp import web

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.direct import Direct
from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.serving.request import PredictionRequest, PredictionResult

ENDPOINTS = Endpoints("predictions", role="node")

DEADLINE_HEADER = "X-Deadline-Ms"
_MILLISECONDS = re.compile("[1-9][0-9]{0,8}")


def _begin(app: web.Application, headers: Mapping[str, str], body: PredictionRequest) -> Future[PredictionResult]:
    return app[NODE].engine.submit(body, deadline_s=deadline_s(headers))


@ENDPOINTS.post("/predict", body=PredictionRequest, answer=PredictionResult, direct=Direct(_begin))
async def predict(request: web.Request, body: PredictionRequest) -> PredictionResult:
    """Predict with a model. The answer leaves when the inference event is on disk. Send the time that you can
    wait as `X-Deadline-Ms`."""
    return await request.app[NODE].engine.predict(body, deadline_s=deadline_s(request.headers))


def deadline_s(headers: Mapping[str, str]) -> float | None:
    """The time that the caller can wait; None where it does not say. Raises `InvalidInput`."""
    text = headers.get(DEADLINE_HEADER)
    if text is None:
        return None
    if not _MILLISECONDS.fullmatch(text):
        raise InvalidInput.of(DEADLINE_HEADER, f"{text[:40]!r} is not a number of milliseconds from 1 to 999999999")
    return int(text) / 1000
