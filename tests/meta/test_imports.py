"""What is imported before anybody needs it."""

from __future__ import annotations

import subprocess
import sys
import time
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
    "cryptography",
    "difflib",
    "edge_aiops.cli.model",
    "edge_aiops.http.docs_page",
    "edge_aiops.hub.hub",
    "edge_aiops.isolation.session",
    "edge_aiops.isolation.threaded",
    "edge_aiops.observe.baselines.dataset.making",
    "edge_aiops.serving.benchmark.run",
    "edge_aiops.store.shared",
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
    "tomllib",
    "tuf",
)
"""What a node needs for some of its work at most, for an exchange with its hub, or for what its extras bring."""

_TELL = "import sys; print('\\n'.join(sys.modules))"


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
    imported = _said_after_serving(tmp_path, _TELL)
    assert imported >= {"aiohttp", "edge_aiops.node.node", "numpy"}
    assert imported.isdisjoint(LATER)


def test_a_node_does_not_look_for_garbage_in_what_it_has_imported(tmp_path: Path) -> None:
    (objects,) = _said_after_serving(tmp_path, "import gc; print(gc.get_freeze_count())")
    assert int(objects) > 50_000


def _said_after_serving(folder: Path, tell: str) -> set[str]:
    """The words that `tell` prints when a node whose hub is away has served, and monitored for a second."""
    command = f"main(['--data', {str(folder)!r}, 'node', '--port', '0', '--hub', 'http://127.0.0.1:9'])"
    code = f"from edge_aiops.cli.main import main\n{command}\n{tell}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        assert "edge_aiops node on http" in node.stdout.readline()
        time.sleep(1.5)
        node.terminate()
        said, _ = node.communicate(timeout=60)
    assert node.returncode == 0
    return set(said.split())
