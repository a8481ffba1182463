"""KServe's Python SDK with a custom model of its documented shape, asked by the V1 protocol."""

from __future__ import annotations

import sys
from typing import Any

import kserve
import numpy as np

from benchmarks.peers.serving.session import session


class Onnx(kserve.Model):
    """One request a call."""

    def __init__(self, name: str, model: str) -> None:
        super().__init__(name)
        self.session = session(model)
        self.ready = True

    def predict(self, payload: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        (output,) = self.session.run(None, {"input": np.asarray(payload["instances"], dtype=np.float32)})
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    model, port = sys.argv[1], int(sys.argv[2])
    kserve.ModelServer(http_port=port, grpc_port=port + 1, workers=1).start([Onnx("probe", model)])
