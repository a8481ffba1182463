"""What is imported before anybody needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "aiohttp",
    "alembic",
    "cryptography",
    "numpy",
    "onnxruntime",
    "pyarrow",
    "rich",
    "skl2onnx",
    "sklearn",
    "sqlalchemy",
    "tensorflow",
    "torch",
    "transformers",
    "tuf",
)
LATER = (
    "alembic",
    "asyncpg",
    "obstore",
    "onnxruntime",
    "opentelemetry",
    "prometheus_client",
    "pyarrow",
    "rich",
    "skl2onnx",
    "sklearn",
    "sqlalchemy",
    "standardwebhooks",
    "tuf",
)
"""What a node needs for some of its work at most, or its extras bring."""

_TELL = "import sys; print('\\n'.join(sorted({name.partition('.')[0] for name in sys.modules})))"


@pytest.mark.parametrize(
    "code",
    [
        "import edge_aiops",
        "from edge_aiops.cli.main import main; main([])",
        "from edge_aiops.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_imported_for_nothing(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"{code}\n{_TELL}"], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(HEAVY)


def test_a_node_that_serves_and_monitors_has_imported_nothing_that_it_may_never_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{_SERVE}\n{_TELL}", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) >= {"aiohttp", "edge_aiops", "numpy"}
    assert set(done.stdout.split()).isdisjoint(LATER)


_SERVE = """
import asyncio, sys

from edge_aiops.base.settings import load_settings
from edge_aiops.http.serve import serving_node

environment = {"EDGE_AIOPS_DATA__FOLDER": sys.argv[1], "EDGE_AIOPS_HTTP__PORT": "0"}


async def serve():
    async with serving_node(load_settings(environment=environment).settings, hub_url="http://127.0.0.1:9"):
        await asyncio.sleep(1.5)  # for what monitoring does every second


asyncio.run(serve())
"""
