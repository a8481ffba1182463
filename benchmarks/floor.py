"""The floor: aiohttp, msgspec and ONNX Runtime in one handler, which stores nothing and checks nothing.

python -m benchmarks.floor MODEL.onnx PORT
"""

from __future__ import annotations

import sys

import msgspec
import numpy as np
import onnxruntime
from aiohttp import web


class Request(msgspec.Struct):
    """What the floor reads of a request."""

    features: dict[str, list[list[float]]]


class Tensor(msgspec.Struct):
    """What the floor reads of a binary tensor."""

    name: str
    shape: list[int]


class Tensors(msgspec.Struct):
    """What the floor reads of an inference request."""

    inputs: list[Tensor]


def application(model: str) -> web.Application:
    """The bare handler around a session with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    decode = msgspec.json.Decoder(Request).decode
    encode = msgspec.json.Encoder().encode

    async def predict(request: web.Request) -> web.Response:
        body = decode(await request.read())
        inputs = {name: np.asarray(rows, dtype=np.float32) for name, rows in body.features.items()}
        (output,) = session.run(None, inputs)
        return web.Response(body=encode({"prediction": output.tolist()}), content_type="application/json")

    decode_tensors = msgspec.json.Decoder(Tensors).decode

    async def infer(request: web.Request) -> web.Response:
        body = await request.read()
        end = int(request.headers["Inference-Header-Content-Length"])
        (tensor,) = decode_tensors(body[:end]).inputs
        array = np.frombuffer(body, np.float32, offset=end).reshape(tensor.shape)
        (output,) = session.run(None, {tensor.name: array})
        data = output.tobytes()
        parameters = {"binary_data_size": len(data)}
        described = {"name": "probabilities", "shape": output.shape, "datatype": "FP32", "parameters": parameters}
        header = encode({"model_name": "probe", "model_version": "1", "outputs": [described]})
        return web.Response(body=header + data, headers={"Inference-Header-Content-Length": str(len(header))})

    async def alive(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_post("/predict", predict)
    app.router.add_post("/v2/models/probe/infer", infer)
    app.router.add_get("/livez", alive)
    return app


if __name__ == "__main__":
    web.run_app(application(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
