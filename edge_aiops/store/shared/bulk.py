"""Statements for the paths where SQLAlchemy's share of the work would be larger than the database's.

Each await of SQLite's driver changes threads, and three of them are needed for a statement; under load every change
may wait for milliseconds until the other thread lets go of the interpreter. So here a whole function of statements,
a generator that yields them and is sent what they give, takes one change.
And SQLite lets go of the interpreter at each step of a statement, so where many rows come often they are put in with
few statements, each of which is one step.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, count
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Integer, LargeBinary, String, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

_QUESTION = re.compile(r"\?")
_ARRAYS = {Integer: "bigint", String: "text", LargeBinary: "bytea"}
"""Types of PostgreSQL by those of columns; `BigInteger` is an `Integer`."""
_SIZES = (64, 32, 16, 8, 4, 2, 1)

T = TypeVar("T")


class Ask(NamedTuple):
    """A statement that gives rows, with `?` where values go; by dialect, where they differ."""

    statement: str | Mapping[str, str]
    values: tuple[Any, ...] = ()


class Each(NamedTuple):
    """A statement, with `?` where values go, and the values of each of its executions."""

    statement: str
    values: Sequence[tuple[Any, ...]]


class Put(NamedTuple):
    """Rows for a table that go in together; none of their values is null, and no two have the same key where `conflict`
    updates."""

    table: Table
    conflict: str
    """What stands behind ON CONFLICT."""
    values: Sequence[tuple[Any, ...]]
    """In the order of the table's columns."""


Rows = Sequence[Sequence[Any]]
Steps = Generator[Ask | Each | Put, Rows, T]
"""What is done within a transaction, statement by statement; to each `Ask` its rows are sent. It runs in any thread."""


async def perform(connection: AsyncConnection, steps: Steps[T]) -> T:
    """What `steps` gives."""
    if connection.dialect.name == "sqlite":
        return await _on_driver(connection, lambda raw: _performed(raw, steps))
    try:
        step = next(steps)
        while True:
            step = steps.send(await _executed(connection, step))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


async def transact(connection: AsyncConnection, steps: Steps[T]) -> T:
    """What `steps` gives, in a transaction of its own, on a connection of SQLite that is in none."""
    return await _on_driver(connection, lambda raw: _transacted(raw, steps))


async def execute_all(connection: AsyncConnection, statements: Iterable[Each | Put]) -> None:
    """Execute statements, one after the other; those without values are passed over."""

    def steps() -> Steps[None]:
        for statement in statements:  # noqa: UP028 - to an iterable no rows can be sent
            yield statement

    await perform(connection, steps())


async def fetch_all(connection: AsyncConnection, statement: str, values: tuple[Any, ...]) -> Rows:
    """The rows that a statement gives."""

    def steps() -> Steps[Rows]:
        return (yield Ask(statement, values))

    return await perform(connection, steps())


async def _on_driver(connection: AsyncConnection, work: Callable[[sqlite3.Connection], T]) -> T:
    """What `work` gives, on the thread of SQLite's driver."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        # Not public, but the same that each of its public methods calls.
        return await driver._execute(work, driver._conn)  # type: ignore[no-any-return]
    except sqlite3.Error as error:
        raise DBAPIError(None, None, error) from error


async def _executed(connection: AsyncConnection, step: Ask | Each | Put) -> Rows:
    if isinstance(step, Ask):
        statement = _numbered(_statement(step, connection.dialect.name))
        return (await connection.exec_driver_sql(statement, step.values)).all()
    if isinstance(step, Put) and step.values:
        columns = tuple(map(list, zip(*step.values, strict=True)))
        await connection.exec_driver_sql(_put_arrays(step.table, step.conflict), columns)
    elif isinstance(step, Each) and step.values:
        await connection.exec_driver_sql(_numbered(step.statement), list(step.values))
    return ()


def _transacted(connection: sqlite3.Connection, steps: Steps[T]) -> T:
    # Immediate: a transaction that reads first could else find its snapshot stale when it wants to write.
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _performed(connection, steps)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return done


def _performed(connection: sqlite3.Connection, steps: Steps[T]) -> T:
    try:
        step = next(steps)
        while True:
            found: Rows = ()
            if isinstance(step, Ask):
                found = connection.execute(_statement(step, "sqlite"), step.values).fetchall()
            elif isinstance(step, Put):
                _put(connection, step)
            else:
                connection.executemany(step.statement, step.values)
            step = steps.send(found)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


def _statement(ask: Ask, dialect: str) -> str:
    return ask.statement if isinstance(ask.statement, str) else ask.statement[dialect]


def _put(connection: sqlite3.Connection, put: Put) -> None:
    """Put rows in, as many at once as are left, in powers of two: so that the statements are few, and prepared."""
    at = 0
    for size in _SIZES:
        while len(put.values) - at >= size:
            values = tuple(chain.from_iterable(put.values[at : at + size]))
            connection.execute(_put_rows(put.table, put.conflict, size), values)
            at += size


@cache
def _put_rows(table: Table, conflict: str, size: int) -> str:
    row = f"({', '.join('?' * len(table.columns))})"
    return f"INSERT INTO {table.name} VALUES {', '.join([row] * size)} ON CONFLICT {conflict}"


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
