"""A device pushes to its site, the site to its region: the totals are equal at each level."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from edge_aiops.fleet.messages.push import MEDIA_TYPE
from edge_aiops.testing.clock import FakeClock
from tests.device import Device
from tests.unit.fleet.hub.pushes import START_MS, push, row

QUICK = {"hub__roll_up": "50ms", "hub__k_anonymity": 1}
SPAN = {"params": {"since": START_MS - 7_200_000, "until": START_MS + 7_200_000}}


async def requests(client: Any) -> int | None:
    answer = await client.get("/fleet/metrics/model", **SPAN)
    return sum(version["requests"] for version in answer.body["totals"]) if answer.status == 200 else None


async def test_what_devices_push_to_a_site_is_known_to_its_region(serve: Any, tmp_path: Path) -> None:
    clock = FakeClock(START_MS + 1_000_000)
    async with serve(tmp_path / "region", clock=clock, **QUICK) as region:
        await region.register(stage="production")
        token = await Device(region).token()
        above = {"hub__upstream": region.url, "hub__upstream_join": token}
        async with serve(tmp_path / "site", clock=clock, **QUICK, **above) as site:
            device = Device(site)
            await device.join()
            await device.open_session()
            for n in (5, 6):
                body = msgspec.msgpack.encode(push(row(n, seq=n), have={}))
                headers = {**device.headers, "Content-Type": MEDIA_TYPE}
                assert (await site.call("POST", "/fleet/push", data=body, headers=headers)).status == 200
            for _ in range(400):
                if await requests(region) == 6:
                    break
                clock.advance(30)
                await asyncio.sleep(0.05)
            assert await requests(site) == 6
            status = (await site.get("/status")).body["hub"]["upstream"]
            assert (status["hub"], status["lastError"]) == (region.url, None)
            known = {node["nodeId"] for node in (await region.get("/fleet/nodes")).body["nodes"]}
            assert status["nodeId"] in known
            assert device.node_id not in known
            reported = (await region.get(f"/fleet/nodes/{status['nodeId']}")).body["node"]["lastPush"]["reported"]
            assert (reported["generation"], reported["health"]["generation"]) == (1, 0)  # it is not behind its region
            assert reported["health"]["nodes"] == {"active": 2}


async def test_a_token_for_the_hub_above_that_is_none_stops_the_start(serve: Any, tmp_path: Path) -> None:
    try:
        async with serve(tmp_path, hub__upstream="http://127.0.0.1:9", hub__upstream_join="nonsense"):
            raise AssertionError
    except Exception as error:
        assert "join token" in str(error)
