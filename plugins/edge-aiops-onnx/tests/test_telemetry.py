"""ONNX Runtime is kept from reporting its use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["edge_aiops_onnx.backend", "edge_aiops_transformers.backend"])
def test_nothing_about_the_device_is_kept_for_the_maker_of_onnx_runtime(tmp_path: Path, module: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-B", "-c", f"import {module}"], env=environment, check=True)
    assert [*tmp_path.iterdir()] == []
