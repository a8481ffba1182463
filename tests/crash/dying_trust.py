"""A node's refresh of what it trusts, in a process that kills itself at one of the steps of writing files.

Arguments: the hub's address, the folder, the file of the first root, and at which step to die, counted from 1.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.offers import Offers
from edge_aiops.fleet.node.trust import Trust
from edge_aiops.testing.clock import FakeClock


def armed(number: int) -> None:
    """From now on the process has that many fsyncs and renamings to live; it dies before the last."""
    steps = count(1)

    def deadly(step: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **more: Any) -> Any:
            if next(steps) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **more)

        return counted

    os.fsync, os.replace = deadly(os.fsync), deadly(os.replace)


async def open_session() -> Session:
    """A session; the hub looks at none."""
    return Session(token="session", expires_in_s=900)


async def refresh(url: str, folder: Path, root: bytes) -> None:
    """Trust and accept what the hub offers."""
    trust = await Trust.open(folder, root, clock=FakeClock())
    async with aiohttp.ClientSession() as session:
        offers = Offers(HubClient(url, http=session, open_session=open_session), trust)
        assert await offers.newest(None) is not None
        await offers.accepted()


if __name__ == "__main__":
    address, folder, root_file, die_at = sys.argv[1:]
    armed(int(die_at))
    asyncio.run(refresh(address, Path(folder), Path(root_file).read_bytes()))
