"""Statements for the paths where SQLAlchemy's share of the work would be larger than the database's.

Each await of SQLite's driver changes threads, and three of them are needed for a statement; under load every change
may wait for milliseconds until the other thread lets go of the interpreter. So here many statements take one change.
And SQLite lets go of the interpreter at each step of a statement, so where many rows come often they are put in with
one statement, which is one step.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Integer, LargeBinary, String, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

_QUESTION = re.compile(r"\?")
_ARRAYS = {Integer: "bigint", String: "text", LargeBinary: "bytea"}
"""Types of PostgreSQL by those of columns; `BigInteger` is an `Integer`."""


class Each(NamedTuple):
    """A statement, with `?` where values go, and the values of each of its executions."""

    statement: str
    values: Sequence[tuple[Any, ...]]


class Put(NamedTuple):
    """Rows for a table that go in with one statement; none of their values is null, and no two have the same key where
    `conflict` updates."""

    table: Table
    conflict: str
    """What stands behind ON CONFLICT."""
    values: Sequence[tuple[Any, ...]]
    """In the order of the table's columns."""


async def execute_all(connection: AsyncConnection, statements: Iterable[Each | Put]) -> None:
    """Execute statements, one after the other; those without values are passed over."""
    wanted = [one for one in statements if one.values]
    if connection.dialect.name != "sqlite":
        for one in wanted:
            if isinstance(one, Put):
                columns = tuple(map(list, zip(*one.values, strict=True)))
                await connection.exec_driver_sql(_put_arrays(one.table, one.conflict), columns)
            else:
                await connection.exec_driver_sql(_numbered(one.statement), list(one.values))
        return
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        # Not public, but the same that each of its public methods calls.
        await driver._execute(_execute, driver._conn, wanted)
    except sqlite3.Error as error:
        raise DBAPIError("; ".join(map(_said, wanted)), None, error) from error


async def fetch_all(connection: AsyncConnection, statement: str, values: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
    """The rows that a statement gives."""
    if connection.dialect.name != "sqlite":
        return (await connection.exec_driver_sql(_numbered(statement), values)).all()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        return list(await driver.execute_fetchall(statement, values))
    except sqlite3.Error as error:
        raise DBAPIError(statement, None, error) from error


def _execute(connection: sqlite3.Connection, wanted: Iterable[Each | Put]) -> None:
    for one in wanted:
        if isinstance(one, Put):
            connection.execute(_put_json(one.table, one.conflict), _json(one))
        else:
            connection.executemany(one.statement, one.values)


def _said(one: Each | Put) -> str:
    return one.statement if isinstance(one, Each) else _put_json(one.table, one.conflict)


def _json(put: Put) -> tuple[str | bytes, ...]:
    """Rows as a JSON array, with the place and length of each of their bytes within all bytes."""
    binary = _binary(put.table)
    parts = [b"-"]  # a part of nothing at all would be null
    place = 2
    rows = [list(values) for values in put.values]
    for row in rows:
        for index in binary:
            parts.append(part := row[index])
            row[index] = (place, len(part))
            place += len(part)
    content = (b"".join(parts),) if binary else ()
    return msgspec.json.encode(rows).decode(), *content


@cache
def _binary(table: Table) -> tuple[int, ...]:
    return tuple(place for place, column in enumerate(table.columns) if isinstance(column.type, LargeBinary))


@cache
def _put_json(table: Table, conflict: str) -> str:
    binary = _binary(table)
    columns = [
        f"substr(?2, value ->> '$[{place}][0]', value ->> '$[{place}][1]')" if place in binary else f"value ->> {place}"
        for place in range(len(table.columns))
    ]
    # Without WHERE the parser would take ON for that of a join.
    return f"INSERT INTO {table.name} SELECT {', '.join(columns)} FROM json_each(?1) WHERE true ON CONFLICT {conflict}"


@cache
def _put_arrays(table: Table, conflict: str) -> str:
    arrays = [
        f"${place}::{next(name for kind, name in _ARRAYS.items() if isinstance(column.type, kind))}[]"
        for place, column in enumerate(table.columns, 1)
    ]
    return f"INSERT INTO {table.name} SELECT * FROM unnest({', '.join(arrays)}) ON CONFLICT {conflict}"


@cache
def _numbered(statement: str) -> str:
    """With the placeholders of PostgreSQL."""
    numbers = count(1)
    return _QUESTION.sub(lambda _: f"${next(numbers)}", statement)
