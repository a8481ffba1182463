"""A running server in a folder of the test's own, and a client that speaks to it over a real socket."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import onnx
import pytest
from multidict import CIMultiDictProxy
from yarl import URL

from edge_aiops.base.settings import load_settings
from edge_aiops.http.serve import serving
from edge_aiops.testing.models import gemm_softmax

Serve = Callable[..., AbstractAsyncContextManager["Client"]]


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: CIMultiDictProxy[str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON of the body."""
        return msgspec.json.decode(self.content)

    @property
    def problem(self) -> tuple[int, str]:
        """Status and code of a failure, which must be a whole problem+json."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        assert self.body.keys() - {"errors"} == {"type", "title", "status", "detail", "code"}
        assert self.body["status"] == self.status
        assert self.body["type"] == f"urn:edge-aiops:{self.body['code']}"
        assert "Traceback" not in self.body["detail"]
        return self.status, self.body["code"]


class Client:
    """Calls one server."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.port = URL(url).port
        self._session = session

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """Send a request; `path` goes out as it is written, `more` is what aiohttp takes."""
        url = URL(self.url + path, encoded=True) if "params" not in more else self.url + path
        async with self._session.request(method, url, allow_redirects=False, **more) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **more: Any) -> Answer:
        """GET."""
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        """POST, `body` as JSON if given."""
        return await self.call("POST", path, **({"json": body} if body is not None else {}), **more)

    async def register(
        self, name: str = "model", version: str = "1", proto: onnx.ModelProto | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Register an ONNX model, by default a classifier of four numbers, or with `framework="echo"` an echo."""
        wanted = {"modelName": name, "modelVersion": version, "framework": "onnx", **fields}
        if wanted["framework"] == "onnx":
            wanted["modelBlob"] = base64.b64encode((proto or gemm_softmax(4, 3)).SerializeToString()).decode()
        answer = await self.post("/models", wanted)
        assert answer.status in (200, 201), answer
        registered: dict[str, Any] = answer.body
        return registered

    async def predict(self, name: str = "model", features: Any = (1, 2, 3, 4), **more: Any) -> dict[str, Any]:
        """The answer to a prediction that must succeed; `more` are further fields of the request."""
        answer = await self.post("/predict", {"modelName": name, "features": features, **more})
        assert answer.status == 200, answer
        prediction: dict[str, Any] = answer.body
        return prediction


@asynccontextmanager
async def _serve(folder: Path, **settings: object) -> AsyncIterator[Client]:
    given = {key.replace("__", ".", 1): value for key, value in settings.items()}
    # A busy machine must not make a deadline of a test that is about something else.
    overrides = {"data.folder": str(folder), "http.port": 0, "serving.default_deadline": "30s", **given}
    async with (
        serving(load_settings(environment={}, overrides=overrides).settings) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Client(url, session)


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Runs a server in a folder: `async with serve(tmp_path, http__max_depth=5) as client`."""
    return _serve


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a running server with the default settings."""
    async with _serve(tmp_path / "data") as connected:
        yield connected
