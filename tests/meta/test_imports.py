"""What is imported before anybody needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "aiohttp",
    "alembic",
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
)
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
