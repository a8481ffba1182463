"""Writes the small models in `models`; needs TensorFlow: `python plugins/edge-aiops-tensorflow/tests/make_models.py`.

classifier.tflite        features float32[N, 16] -> output_0 float32[N, 4], dynamic batch
quantised.tflite         the same in integers inside: int8 in, uint8 out
signatures.tflite        `twice`: x float32[N, 4] -> doubled; `pick`: words string[N], which int32[N] -> picked
loop.tflite              n int32, x float32[4] -> total: x, n times added up
pairs.tflite             x float32[N, any] -> y float32[N, 2]; runs only with rows of four
flex.tflite              an operation of TensorFlow's own
custom.tflite            an operation that nobody has
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).parent / "models"


class Module(tf.Module):  # type: ignore[misc]
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int32)])
    def pick(self, words: Any, which: Any) -> Any:
        return {"picked": tf.gather(words, which)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def twice(self, x: Any) -> Any:
        return {"doubled": 2 * x}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
    def pairs(self, x: Any) -> Any:
        return {"y": tf.matmul(x, tf.ones([4, 2]))}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32), tf.TensorSpec([4], tf.float32)])
    def loop(self, n: Any, x: Any) -> Any:
        total = tf.zeros([4])
        for _ in tf.range(n):
            total = total + x
        return {"total": total}

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4], tf.float32)])
    def determinant(self, x: Any) -> Any:
        return {"y": tf.linalg.det(x)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def upper(self, x: Any) -> Any:
        return {"y": tf.strings.upper(x)}


def write(name: str, converter: Any, **settings: Any) -> None:
    for setting, value in settings.items():
        setattr(converter, setting, value)
    (FOLDER / f"{name}.tflite").write_bytes(converter.convert())


def write_signatures(name: str, *signatures: str, operations: str = "TFLITE_BUILTINS", **settings: Any) -> None:
    module = Module()
    with TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={key: getattr(module, key) for key in signatures})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet[operations]]
        write(name, converter, **settings)


def classifier() -> Any:
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Input((16,), name="features"),
        keras.layers.Dense(32, "relu"),
        keras.layers.Dense(4, "softmax"),
    ]
    return tf.lite.TFLiteConverter.from_keras_model(keras.Sequential(layers))


def examples() -> Iterator[list[Any]]:
    random = np.random.default_rng(0)
    for _ in range(20):
        yield [random.random((1, 16), np.float32)]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    write("classifier", classifier())
    quantised = classifier()
    quantised.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    write(
        "quantised",
        quantised,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=examples,
        inference_input_type=tf.int8,
        inference_output_type=tf.uint8,
    )
    write_signatures("signatures", "pick", "twice")
    write_signatures("loop", "loop")
    write_signatures("pairs", "pairs")
    write_signatures("flex", "determinant", operations="SELECT_TF_OPS")
    write_signatures("custom", "upper", allow_custom_ops=True)


if __name__ == "__main__":
    main()
