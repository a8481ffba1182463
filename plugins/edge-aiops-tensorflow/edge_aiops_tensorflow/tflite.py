"""TensorFlow Lite models, run by LiteRT."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edge_aiops.plugin import InvalidInput, InvalidModel, Signature, Tensors
from edge_aiops_tensorflow.errors import reason_of
from edge_aiops_tensorflow.interpreter import Runner, signature_runner, tensor_runner
from edge_aiops_tensorflow.options import TfliteOptions

_MISSING = re.compile(r"(?:unresolved custom op|Select TensorFlow op).*Node number \d+ \((?:Flex)?(\w+)\)")
_REMEDY = (
    "convert the model with built-in operations only (without SELECT_TF_OPS and allow_custom_ops), or register its "
    "SavedModel with trust: code, which TensorFlow runs"
)


class TfliteModel:
    """A `.tflite` file in as many interpreters as runs may go on at the same time; none is used by two."""

    def __init__(self, path: Path, options: TfliteOptions, *, threads: int) -> None:
        """Raises `InvalidModel` that says what is wrong with the file or the options."""
        self._idle = deque(_runner(path, options, threads) for _ in range(options.interpreters))
        self.concurrency = options.interpreters
        runner = self._idle[0]
        self.predictable = runner.predictable
        self.signature = Signature(
            tuple(tensor.spec for tensor in runner.inputs), tuple(tensor.spec for tensor in runner.outputs)
        )

    def run(self, inputs: Tensors) -> Tensors:
        """All outputs. Raises `InvalidInput` for a size that the model cannot be given."""
        for name, array in inputs.items():
            if not array.size:
                raise InvalidInput.of(name, f"has no elements, its shape is {list(array.shape)}; the model needs some")
        runner = self._idle.pop()
        try:
            return runner.run(inputs)
        finally:
            self._idle.append(runner)

    def close(self) -> None:
        """Free the interpreters."""
        self._idle.clear()


def _runner(path: Path, options: TfliteOptions, threads: int) -> Runner:
    resolver = OpResolverType.AUTO if options.xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        # LiteRT checks the file's offsets from end to end before it follows any.
        interpreter = Interpreter(str(path), num_threads=threads, experimental_op_resolver_type=resolver)
        key = _signature_key(list(interpreter.get_signature_list()), options.signature)
        _prepare(interpreter)
        if key is None:
            return tensor_runner(interpreter, dequantize=options.dequantize)
        return signature_runner(interpreter, key, dequantize=options.dequantize)
    except InvalidModel:
        raise
    except Exception as error:
        # LiteRT raises plain ValueError and RuntimeError, and names that are no text fail when they are read.
        raise InvalidModel(f"LiteRT cannot load the model: {reason_of(error)}") from error


def _prepare(interpreter: Interpreter) -> None:
    """Find out whether every operation can run. Raises `InvalidModel` for one that is missing."""
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        if missing := _MISSING.search(reason_of(error)):
            raise InvalidModel(f"the model uses {missing[1]}, which is not built into LiteRT; {_REMEDY}") from error
        if not any((details["shape_signature"][1:] < 0).any() for details in interpreter.get_input_details()):
            raise
        # Sizes that are left open count as 1 until a run sets them, and not every model can do with that.


def _signature_key(keys: list[str], wanted: str | None) -> str | None:
    """The signature to serve; None for a model without, whose tensors are served as they are."""
    known = ", ".join(keys) or "none"
    if wanted is not None:
        if wanted not in keys:
            raise InvalidModel.of("options.signature", f"there is no signature {wanted!r}; the model has: {known}")
        return wanted
    if "serving_default" in keys:
        return "serving_default"
    if len(keys) > 1:
        raise InvalidModel.of("options.signature", f"say which signature to serve; the model has: {known}")
    return keys[0] if keys else None
