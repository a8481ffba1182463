"""From a rule to a phone that rings: rules, alerts and webhooks through the HTTP API of a running node."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
HOT = {"metric": "requests", "operator": ">", "threshold": 2, "windowMinutes": 5}
UNKNOWN = "01976f6b-0000-7000-8000-000000000001"


class Phone:
    """A receiver of webhooks that verifies what it gets."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[dict[str, Any]] = []
        self.status = 204

    async def ring(self, request: web.Request) -> web.Response:
        """Take a webhook."""
        self.got.append(Webhook(SECRET).verify(await request.read(), dict(request.headers)))
        return web.Response(status=self.status, text="the cat sat on it" if self.status >= 300 else None)

    async def told(self, times: int) -> bool:
        """Whether it was told so many things."""
        return len(self.got) == times

    def types(self) -> list[str]:
        """What it was told so far."""
        return [told["type"] for told in self.got]


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    phone = Phone()
    app = web.Application()
    app.router.add_post("/ring", phone.ring)
    async with TestServer(app) as server:
        phone.url = str(server.make_url("/ring"))
        yield phone


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """What `holds` gives, once it gives something."""
    for _ in range(600):
        if found := await holds():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to hold")


async def put(client: Any, path: str, body: Any) -> Any:
    answer = await client.call("PUT", path, json=body)
    assert answer.status == 200, answer
    return answer.body


async def configured(client: Any, phone: Phone) -> None:
    """Have rules evaluated every second, from the next start, and alerts sent to the phone."""
    hook = {"name": "phone", "type": "webhook", "options": {"url": phone.url, "secret": SECRET}}
    await put(client, "/monitoring/config", {"alertCheck": "1s", "notifiers": [{"name": "log", "type": "log"}, hook]})


async def test_an_alert_from_the_rule_to_its_end_across_a_restart(serve: Any, tmp_path: Path, phone: Phone) -> None:
    async with serve(tmp_path) as client:
        await configured(client, phone)
        await client.register("model", stage="production")
        rule = await put(client, "/monitoring/rules/busy", {"condition": HOT, "name": "Busy", "severity": "critical"})
        assert (rule["id"], rule["forDuration"], rule["default"]) == ("busy", "0s", False)

    async with serve(tmp_path) as client:
        for _ in range(3):
            await client.predict("model")

        async def firing() -> Any:
            return (await client.get("/monitoring/alerts?status=firing")).body["alerts"]

        (alert,) = await until(firing)
        assert (alert["ruleId"], alert["modelName"], alert["modelVersion"]) == ("busy", "model", "1")
        assert alert["message"] == "Busy: requests of model 1 is 3, above 2, over 5 minutes"
        assert alert["conditions"][0]["condition"] == HOT
        await until(lambda: phone.told(1))
        assert phone.got[0]["data"]["alert"]["id"] == alert["id"]

        seen = await client.post(
            f"/monitoring/alerts/{alert['id']}/acknowledge", {"acknowledgedBy": "Ada", "note": "ok"}
        )
        assert (seen.status, seen.body["acknowledgedBy"]) == (200, "Ada")
        other = await client.post(f"/monitoring/alerts/{alert['id']}/acknowledge", {"acknowledgedBy": "Bob"})
        assert other.problem == (409, "conflict")
        await until(lambda: phone.told(2))

    async with serve(tmp_path) as client:
        shown = (await client.get(f"/monitoring/alerts/{alert['id']}")).body
        assert (shown["status"], shown["acknowledgedBy"]) == ("firing", "Ada")
        assert (await client.call("DELETE", "/monitoring/rules/busy")).status == 200

        async def resolved() -> Any:
            return (await client.get("/monitoring/alerts?modelName=model&status=resolved")).body["alerts"]

        (over,) = await until(resolved)
        assert (over["id"], over["resolution"]) == (alert["id"], "the rule was deleted")

        async def delivered() -> Any:
            path = "/monitoring/notifications?notifier=phone&status=delivered"
            sent = (await client.get(path)).body["notifications"]
            return sent if len(sent) == 3 else None

        assert [delivery["type"] for delivery in await until(delivered)] == [*reversed(phone.types())]
        assert phone.types() == ["alert.fired", "alert.acknowledged", "alert.resolved"]


async def test_an_alert_about_data_says_what_is_wrong_and_ends_with_its_checks(
    serve: Any, tmp_path: Path, phone: Phone
) -> None:
    async with serve(tmp_path) as client:
        await configured(client, phone)
    async with serve(tmp_path) as client:
        names = ["height", "width", "depth", "weight"]
        schema = {"type": "object", "properties": {name: {"type": "number", "maximum": 10} for name in names}}
        await client.register("model", featureNames=names, inputSchema=schema)
        for _ in range(20):
            await client.predict("model", [1, 2, 3, 99])
        await client.post("/monitoring/quality/model/check")

        async def first(status: str) -> Any:
            return (await client.get(f"/monitoring/alerts?status={status}")).body["alerts"]

        (alert,) = await until(lambda: first("firing"))
        wrong = "'weight' is outside of [-inf, 10] (seen: 99 to 99) in 20 of 20 rows"
        assert alert["conditions"][0]["details"].startswith(wrong)
        assert f"above 0 ({wrong}" in alert["message"]
        own = {"quality": {"enabled": False}}
        assert (await client.call("PUT", "/monitoring/config/model", json=own)).status == 200
        (over,) = await until(lambda: first("resolved"))
        assert over["id"] == alert["id"]


async def test_a_notifier_is_tried_before_it_is_needed(client: Any, phone: Phone) -> None:
    await configured(client, phone)
    listed = (await client.get("/monitoring/notifiers")).body["notifiers"]
    assert [(place["name"], place["state"], place["waiting"]) for place in listed] == [
        ("log", "ready", 0), ("phone", "ready", 0),
    ]  # fmt: skip
    tried = (await client.post("/monitoring/notifiers/phone/test")).body
    assert (tried["delivered"], tried["error"]) == (True, None)
    assert phone.types() == ["alert.test"]
    phone.status = 500
    tried = (await client.post("/monitoring/notifiers/phone/test")).body
    assert tried["delivered"] is False
    assert tried["error"] == "the receiver answered 500 Internal Server Error: the cat sat on it"
    unknown = await client.post("/monitoring/notifiers/phnoe/test")
    assert unknown.problem == (404, "unknown_notifier")
    assert "did you mean 'phone'?" in unknown.body["detail"]


async def test_secrets_of_notifiers_are_never_shown_and_kept(client: Any, phone: Phone) -> None:
    await configured(client, phone)
    answer = await client.get("/monitoring/config")
    assert SECRET.encode() not in answer.content
    await put(client, "/monitoring/config", answer.body)
    assert (await client.post("/monitoring/notifiers/phone/test")).body["delivered"]
    hook = answer.body["notifiers"][1]
    refused = await client.call("PUT", "/monitoring/config", json={"notifiers": [{**hook, "name": "new"}]})
    assert refused.problem == (400, "invalid_input")
    assert refused.body["errors"][0]["field"] == "notifiers[0].options.secret"
    refused = await client.call("PUT", "/monitoring/config", json={"notifiers": [{**hook, "options": {"url": "x"}}]})
    assert refused.body["errors"][0]["field"] == "notifiers[0].options.url"


async def test_a_rule_about_a_feature_is_held_against_what_goes_into_the_model(client: Any) -> None:
    nulls = {"metric": "nullRate", "feature": "hieght", "operator": ">", "threshold": 0.1}
    rule = {"modelName": "model", "condition": nulls}
    await put(client, "/monitoring/rules/nulls", rule)  # nothing is known of the model yet
    await client.register(featureNames=["height", "width", "depth", "weight"])
    refused = await client.call("PUT", "/monitoring/rules/nulls", json=rule)
    assert refused.problem == (400, "invalid_input")
    assert "'hieght' is not a feature of model; did you mean 'height'?" in refused.body["detail"]
    await put(client, "/monitoring/rules/nulls", {**rule, "condition": {**nulls, "feature": "height"}})


@pytest.mark.parametrize("left", [{"notifiers": [{"name": "other", "type": "log"}]}, {}])
async def test_a_notifier_that_rules_name_cannot_be_taken_away(client: Any, phone: Phone, left: Any) -> None:
    await configured(client, phone)
    await put(client, "/monitoring/rules/hot", {"condition": HOT, "notifiers": ["phone"]})
    refused = await client.call("PUT", "/monitoring/config", json=left)
    assert refused.problem == (400, "invalid_input")
    (error,) = refused.body["errors"]
    assert error["field"] == "notifiers" and "'phone' is left out, and these rules name it: 'hot'" in error["message"]
    assert b"phone" in (await client.get("/monitoring/config")).content
    await put(client, "/monitoring/rules/hot", {"condition": HOT})
    await put(client, "/monitoring/config", left)


async def test_rules_are_listed_changed_and_refused(client: Any) -> None:
    rules = (await client.get("/monitoring/rules")).body["rules"]
    assert "high-error-rate" in [rule["id"] for rule in rules]
    off = await put(client, "/monitoring/rules/high-latency", {"enabled": False})
    assert (off["enabled"], off["default"], off["modified"]) == (False, True, True)
    assert (await client.get("/monitoring/rules/high-latency")).body == off
    assert (await put(client, "/monitoring/rules/high-latency", {}))["modified"] is False

    made = await client.post("/monitoring/rules", {"name": "Too slow", "condition": HOT})
    assert (made.status, made.body["id"]) == (201, "too-slow")

    catalogue = (await client.get("/monitoring/rules/metrics")).body
    assert {"p95Latency", "driftScore"} <= {metric["name"] for metric in catalogue["metrics"]}
    assert catalogue["operators"] == [">", ">=", "<", "<=", "==", "!="]

    refused = await client.call("PUT", "/monitoring/rules/bad", json={"condition": {**HOT, "metric": "p95Latncy"}})
    assert refused.problem == (400, "invalid_input")
    (error,) = refused.body["errors"]
    assert error["field"] == "condition.metric"
    assert "did you mean 'p95Latency'? There are: errorRate" in error["message"]
    assert (await client.get("/monitoring/rules/bad")).problem == (404, "unknown_rule")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/monitoring/alerts?severity=fatal", None, 400),
        ("GET", "/monitoring/alerts?status=over", None, 400),
        ("GET", "/monitoring/alerts?limit=0", None, 400),
        ("GET", "/monitoring/alerts?cursor=x", None, 400),
        ("GET", "/monitoring/alerts?modelname=x", None, 400),
        ("GET", f"/monitoring/alerts/{UNKNOWN}", None, 404),
        ("GET", "/monitoring/alerts/%2e%2e%2f", None, 404),
        ("POST", f"/monitoring/alerts/{UNKNOWN}/acknowledge", {"acknowledgedBy": "Ada"}, 404),
        ("POST", f"/monitoring/alerts/{UNKNOWN}/acknowledge", {}, 400),
        ("POST", f"/monitoring/alerts/{UNKNOWN}/acknowledge", {"acknowledgedBy": "\n"}, 400),
        ("POST", f"/monitoring/alerts/{UNKNOWN}/acknowledge", {"acknowledgedBy": "Ada", "by": 1}, 400),
        ("PUT", "/monitoring/rules/a%2fb", {"condition": HOT}, 400),
        ("PUT", "/monitoring/rules/metrics", {"condition": HOT}, 400),
        ("PUT", "/monitoring/rules/x", [], 400),
        ("PUT", "/monitoring/rules/x", {"conditions": [[[[[[[[[]]]]]]]]]}, 400),
        ("POST", "/monitoring/rules", {}, 400),
        ("DELETE", "/monitoring/rules/none", None, 404),
        ("GET", "/monitoring/notifications?status=lost", None, 400),
    ],
)
async def test_what_cannot_be_is_refused(client: Any, method: str, path: str, body: Any, status: int) -> None:
    answer = await client.call(method, path, **({} if body is None else {"json": body}))
    assert answer.problem[0] == status
