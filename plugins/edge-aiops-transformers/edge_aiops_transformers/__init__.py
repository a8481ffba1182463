"""Serves Hugging Face models in edge_aiops: embeddings and classification of text."""

import os

# From version 1.32 on ONNX Runtime keeps an identifier of the device and sends events to its maker. It looks when it is
# imported; who wants it says ORT_DISABLE_TELEMETRY=0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
