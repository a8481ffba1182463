"""Loads text models for tests, and asks them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from edge_aiops_transformers.backend import TransformersBackend

from edge_aiops.plugin import ModelSource, Session, Tensors

Built = Callable[..., Path]
"""Makes the folder of a model; the fixture `built` is one."""


def texts(*given: str) -> Tensors:
    """The input of a text model."""
    return {"text": np.array(given, object)}


async def loaded(path: Path, **options: Any) -> Session:
    """The model in `path`."""
    source = ModelSource(name="model", version="1", path=path, options=options)
    return await TransformersBackend({}).load(source)
