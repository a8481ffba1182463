"""The hub's database: whole units of work, durable settings, migrations that run once."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import Overloaded, StoreCorrupt, StoreError, StoreLocked
from edge_aiops.registry import catalogue
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.revisions import MIGRATIONS, stored_revision
from edge_aiops.store.shared.schema import HEAD, metadata
from tests.hub_stores import Stores

HUB = ("edge_aiops.fleet.hub", "edge_aiops.registry", "edge_aiops.store.shared")


def with_all_tables() -> MetaData:
    """The catalogue of tables, once every module of the hub has defined its own."""
    for package in HUB:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if "migrations" not in module.name:
                importlib.import_module(module.name)
    return metadata


async def add_note(connection: AsyncConnection) -> None:
    await connection.execute(text("INSERT INTO models VALUES ('note', 1)"))


async def notes(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT count(*) FROM models"))).scalar_one())


def is_in_both(_thing: object, name: str | None, *_: object) -> bool:
    return name != "ix_model_versions_production"


async def test_an_empty_database_becomes_the_newest_schema(stores: Stores) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_object": is_in_both})
        return list(compare_metadata(context, with_all_tables()))

    async with Database.open(stores.database) as database:
        assert await database.read(lambda work: work.run_sync(stored_revision)) == HEAD
        assert await database.read(lambda work: work.run_sync(differences)) == []
        assert await database.read(catalogue.generation) == 0


def test_the_newest_revision_is_the_one_that_a_start_looks_for() -> None:
    assert ScriptDirectory(MIGRATIONS).get_heads() == [HEAD]


async def test_a_second_start_changes_nothing_and_does_not_import_alembic(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "hub.db") as database:
        await database.change(add_note)
    program = f"""
import asyncio, sys
from pathlib import Path
from edge_aiops.store.shared.database import Database
async def main():
    async with Database.open(Path({str(tmp_path / "hub.db")!r})):
        print("alembic" in sys.modules)
asyncio.run(main())
"""
    said = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], capture_output=True, check=True)
    assert said.stdout.strip() == b"False"
    async with Database.open(tmp_path / "hub.db") as database:
        assert await database.read(notes) == 1


async def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    async with Database.open(file):
        pass
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer than this program"):
        async with Database.open(file):
            pass


async def test_a_damaged_file_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"this is no database " * 1000)
    with pytest.raises(StoreCorrupt, match="damaged"):
        async with Database.open(tmp_path / "hub.db"):
            pass


async def test_only_one_process_owns_the_file(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "hub.db"):
        with pytest.raises(StoreLocked, match="another hub"):
            async with Database.open(tmp_path / "hub.db"):
                pass
    async with Database.open(tmp_path / "hub.db"):
        pass


async def test_a_file_name_with_the_signs_of_a_url_is_a_file_name(tmp_path: Path) -> None:
    file = tmp_path / "a b?mode=ro#%41.db"
    async with Database.open(file):
        pass
    assert file.exists()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000), ("trusted_schema", 0)],
)
async def test_connections_are_durable_and_strict(tmp_path: Path, pragma: str, value: object) -> None:
    async def asked(connection: AsyncConnection) -> object:
        return (await connection.execute(text(f"PRAGMA {pragma}"))).scalar_one()

    async with Database.open(tmp_path / "hub.db") as database:
        assert await asyncio.gather(*(database.read(asked) for _ in range(3))) == [value] * 3


async def test_nothing_stays_of_a_unit_of_work_that_raises(stores: Stores) -> None:
    async def failing(connection: AsyncConnection) -> None:
        await add_note(connection)
        raise LookupError

    async with Database.open(stores.database) as database:
        with pytest.raises(LookupError):
            await database.change(failing)
        assert await database.read(notes) == 0


async def test_a_refused_statement_is_an_error_of_ours(stores: Stores) -> None:
    async with Database.open(stores.database) as database:
        await database.change(add_note)
        with pytest.raises(StoreError, match=r"(?i)unique"):
            await database.change(add_note)


async def test_a_unit_of_work_is_finished_when_its_caller_is_cancelled(stores: Stores) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        begun.set()
        await go_on.wait()
        await add_note(connection)

    async with Database.open(stores.database) as database:
        caller = asyncio.create_task(database.change(slow))
        await begun.wait()
        caller.cancel()
        await asyncio.sleep(0)
        caller.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert await database.read(notes) == 1


async def test_changes_made_at_once_follow_one_another(stores: Stores) -> None:
    async def raised(connection: AsyncConnection) -> int:
        await catalogue.lock(connection)
        before = await catalogue.generation(connection)
        await asyncio.sleep(0.001)
        await connection.execute(text("UPDATE catalogue SET generation = :next"), {"next": before + 1})
        return before + 1

    async with Database.open(stores.database) as database:
        assert sorted(await asyncio.gather(*(database.change(raised) for _ in range(30)))) == list(range(1, 31))


async def test_the_database_itself_refuses_a_second_version_in_production(stores: Stores) -> None:
    async def add_production(connection: AsyncConnection, version: int) -> None:
        columns = (
            "model_name, model_version, deployment_version, stage, framework, size_bytes, registered_at, updated_at"
        )
        values = "'note', :version, :deployment, 'production', 'onnx', 0, 0, 0"
        await connection.execute(
            text(f"INSERT INTO model_versions ({columns}, details) VALUES ({values}, '{{}}')"),
            {"version": str(version), "deployment": version},
        )

    async with Database.open(stores.database) as database:
        await database.change(add_note)
        await database.change(lambda work: add_production(work, 1))
        with pytest.raises(StoreError, match=r"(?i)unique"):
            await database.change(lambda work: add_production(work, 2))


async def test_a_copy_is_a_whole_database(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "hub.db") as database:
        for _ in range(2):
            await database.copy_to(tmp_path / "copy.db")
        await database.change(add_note)
        await database.copy_to(tmp_path / "copy.db")
    async with Database.open(tmp_path / "copy.db") as copy:
        assert await copy.read(notes) == 1
    assert not (tmp_path / "copy.db.partial").exists()


Change = Callable[[Database], Awaitable[object]]


async def _changed(database: Database) -> object:
    return await database.change(catalogue.generation)


async def _changed_by_steps(database: Database) -> object:
    return await database.change_by(catalogue.generation_of)


@pytest.mark.parametrize("change", [_changed, _changed_by_steps])
async def test_where_many_read_another_read_is_sent_away_and_a_change_is_not(tmp_path: Path, change: Change) -> None:
    let_go, all_are_in_use = asyncio.Event(), asyncio.Barrier(16)

    async def in_use(_: object) -> None:
        await all_are_in_use.wait()
        await let_go.wait()

    async with Database.open(tmp_path / "hub.db") as database:
        pool: Any = database._engine.pool
        pool._timeout = 0.01
        readers = [asyncio.create_task(database.read(in_use)) for _ in range(15)]
        await all_are_in_use.wait()
        with pytest.raises(Overloaded):
            await database.read(in_use)
        assert await change(database) == 0
        let_go.set()
        await asyncio.gather(*readers)


@pytest.mark.parametrize("change", [_changed, _changed_by_steps])
async def test_a_file_that_is_damaged_meanwhile_is_told_by_a_change(tmp_path: Path, change: Change) -> None:
    async with Database.open(tmp_path / "hub.db") as database:
        await database._engine.dispose()  # so that the file is opened anew
        await asyncio.to_thread((tmp_path / "hub.db").write_bytes, b"x" * 8192)
        with pytest.raises(StoreCorrupt):
            await change(database)
