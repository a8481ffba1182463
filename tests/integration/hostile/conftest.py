"""One server for each module of hostile requests, so that the last request finds what the others left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder around the data folder, where nothing may be written."""
    return tmp_path_factory.mktemp("around")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target(serve: Any, around: Path) -> AsyncIterator[Any]:
    """A client of a server with the ONNX model `model`; it must be well afterwards."""
    async with serve(
        around / "data", http__max_body_bytes=1_000_000, http__max_elements=10_000, http__max_upload_bytes=5_000_000
    ) as client:
        await client.register(stage="production")
        await client.predict()
        client.headers = (await client.as_node()).headers
        yield client
        assert (await client.get("/readyz")).status == 200
        assert (await client.predict())["deploymentVersion"] == 1
        assert [model["modelName"] for model in (await client.get("/models")).body] == ["model"]
    assert _names_in(around) == ["data"]


def _names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
