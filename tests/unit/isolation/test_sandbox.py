"""What code in the sandbox tries is refused by the kernel; what it needs, it has."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from edge_aiops.isolation import landlock
from edge_aiops.isolation.session import WorkerSession

from .conftest import Start, chaos, folders, said, soon

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


@pytest.fixture
async def sandboxed(start: Start) -> WorkerSession:
    return await start(chaos(sandbox=True))


async def test_it_says_what_confines_it(sandboxed: WorkerSession) -> None:
    assert {"scrubbed environment", "no new privileges", "not traceable"} < set(sandboxed.sandbox)
    assert any("files by Landlock" in said for said in sandboxed.sandbox)
    assert {"limit of memory", "limit of processes"} < set(sandboxed.sandbox)


async def test_code_is_always_sandboxed(start: Start) -> None:
    request = chaos()
    code = msgspec.structs.replace(request, source=msgspec.structs.replace(request.source, trust="code"))
    assert "scrubbed environment" in (await start(code)).sandbox
    assert "scrubbed environment" not in (await start(request)).sandbox


@needs_landlock
async def test_it_reads_and_writes_nothing_of_the_node(sandboxed: WorkerSession, tmp_path: Path) -> None:
    secret, target = tmp_path / "secret", tmp_path / "target"
    secret.write_text("do not tell")
    for attempt in (
        f"read {secret}",
        f"list {tmp_path}",
        "read /etc/passwd",
        f"read /proc/{os.getpid()}/environ",
        f"forbidden-write {target}",
        f"forbidden-write {secret}",
    ):
        assert await said(sandboxed, attempt) == "refused: PermissionError", attempt
    assert (secret.read_text(), target.exists()) == ("do not tell", False)


async def test_it_writes_its_temporary_folder(sandboxed: WorkerSession) -> None:
    assert (await said(sandboxed, "own-write")).startswith("did it")


async def test_it_connects_nowhere(sandboxed: WorkerSession) -> None:
    connected = asyncio.Event()
    server = await asyncio.start_server(lambda *_: connected.set(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await said(sandboxed, f"connect {port}") == "refused: PermissionError"
    assert not connected.is_set()


async def test_it_starts_no_process(sandboxed: WorkerSession) -> None:
    assert await said(sandboxed, "fork") == "refused: PermissionError"
    assert await said(sandboxed, "run /bin/true") == "refused: PermissionError"


async def test_it_has_no_hand_on_other_processes(sandboxed: WorkerSession) -> None:
    for deed in ("kill", "trace", "limit", "affinity", "niceness", "signals"):
        assert await said(sandboxed, f"{deed} {os.getpid()}") == "refused: PermissionError", deed
    assert (await said(sandboxed, "own-limit")).startswith("did it")


async def test_it_changes_no_file_that_it_may_not_write(sandboxed: WorkerSession, tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0o600)
    for deed in ("mode", "owner", "time"):
        assert await said(sandboxed, f"{deed} {tmp_path / 'secret'}") == "refused: PermissionError", deed
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


async def test_its_folder_is_removed_whatever_is_in_it(sandboxed: WorkerSession) -> None:
    assert await said(sandboxed, "nest") == "nested"
    await sandboxed.close()
    assert await soon(lambda: not folders())


@pytest.mark.parametrize(("sandbox", "declared"), [(True, "nothing"), (False, "yes")])
async def test_it_sees_no_variable_that_is_not_meant_for_it(
    start: Start, monkeypatch: pytest.MonkeyPatch, sandbox: bool, declared: str
) -> None:
    monkeypatch.setenv("CLOUD_SECRET", "do not tell")
    monkeypatch.setenv("CHAOS_ALLOWED", "yes")
    session = await start(chaos(sandbox=sandbox))
    assert await said(session, "environment CLOUD_SECRET") == "nothing"
    assert await said(session, "environment CHAOS_ALLOWED") == declared


async def test_the_same_attempts_succeed_outside_the_sandbox(start: Start, tmp_path: Path) -> None:
    session = await start(chaos())
    secret = tmp_path / "secret"
    secret.write_text("told")
    for attempt in (f"read {secret}", f"forbidden-write {secret}", f"mode {secret}", "fork", f"kill {os.getpid()}"):
        assert (await said(session, attempt)).startswith("did it"), attempt
