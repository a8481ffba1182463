"""The parameters of a request that mean something here; others are ignored, as the protocol wants it."""

from __future__ import annotations

from typing import Any

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.oip.messages import Parameters
from edge_aiops.serving.request import Priority

_PRIORITIES = (Priority.LIVE, Priority.LIVE, Priority.SHADOW, Priority.BENCHMARK)
"""By Triton's number: 0 is what the server takes usually, and the smaller goes first."""

NO_SHARED_MEMORY = "shared memory is not supported; send and ask for binary data instead"
_NO_SEQUENCES = "sequences are not supported; send the model's state as tensors"


def timeout_s(parameters: Parameters) -> float | None:
    """`timeout`, which is in microseconds; None where there is none. Raises `InvalidInput`."""
    microseconds = _count(parameters, "timeout")
    return microseconds / 1e6 if microseconds else None


def priority(parameters: Parameters) -> Priority:
    """`priority`. Raises `InvalidInput`."""
    return _PRIORITIES[min(_count(parameters, "priority") or 0, len(_PRIORITIES) - 1)]


def binary_outputs(parameters: Parameters) -> bool:
    """`binary_data_output`: whether outputs are wanted in binary that do not say. Raises `InvalidInput`."""
    return _flag(parameters, "binary_data_output", default=False)


def in_binary(tensor: str, parameters: Parameters, *, default: bool) -> bool:
    """`binary_data`: whether an output is wanted in binary. Raises `InvalidInput` that names the output."""
    return _flag(parameters, "binary_data", default=default, of=f"{tensor}: ")


def classes(tensor: str, parameters: Parameters) -> int:
    """`classification`: how many classes are wanted, 0 for none. Raises `InvalidInput`."""
    return _count(parameters, "classification", of=f"{tensor}: ") or 0


def binary_size(tensor: str, parameters: Parameters) -> int | None:
    """`binary_data_size`, None where the data stand in the JSON. Raises `InvalidInput` that names the tensor."""
    return _count(parameters, "binary_data_size", of=f"{tensor}: ")


def refuse_sequences(parameters: Parameters) -> None:
    """Raises `InvalidInput` where a request is one of a sequence, whose state nobody keeps here."""
    _refuse(parameters, "sequence_", _NO_SEQUENCES)


def refuse_shared_memory(tensor: str, parameters: Parameters) -> None:
    """Raises `InvalidInput` that names the tensor where it lies in shared memory."""
    _refuse(parameters, "shared_memory_", NO_SHARED_MEMORY, of=f"{tensor}: ")


def refuse_overrides(parameters: Parameters) -> None:
    """Raises `InvalidInput` where a model is to be loaded otherwise than it was registered."""
    for name in parameters:
        if name == "config" or name.startswith("file:"):
            raise InvalidInput.of(name, "a model is loaded as it was registered; register a version with POST /models")


def _refuse(parameters: Parameters, prefix: str, why: str, *, of: str = "") -> None:
    for name in parameters:
        if name.startswith(prefix):
            raise InvalidInput.of(of + name, why)


def _flag(parameters: Parameters, name: str, *, default: bool, of: str = "") -> bool:
    value = parameters.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidInput.of(of + name, f"{_quoted(value)} is not true or false")
    return value


def _count(parameters: Parameters, name: str, *, of: str = "") -> int | None:
    value = parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise InvalidInput.of(of + name, f"{_quoted(value)} is not a whole number from 0 to 2^63 - 1")
    return value


def _quoted(value: Any) -> str:
    return repr(value)[:40]
