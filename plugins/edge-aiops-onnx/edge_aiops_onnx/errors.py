"""What ONNX Runtime says when something fails, in one line."""

from __future__ import annotations

import re

from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from edge_aiops.plugin import InvalidInput

_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : (?:Non-zero status code returned while )?")
_SOURCE_PLACE = re.compile(r"/\S+\.(?:h|cc|cpp):\d+ ")
_FILE = re.compile(r"Load model from \S+ failed: ?")
_LONGEST = 400


def reason_of(error: Exception) -> str:
    """The reason in an error of ONNX Runtime, without codes, line breaks and places on somebody's build machine."""
    text = " ".join(str(error).split())
    for noise in (_PREFIX, _FILE, _SOURCE_PLACE):
        text = noise.sub("", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def failure_of(error: Exception) -> Exception:
    """What the error of a run means to its caller: `InvalidInput` if the inputs are to blame, else `RuntimeError`."""
    # ONNX Runtime's errors share no base class.
    if isinstance(error, InvalidArgument):
        return InvalidInput(f"the model cannot run with these inputs: {reason_of(error)}")
    return RuntimeError(f"ONNX Runtime: {reason_of(error)}")
