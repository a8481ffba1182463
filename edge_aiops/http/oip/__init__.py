"""The Open Inference Protocol, version 2: tensors as KServe and Triton write them, in JSON and in binary."""
