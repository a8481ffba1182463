"""What this plugin adds: the backend `onnx`."""

from __future__ import annotations

from edge_aiops.plugin import BackendSpec, hookimpl


@hookimpl
def register_backends() -> list[BackendSpec]:
    """The backend `onnx`; ONNX Runtime is imported when the first model is loaded."""
    return [
        BackendSpec(
            name="onnx",
            factory="edge_aiops_onnx.backend:OnnxBackend",
            description="ONNX models, run by ONNX Runtime on the CPU",
            requires=("onnxruntime",),
            environment=("OMP_NUM_THREADS",),
        )
    ]
