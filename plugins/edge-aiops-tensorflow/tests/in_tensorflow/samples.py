"""A SavedModel with signatures of many kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf


class Samples(tf.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable(tf.random.stateless_normal([16, 4], [1, 2]))

    @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32, name="features")])
    def scores(self, features: Any) -> Any:
        return {"scores": tf.nn.softmax(features @ self.weights)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def lengths(self, words: Any) -> Any:
        return {"upper": tf.strings.upper(words), "lengths": tf.strings.length(words, unit="UTF8_CHAR")}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 4], tf.bfloat16, name="brain"), tf.TensorSpec([None, 4], tf.half)]
    )
    def halves(self, brain: Any, half: Any) -> Any:
        return {"brain": brain + 1, "half": half + 1}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.complex64, name="z")])
    def complex(self, z: Any) -> Any:
        return {"z": z}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="anything")])
    def unranked(self, anything: Any) -> Any:
        return {"twice": 2 * anything}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32, name="x")])
    def pairs(self, x: Any) -> Any:
        return {"y": x @ tf.ones([4, 2])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def fails(self, x: Any) -> Any:
        return {"bytes": tf.io.encode_base64(tf.io.read_file("/no/such/file")), "x": x}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def raw_bytes(self, x: Any) -> Any:
        return {"raw": tf.constant([b"\xff\xfe"]), "x": x}


def save(folder: Path) -> Path:
    """`folder`, with the SavedModel; `scores` is the default signature."""
    module = Samples()
    names = ["lengths", "halves", "complex", "unranked", "pairs", "fails", "raw_bytes"]
    signatures = {"serving_default": module.scores} | {name: getattr(module, name) for name in names}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder
