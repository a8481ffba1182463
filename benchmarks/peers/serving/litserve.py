"""LitServe with a LitAPI of its documented shape: decode, predict, encode in one worker."""

from __future__ import annotations

import sys
from typing import Any

import litserve
import numpy as np

from benchmarks.peers.serving.session import session


class Onnx(litserve.LitAPI):
    """The model of this process's first argument."""

    def setup(self, device: str) -> None:
        self.session = session(sys.argv[1])

    def decode_request(self, request):  # LitServe reads the annotations
        return np.asarray(request["input"], dtype=np.float32)

    def predict(self, rows: Any) -> Any:
        (output,) = self.session.run(None, {"input": rows})
        return output

    def encode_response(self, output):
        return {"output": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Onnx(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", generate_client_file=False)
