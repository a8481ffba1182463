"""MLServer with a custom runtime of its documented shape, which speaks the Open Inference Protocol."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
from mlserver import MLModel, MLServer
from mlserver.codecs import NumpyCodec
from mlserver.settings import ModelParameters, ModelSettings, Settings
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.peers.serving.session import session


class Onnx(MLModel):
    """The model at its settings' URI."""

    async def load(self) -> bool:
        self.session = session(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32)
        (output,) = self.session.run(None, {"input": rows})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("output", output)])


async def serve(model: str, port: int) -> None:
    """MLServer as it is by default, with one worker for inference; its other ports are the next two."""
    settings = Settings(host="127.0.0.1", http_port=port, grpc_port=port + 1, metrics_port=port + 2, debug=False)
    probe = ModelSettings(
        name="probe",
        implementation="benchmarks.peers.serving.mlserver.Onnx",
        parameters=ModelParameters(uri=model),
    )
    await MLServer(settings).start([probe])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
