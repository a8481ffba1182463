"""Says what a file looks like that was registered as ONNX and is not."""

from __future__ import annotations

_MAGIC = (
    (0, b"version https://git-lfs", "a Git LFS pointer; fetch the file it stands for"),
    (0, b"PK\x03\x04", "a zip archive, such as a PyTorch or Keras file"),
    (0, b"\x89HDF\r\n", "an HDF5 file, such as a Keras model"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x1f\x8b", "a gzip file; unpack it first"),
    (0, b"\x7fELF", "a program or library"),
    (0, b"GGUF", "a GGUF model"),
    (4, b"TFL3", "a TensorFlow Lite model"),
    (4, b"ORTM", "a model in ORT format; save it as .onnx"),
    (8, b'{"', "a safetensors file"),
)
_PICKLE_PROTOCOLS = b"\x02\x03\x04\x05"
HEAD_SIZE = 512
"""Bytes of a file that `looks_like` wants to see."""


def looks_like(head: bytes) -> str:
    """A few words about a file that begins with `head`: `a pickle`, `a zip archive, ...`."""
    if not head:
        return "an empty file"
    for offset, magic, words in _MAGIC:
        if head.startswith(magic, offset):
            return words
    if head[0] == 0x80 and head[1:2] in (_PICKLE_PROTOCOLS[i : i + 1] for i in range(4)):
        return "a Python pickle, which is never loaded because it may run any code"
    return "text" if _is_text(head) else "unknown or damaged data"


def _is_text(head: bytes) -> bool:
    # The last character may be cut in two.
    text = head.decode("utf-8", errors="replace").rstrip("\ufffd")
    return bool(text) and all(character.isprintable() or character in "\r\n\t" for character in text)
