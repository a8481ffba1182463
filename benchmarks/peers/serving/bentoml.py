"""BentoML with a service of its documented shape, started as `bentoml serve` starts it."""

from __future__ import annotations

import os
import sys
from typing import Any

import bentoml
import numpy as np

from benchmarks.peers.serving.session import session


@bentoml.service(logging={"access": {"enabled": False}})
class Onnx:
    """The model of the environment's MODEL."""

    def __init__(self) -> None:
        self.session = session(os.environ["MODEL"])

    @bentoml.api(route="/predict")
    def predict(self, input: list[list[float]]) -> dict[str, Any]:
        (output,) = self.session.run(None, {"input": np.asarray(input, dtype=np.float32)})
        return {"output": output.tolist()}


if __name__ == "__main__":
    os.environ["MODEL"] = sys.argv[1]
    arguments = ["-m", "bentoml", "serve", "benchmarks.peers.serving.bentoml:Onnx"]
    os.execv(sys.executable, [sys.executable, *arguments, "--host", "127.0.0.1", "--port", sys.argv[2]])
