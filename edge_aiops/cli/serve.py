"""`edge-aiops serve`."""

from __future__ import annotations

import asyncio
import sys

from edge_aiops.base.settings import Settings


def run(settings: Settings) -> None:
    """Serve until stopped."""
    from edge_aiops.http.serve import serve_until_stopped

    asyncio.run(serve_until_stopped(settings, ready=lambda url: print(f"edge_aiops serves on {url}", file=sys.stderr)))
