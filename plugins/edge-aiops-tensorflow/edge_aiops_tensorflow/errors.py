"""What TensorFlow and LiteRT say when something fails, in one line."""

from __future__ import annotations

import re

_NOISE = (
    # What stands around the reason: the objects that passed it on, the code that once built the graph.
    re.compile(r"^.*Exception encountered: ", re.DOTALL),
    re.compile(r"^Graph execution error:\s*(?:Detected at .*?\nNode: '[^\n]*'\n)?", re.DOTALL),
    re.compile(r"^\{\{function_node [^}]*\}\}\s*"),
    re.compile(r"\s*(?:\[\[\{\{|\[Op:).*", re.DOTALL),
    # Places in somebody's source tree, and where the artifact was unpacked.
    re.compile(r"\S+/(?:kernels|core)/\S+\.(?:h|cc)(?::\d+)?\s+"),
    re.compile(r"\S*/edge_aiops-\w+/"),
)
_GLUED = re.compile(r"(?<=[a-z.)])\s*(?=Node number \d)")
_LONGEST = 400


def reason_of(error: BaseException) -> str:
    """The reason in an error, without line breaks, tracebacks and places on somebody's machine."""
    text = str(error)
    for noise in _NOISE:
        text = noise.sub("", text)
    text = _GLUED.sub("; ", " ".join(text.split()))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
