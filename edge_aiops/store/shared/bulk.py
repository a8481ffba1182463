"""Statements for the paths where SQLAlchemy's share of the work would be larger than the database's.

Each await of SQLite's driver changes threads, and three of them are needed for a statement; under load every change
may wait for milliseconds until the other thread lets go of the interpreter. So here many statements take one change.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

_QUESTION = re.compile(r"\?")


class Each(NamedTuple):
    """A statement, with `?` where values go, and the values of each of its executions."""

    statement: str
    values: Sequence[tuple[Any, ...]]


async def execute_all(connection: AsyncConnection, statements: Iterable[Each]) -> None:
    """Execute statements, one after the other; those without values are passed over."""
    wanted = [each for each in statements if each.values]
    if connection.dialect.name != "sqlite":
        for statement, values in wanted:
            await connection.exec_driver_sql(_numbered(statement), list(values))
        return
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        # Not public, but the same that each of its public methods calls.
        await driver._execute(_execute, driver._conn, wanted)
    except sqlite3.Error as error:
        raise DBAPIError("; ".join(each.statement for each in wanted), None, error) from error


async def fetch_all(connection: AsyncConnection, statement: str, values: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
    """The rows that a statement gives."""
    if connection.dialect.name != "sqlite":
        return (await connection.exec_driver_sql(_numbered(statement), values)).all()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        return list(await driver.execute_fetchall(statement, values))
    except sqlite3.Error as error:
        raise DBAPIError(statement, None, error) from error


def _execute(connection: sqlite3.Connection, wanted: Iterable[Each]) -> None:
    for statement, values in wanted:
        connection.executemany(statement, values)


@cache
def _numbered(statement: str) -> str:
    """With the placeholders of PostgreSQL."""
    numbers = count(1)
    return _QUESTION.sub(lambda _: f"${next(numbers)}", statement)
