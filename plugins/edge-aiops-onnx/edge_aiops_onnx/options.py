"""What may be said about a model when it is registered, and how that becomes a configuration of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import onnxruntime
from msgspec import Meta, Struct

from edge_aiops.plugin import default_threads

_QUIET = 4  # Failures reach the caller as exceptions; ONNX Runtime would write each to stderr as well.


class OnnxOptions(Struct, frozen=True, rename="camel"):
    """The `options` of an ONNX model."""

    intra_op_threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    """Threads that one run may use; else the first number in OMP_NUM_THREADS, else 1: a small model answers soonest
    on one thread, and several models or callers fill the other cores."""

    memory_arena: bool = False
    """Keep the memory of past runs for the next: up to a fifth faster in large batches, several times the memory."""


def session_options(options: OnnxOptions, environment: Mapping[str, str]) -> onnxruntime.SessionOptions:
    """A configuration for an edge node: all graph optimisations, no threads that spin, no memory kept back."""
    chosen = onnxruntime.SessionOptions()
    chosen.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    chosen.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    chosen.intra_op_num_threads = options.intra_op_threads or default_threads(environment)
    chosen.inter_op_num_threads = 1
    chosen.enable_cpu_mem_arena = options.memory_arena
    chosen.enable_mem_pattern = options.memory_arena
    chosen.log_severity_level = _QUIET
    # A spinning pool answers some microseconds sooner and burns a core while nobody asks anything.
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return chosen


def run_options() -> onnxruntime.RunOptions:
    """A configuration for one run, through which it can be terminated."""
    chosen = onnxruntime.RunOptions()
    chosen.log_severity_level = _QUIET
    return chosen
