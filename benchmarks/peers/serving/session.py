"""The session that every peer runs, as ours is set up by default on one core."""

from __future__ import annotations

import onnxruntime


def session(model: str) -> onnxruntime.InferenceSession:
    """A session with one thread within operators."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options)
