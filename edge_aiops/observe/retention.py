"""Keeps windows as long as the configuration says, and deletes the others in slices."""

from __future__ import annotations

import logging
from functools import partial

from edge_aiops.base.clock import Clock
from edge_aiops.observe.config import RetentionConfig
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.observe.store import RETIRE_SLICE, retire
from edge_aiops.store.local import LocalDatabase

MAX_SHARE = 0.2

_COUNT = "SELECT count(*) FROM window WHERE width_ms = ?"

logger = logging.getLogger(__name__)


class WindowRetention:
    """Deletes windows that are too old and are merged into wider ones; one pass at most a fifth of each width."""

    def __init__(self, database: LocalDatabase, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, config: RetentionConfig) -> int:
        """One pass; gives how many windows were deleted. The clock must be one that can be believed."""
        kept_s = {"5min": config.five_minute, "hourly": config.hourly, "daily": config.daily}
        deleted = 0
        for granularity, width_ms in WIDTH_MS.items():
            before_ms = self._clock.now_ms() - int(kept_s[granularity] * 1000)
            ((count,),) = await self._database.read(_COUNT, (width_ms,))
            deleted += await self._retire(width_ms, before_ms, most=max(int(count * MAX_SHARE), 1))
        if deleted:
            logger.info("retention deleted %d windows", deleted)
        return deleted

    async def _retire(self, width_ms: int, before_ms: int, *, most: int) -> int:
        deleted = 0
        while deleted < most:
            limit = min(RETIRE_SLICE, most - deleted)
            count = await self._database.write(partial(retire, width_ms=width_ms, before_ms=before_ms, limit=limit))
            if count == 0:
                break
            deleted += count
        return deleted
