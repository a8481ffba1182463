"""Serves ONNX models in edge_aiops with ONNX Runtime."""
