"""A closed model's memory goes back to the system, also after many loads in threads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_aiops.testing import models
from edge_aiops.testing.models import saved

PROGRAM = """
import asyncio, os, sys
from pathlib import Path
import numpy as np
from edge_aiops.plugin import ModelSource
from edge_aiops.serving.memory import return_free_memory, return_large_blocks
from edge_aiops_onnx.backend import OnnxBackend

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

async def main():
    return_large_blocks()  # as the node does
    backend, most = OnnxBackend(), 0
    before = resident_mb()
    for _ in range(5):
        session = await backend.load(ModelSource(name="m", version="1", path=Path(sys.argv[1])))
        for rows in (1, 64, 3, 256):
            await session.predict({"input": np.zeros((rows, 1024), np.float32)})
        most = max(most, resident_mb() - before)
        await session.close()
        return_free_memory()
    print(round(most), round(resident_mb() - before))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_little_of_a_large_model_stays_after_it_is_closed(tmp_path: Path) -> None:
    path = saved(models.mlp(1024, 2048, 4096, 100), tmp_path / "model.onnx")
    command = [sys.executable, "-c", PROGRAM, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    most_mb, left_mb = map(int, done.stdout.split())
    assert most_mb > 40
    assert left_mb < 25
