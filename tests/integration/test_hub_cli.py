"""`edge-aiops hub` and what other commands say of a hub whose stores are not in the data folder."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.cli.main import main
from tests.hub_stores import Stores

Run = Callable[..., Awaitable[tuple[int, str, str]]]

on_postgresql = pytest.mark.parametrize("stores", ["postgresql"], indirect=True)


@pytest.fixture
def run(stores: Stores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in the environment of a hub on these stores; gives its exit code and what it printed."""
    for name, value in (stores.environment | {"EDGE_AIOPS_DATA__FOLDER": str(tmp_path / "data")}).items():
        monkeypatch.setenv(name, value)

    async def run_it(*arguments: object) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return run_it


async def test_a_hub_alone_keeps_models_on_any_stores_and_ends_in_order(
    stores: Stores, server_process: Any, connect: Any, tmp_path: Path
) -> None:
    url = str(stores.database).replace("postgres:@", "postgres:secret@")
    environment = stores.environment | ({"EDGE_AIOPS_HUB__DATABASE": url} if stores.kind == "postgresql" else {})
    for _ in range(2):
        hub = await server_process(tmp_path / "data", command="hub", **environment)
        async with connect(await hub.ready()) as client:
            assert (await client.get("/readyz")).status == 200
            status = (await client.get("/status")).body
            assert (status["node"], status["hub"]["database"]) == (None, stores.kind)
            await client.register("echo", framework="echo")
            assert [version["modelName"] for version in (await client.get("/models")).body] == ["echo"]
            assert (await client.post("/predict", {"modelName": "echo", "features": [1]})).status == 404
        hub.send(signal.SIGTERM)
        assert await hub.ended() == 0, hub.said
    assert "Traceback" not in hub.said
    assert "secret" not in hub.said
    assert ("postgres:***@" in hub.said) == (stores.kind == "postgresql")


@pytest.mark.parametrize(
    ("setting", "url", "said"),
    [
        ("DATABASE", "mysql://edge:secret@db/edge", "postgresql://user:password@host/name"),
        ("DATABASE", "postgresql://edge:secret@127.0.0.1:1/edge", "is PostgreSQL running there"),
        ("ARTIFACTS", "ftp://edge:secret@store", "s3://bucket/prefix"),
    ],
)
async def test_a_hub_that_cannot_reach_its_stores_says_what_to_do(
    server_process: Any, tmp_path: Path, setting: str, url: str, said: str
) -> None:
    hub = await server_process(tmp_path / "data", command="hub", **{f"EDGE_AIOPS_HUB__{setting}": url})
    assert await hub.ended() == 1
    assert said in hub.said
    assert "secret" not in hub.said
    assert "Traceback" not in hub.said


@on_postgresql
async def test_the_settings_are_shown_without_the_password(
    run: Run, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_HUB__DATABASE", "postgresql://edge:secret@db/edge")
    for arguments in (["config"], ["config", "--json"]):
        code, said, _ = await run(*arguments)
        assert code == 0
        assert "postgresql://edge:***@db/edge" in said
        assert "secret" not in said


@on_postgresql
async def test_the_doctor_asks_the_stores(run: Run, stores: Stores) -> None:
    _, said, _ = await run("doctor", "--json")
    found = {finding["check"]: finding for finding in json.loads(said)}
    assert found["hub database"]["verdict"] == found["hub artifacts"]["verdict"] == "OK"
    assert "PostgreSQL 18" in found["hub database"]["said"]
    assert str(stores.artifacts) in found["hub artifacts"]["said"]


@on_postgresql
async def test_the_doctor_says_which_store_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_AIOPS_HUB__DATABASE", "postgresql://edge:secret@127.0.0.1:1/edge")
    monkeypatch.setenv("EDGE_AIOPS_HUB__ARTIFACTS", "s3://nowhere")
    code, said, _ = await run("doctor", "--json")
    found = {finding["check"]: finding for finding in json.loads(said)}
    assert code == 1
    assert found["hub database"]["verdict"] == found["hub artifacts"]["verdict"] == "FAIL"
    assert "127.0.0.1:1/edge" in found["hub database"]["said"]
    assert "docs/fleet/hub.md" in found["hub artifacts"]["remedy"]
    assert "secret" not in said


@on_postgresql
async def test_a_backup_of_a_hub_on_other_stores_says_how_they_are_copied(
    run: Run, stores: Stores, serve: Any, tmp_path: Path
) -> None:
    code, _, error = await run("backup", tmp_path / "copy")
    assert code == 1
    assert "pg_dump --format=custom" in error
    async with serve(tmp_path / "data", **stores.options) as client:
        await client.register()
    code, said, error = await run("backup", tmp_path / "copy")
    assert code == 0, error
    assert "not copied: the hub's database is in PostgreSQL" in said
    assert f"not copied: the hub's model files are in {stores.artifacts}" in said
    assert (tmp_path / "copy" / "node" / "events.db").exists()


@on_postgresql
async def test_a_backup_of_a_hub_whose_model_files_are_elsewhere_has_its_database(
    run: Run, stores: Stores, serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("EDGE_AIOPS_HUB__DATABASE")
    async with serve(tmp_path / "data", hub__artifacts=stores.artifacts) as client:
        registered = await client.register()
        assert (await run("backup", tmp_path / "copy"))[0] == 0
    async with serve(tmp_path / "copy", hub__artifacts=stores.artifacts) as client:
        assert (await (await client.as_node()).get(f"/artifacts/{registered['sha256']}")).status == 200
