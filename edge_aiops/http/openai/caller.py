"""Who asks, for which model, and how long they wait."""

from __future__ import annotations

import uuid

from aiohttp import web
from msgspec import Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.routes.predictions import deadline_s
from edge_aiops.plugin.generation import GenerationRequest
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.engine import Engine
from edge_aiops.serving.request import GenerationCall

REQUEST_ID_HEADER = "X-Request-Id"
SESSION_ID_HEADER = "X-Session-Id"
_LONGEST_ID = 256


class Caller(Struct, frozen=True, kw_only=True):
    """A request's model and origin. Its id is that of the caller, or else that of the answer."""

    deployment: Deployment
    answer_id: str
    request_id: str
    user_id: str | None
    session_id: str | None
    deadline_s: float | None

    @property
    def model(self) -> str:
        """The model's name in answers, by which exactly this version can be asked again."""
        return f"{self.deployment.name}:{self.deployment.version}"

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer."""
        return {REQUEST_ID_HEADER: self.request_id}

    def call(self, request: GenerationRequest, payload: bytes) -> GenerationCall:
        """The engine's call for a text."""
        return GenerationCall(
            model_name=self.deployment.name,
            model_version=self.deployment.version,
            request=request,
            payload=payload,
            user_id=self.user_id,
            session_id=self.session_id,
            request_id=self.request_id,
        )


def caller_of(request: web.Request, engine: Engine, *, model: str, user: str | None, prefix: str) -> Caller:
    """The caller of `model`. Raises `UnknownModel`, and `InvalidInput` for a header that is none."""
    answer_id = f"{prefix}-{uuid.uuid4().hex}"
    return Caller(
        deployment=chosen(engine, model),
        answer_id=answer_id,
        request_id=_identifier(request, REQUEST_ID_HEADER) or answer_id,
        user_id=user,
        session_id=_identifier(request, SESSION_ID_HEADER),
        deadline_s=deadline_s(request.headers),
    )


def chosen(engine: Engine, model: str) -> Deployment:
    """The deployment that `name` or `name:version` means. Raises `UnknownModel`."""
    name, _, version = model.partition(":")
    return engine.choose(name, version or None)


def _identifier(request: web.Request, header: str) -> str | None:
    text = request.headers.get(header, "")
    if len(text) > _LONGEST_ID or not text.isprintable():
        raise InvalidInput.of(header, f"is no identifier: send up to {_LONGEST_ID} printable characters")
    return text or None
