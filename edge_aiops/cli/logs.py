"""What is written to standard error while a server runs."""

from __future__ import annotations

import logging

_CHATTY = ("sqlalchemy", "alembic", "aiosqlite", "asyncio", "httpx")


def configure_logs(level: str) -> None:
    """Log from `level` on, one line a message; libraries that tell every step only warn."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S", force=True
    )
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
