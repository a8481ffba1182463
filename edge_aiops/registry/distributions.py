"""Whether the distributions that a model is registered with can be understood, asked before a node has to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from edge_aiops.base.errors import FieldError, InvalidInput
from edge_aiops.stats.descriptions import declared


async def check_distributions(content: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` that names each distribution which means nothing."""
    if not content:
        return
    faults = (await asyncio.to_thread(declared, content)).faults
    blamed = tuple(FieldError(f"baselineDistributions.{path}", message) for path, message in faults)
    if blamed:
        raise InvalidInput("; ".join(f"{field}: {message}" for field, message in blamed), fields=blamed)
