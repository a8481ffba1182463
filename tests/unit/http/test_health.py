"""Health and state over HTTP."""

from __future__ import annotations

from typing import Any

import edge_aiops


async def test_a_running_server_is_alive_and_ready(client: Any) -> None:
    assert (await client.get("/livez")).body == {"status": "alive"}
    assert (await client.get("/readyz")).body == {"status": "ready"}


async def test_the_status_tells_of_both_roles(client: Any) -> None:
    await client.register(stage="production")
    await client.predict()
    status = (await client.get("/status")).body
    assert status["version"] == edge_aiops.__version__
    assert status["uptimeS"] >= 0
    assert status["hub"] == {
        "generation": 1,
        "models": 1,
        "versionsByStage": {"production": 1},
        "artifacts": 1,
        "artifactBytes": status["hub"]["artifactBytes"],
        "database": "sqlite",
        "upstream": None,
    }
    node = status["node"]
    assert (node["ready"], node["reasons"], node["models"], node["modelsLoaded"]) == (True, [], 1, 1)
    followed = node["hub"]
    assert (followed["hub"], followed["generation"], followed["lastError"]) == (client.url, 1, None)
    assert [database["file"] for database in node["databases"]] == ["state.db", "events.db", "monitoring.db"]


async def test_the_plugins_are_told_with_their_versions(client: Any) -> None:
    plugins = {plugin["name"]: plugin for plugin in (await client.get("/plugins")).body}
    assert {"builtin", "onnx", "echo"} <= plugins.keys()
    for plugin in plugins.values():
        assert plugin["status"] == "loaded"
        assert plugin["distribution"].startswith("edge-aiops")
        assert plugin["version"]
