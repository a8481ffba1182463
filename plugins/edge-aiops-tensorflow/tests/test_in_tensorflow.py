"""Runs the tests that need TensorFlow, which takes half a gigabyte and is never unloaded, in a process of their own.

To run them by hand: `pytest plugins/edge-aiops-tensorflow/tests/in_tensorflow/*_models.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULES = sorted(Path(__file__).parent.joinpath("in_tensorflow").glob("*_models.py"))


@pytest.mark.timeout(400)
def test_savedmodels_and_keras_models_keep_their_promises(pytestconfig: pytest.Config) -> None:
    pytest.importorskip("h5py", reason="comes with TensorFlow")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, MODULES)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, env=environment, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=380
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
