"""A running server in a folder of the test's own, in this process or in another, and a client that speaks to it."""

from __future__ import annotations

import asyncio
import base64
import importlib
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import onnx
import pytest
from multidict import CIMultiDictProxy
from yarl import URL

from edge_aiops.base.clock import Clock
from edge_aiops.base.settings import load_settings
from edge_aiops.cli.demo import datasets
from edge_aiops.http.serve import serving
from edge_aiops.testing.models import gemm_softmax
from tests.device import Device
from tests.hub_stores import postgresql_server, s3_url, stores  # noqa: F401  # fixtures for every test

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
        assert self.body.keys() - {"errors", "error"} == {"type", "title", "status", "detail", "code"}
        assert self.body["status"] == self.status
        assert self.body["type"] == f"urn:edge-aiops:{self.body['code']}"
        assert "Traceback" not in self.body["detail"]
        return self.status, self.body["code"]


class Client:
    """Calls one server."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.port = URL(url).port
        self.headers: dict[str, str] = {}
        """What every request carries."""
        self._session = session

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """Send a request; `path` goes out as it is written, `more` is what aiohttp takes."""
        url = URL(self.url + path, encoded=True) if "params" not in more else self.url + path
        headers = {**self.headers, **(more.pop("headers", None) or {})}
        async with self._session.request(method, url, allow_redirects=False, headers=headers, **more) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **more: Any) -> Answer:
        """GET."""
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        """POST, `body` as JSON if given."""
        return await self.call("POST", path, **({"json": body} if body is not None else {}), **more)

    async def as_node(self, **token: Any) -> Device:
        """A device that has just joined, with a session; `token` are fields of the token that it joins with."""
        device = Device(self)
        assert (await device.join(await device.token(**token))).status == 200
        assert (await device.open_session()).status == 200
        return device

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
async def _serve(folder: Path, *, clock: Clock | None = None, **settings: object) -> AsyncIterator[Client]:
    given = {key.replace("__", ".", 1): value for key, value in settings.items()}
    # A busy machine must not make a deadline of a test that is about something else.
    overrides = {"data.folder": str(folder), "http.port": 0, "serving.default_deadline": "30s", **given}
    chosen = load_settings(environment={}, overrides=overrides).settings
    async with serving(chosen, clock=clock) as url, _connected(url) as client:
        yield client


SERVE = "import sys; from edge_aiops.cli.main import main; sys.exit(main())"


class ServerProcess:
    """`edge-aiops serve`, or another command that serves, in a process of its own, on a folder and a free port."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""
        """What it has printed so far."""

    @classmethod
    async def start(
        cls, folder: Path, *, program: str = SERVE, command: str = "serve", **environment: str
    ) -> ServerProcess:
        """Start it, without waiting until it is ready; `program` is the code that runs the command."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, *command.split()),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "EDGE_AIOPS_DATA__FOLDER": str(folder),
                "EDGE_AIOPS_HTTP__PORT": "0",
                "EDGE_AIOPS_SERVING__DEFAULT_DEADLINE": "30s",
                **environment,
            },
        )
        return cls(process)

    async def ready(self) -> str:
        """Wait until it says its address; gives it."""
        assert self._process.stdout is not None
        while not (said := re.search(r"http://[\d.]+:\d+", self.said)):
            line = await self._process.stdout.readline()
            assert line, f"the server ended with {await self._process.wait()}: {self.said}"
            self.said += line.decode()
        return said[0]

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait until it has ended; gives the exit code, negative for a signal."""
        assert self._process.stdout is not None
        self.said += (await self._process.stdout.read()).decode()
        return await self._process.wait()


@pytest.fixture
async def server_process() -> AsyncIterator[Callable[..., Awaitable[ServerProcess]]]:
    """Starts `edge-aiops serve`, or another `command`, in another process; what still runs after the test is killed."""
    started: list[ServerProcess] = []

    async def start(folder: Path, **more: str) -> ServerProcess:
        started.append(await ServerProcess.start(folder, **more))
        return started[-1]

    yield start
    for process in started:
        process.send(signal.SIGKILL)
        await process.ended()


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(url, session)


@pytest.fixture(scope="session")
def connect() -> Callable[[str], AbstractAsyncContextManager[Client]]:
    """A client of the server at an address: `async with connect(url) as client`."""
    return _connected


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Runs a server in a folder: `async with serve(tmp_path, http__max_depth=5) as client`."""
    return _serve


@pytest.fixture(scope="session")
def datasets_folder() -> Path:
    """Where `make datasets` has put the data sets with real drift."""
    folder = Path(__file__).parents[1] / ".cache" / "datasets"
    if not datasets.complete(folder):
        pytest.fail("the data sets are not there, or not what they should be; run `make datasets`")
    return folder


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a running server with the default settings."""
    async with _serve(tmp_path / "data") as connected:
        yield connected


@pytest.fixture
def chaos_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the plugin `chaos` installed, for this process and for those that it starts."""
    site = tmp_path / "chaos-site"
    information = site / "edge_aiops_chaos-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: edge-aiops-chaos\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[edge_aiops]\nchaos = edge_aiops_chaos\n")
    shutil.copy(Path(__file__).parent / "chaos" / "edge_aiops_chaos.py", site)
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
