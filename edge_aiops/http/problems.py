"""Errors as `application/problem+json` (RFC 9457) with stable codes."""

from __future__ import annotations

import http
import logging
import math
from typing import Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from edge_aiops.base import errors

MEDIA_TYPE = "application/problem+json"

_STATUSES: dict[type[errors.EdgeAiopsError], int] = {
    errors.TooLarge: 413,
    errors.InvalidModel: 422,
    errors.InvalidInput: 400,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Untrusted: 502,
    errors.StorageFull: 507,
    errors.TooManyAttempts: 429,
    errors.Unavailable: 503,
    errors.DeadlineExceeded: 504,
}
_LONGEST = 2_000
"""Characters of what is said. Messages quote what was sent, and that may be long."""

_UNEXPECTED = "an unexpected error; the log of the server says more"

_CODES = {400: "invalid_input", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}

logger = logging.getLogger(__name__)


class FieldProblem(Struct, frozen=True):
    """A field to blame."""

    field: str
    message: str


class ApiError(Struct, frozen=True):
    """A failure as clients of the OpenAI API read it."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    """The first field to blame."""
    code: str


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every failure."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []
    error: str | ApiError | UnsetType = UNSET
    """The same again, where clients of a standard protocol look for it: under /v2 the detail, for those of the Open
    Inference Protocol; under /v1 an object, for those of the OpenAI API."""


def status_of(error: errors.EdgeAiopsError) -> int:
    """The HTTP status of an error, by the nearest class of the tree that has one; 500 otherwise."""
    return next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), 500)


def problem(
    status: int, code: str, detail: str, *, fields: tuple[errors.FieldError, ...] = (), path: str = ""
) -> web.Response:
    """A failure as a response to a request for `path`."""
    body = Problem(
        type=f"urn:edge-aiops:{code}",
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=_cut(detail),
        code=code,
        errors=[FieldProblem(_cut(field), _cut(message)) for field, message in fields],
        error=_repeated(status, code, detail, fields, path),
    )
    return web.Response(body=msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE)


def from_error(error: errors.EdgeAiopsError, *, path: str) -> web.Response:
    """An error of ours as a response."""
    response = problem(status_of(error), error.code, error.message, fields=error.fields, path=path)
    if isinstance(error, errors.Unavailable):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    return response


def from_http(error: web.HTTPException, *, path: str) -> web.Response:
    """An error that aiohttp raised, such as for a path that does not exist."""
    details = {
        404: f"nothing is at {path}; GET /docs lists what there is, on a node alone not the same as on a hub",
        405: "this path does not take that method",
        413: "the body is larger than http.max_body_bytes allows",
    }
    response = problem(
        error.status,
        _CODES.get(error.status, "http_error"),
        details.get(error.status, error.text or error.reason),
        path=path,
    )
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def from_bug(error: BaseException | None, *, path: str) -> web.Response:
    """An error that nobody expected: the trace goes to the log, never to the caller."""
    logger.error("an unexpected error in %s", path, exc_info=error)
    return problem(500, errors.EdgeAiopsError.code, _UNEXPECTED, path=path)


def api_error_of(error: Exception, *, path: str) -> ApiError:
    """An error as clients of the OpenAI API read it; what nobody expected goes to the log."""
    if isinstance(error, errors.EdgeAiopsError):
        return _api_error(status_of(error), error.code, error.message, error.fields)
    logger.error("an unexpected error in %s", path, exc_info=error)
    return _api_error(500, errors.EdgeAiopsError.code, _UNEXPECTED, ())


def _api_error(status: int, code: str, detail: str, fields: tuple[errors.FieldError, ...]) -> ApiError:
    kind: Literal["invalid_request_error", "server_error"] = "invalid_request_error" if status < 500 else "server_error"
    return ApiError(message=_cut(detail), type=kind, param=_cut(fields[0].field) if fields else None, code=code)


def _repeated(
    status: int, code: str, detail: str, fields: tuple[errors.FieldError, ...], path: str
) -> str | ApiError | UnsetType:
    if path == "/v2" or path.startswith("/v2/"):
        return _cut(detail)
    return _api_error(status, code, detail, fields) if path.startswith("/v1/") else UNSET


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
