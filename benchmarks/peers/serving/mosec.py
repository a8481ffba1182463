"""mosec with one JSON worker; a third argument is its largest batch, which it fills for at most its default 10 ms."""

from __future__ import annotations

import os
import sys
from typing import Any

import mosec
import numpy as np

from benchmarks.peers.serving.session import session


class Onnx(mosec.Worker):
    """One request a call."""

    def __init__(self) -> None:
        super().__init__()
        self.session = session(os.environ["MODEL"])

    def forward(self, data: dict[str, Any]) -> dict[str, Any]:
        (output,) = self.session.run(None, {"input": np.asarray(data["input"], dtype=np.float32)})
        return {"output": output.tolist()}


class Batched(Onnx):
    """The requests of a batch in one call."""

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows = np.concatenate([np.asarray(each["input"], dtype=np.float32) for each in data])
        (output,) = self.session.run(None, {"input": rows})
        ends = np.cumsum([len(each["input"]) for each in data])[:-1]
        return [{"output": part.tolist()} for part in np.split(output, ends)]


if __name__ == "__main__":
    model, port, *more = sys.argv[1:]
    max_batch = int(more[0]) if more else 1
    os.environ["MODEL"] = model  # for the worker's process
    # mosec reads its options from the command line.
    sys.argv[1:] = ["--address", "127.0.0.1", "--port", port, "--log-level", "warning"]
    server = mosec.Server()
    if max_batch > 1:
        server.append_worker(Batched, num=1, max_batch_size=max_batch)
    else:
        server.append_worker(Onnx, num=1)
    server.run()
