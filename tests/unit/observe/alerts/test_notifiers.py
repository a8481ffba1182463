"""Places made from the configuration; secrets from the environment, never shown, and kept."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import msgspec
import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.alerts.notifiers import Notifiers
from edge_aiops.observe.alerts.secrets import REDACTED, redacted, resolved, restored
from edge_aiops.observe.config import MonitoringConfig, NotifierConfig
from edge_aiops.plugin import NotifierSpec
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.testing.notifiers import NotifierContract, notification, notifier_plugin
from edge_aiops.testing.plugins import plugins_of, plugins_of_modules

KEY = "whsec_" + "c2VjcmV0" * 5
HOOK = NotifierConfig(name="hook", type="webhook", options={"url": "https://u:p@h/x", "secret": KEY, "timeout": "5s"})
LOG = NotifierConfig(name="log", type="log")


def config(*places: NotifierConfig) -> MonitoringConfig:
    return MonitoringConfig(notifiers=places)


@pytest.fixture
def notifiers() -> Notifiers:
    plugins = plugins_of_modules("edge_aiops.observe.plugin")
    return Notifiers(
        Extensions(plugins, hook="register_notifiers", spec=NotifierSpec), environment={"HOOK_SECRET": KEY}
    )


def test_secrets_are_not_shown(notifiers: Notifiers) -> None:
    shown = notifiers.redacted(config(LOG, HOOK))
    assert shown.notifiers[1].options == {"url": f"https://{REDACTED}@h/x", "secret": REDACTED, "timeout": "5s"}
    assert KEY not in str(shown)
    assert shown.notifiers[0] == LOG


def test_every_spelling_of_a_secret_is_hidden() -> None:
    options = {
        "apiToken": "x", "PASSWORD": "x", "smtp_password": "x", "Authorization": "x", "clientSecret": ["x", "env:Y"],
        "credentials": {"a": "x"}, "accessKey": 5, "headers": {"X-Api-Key": "x", "Accept": "json"}, "channel": "#ops",
        "special": "x", "token": "env:T",
    }  # fmt: skip
    shown = redacted(options, ("special",))
    assert shown == {
        "apiToken": REDACTED, "PASSWORD": REDACTED, "smtp_password": REDACTED, "Authorization": REDACTED,
        "clientSecret": [REDACTED, "env:Y"], "credentials": REDACTED, "accessKey": REDACTED,
        "headers": {"X-Api-Key": REDACTED, "Accept": "json"}, "channel": "#ops", "special": REDACTED, "token": "env:T",
    }  # fmt: skip
    assert restored(shown, options, ("special",)) == options


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"url": "http://h/x?token=SECRETQ"}, {"url": f"http://h/x?{REDACTED}"}),
        ({"url": "https://hooks.slack.com/services/T0/B0/S"}, {"url": f"https://hooks.slack.com/services/{REDACTED}"}),
        ({"url": "https://u:p@ss@h:8080/x/#s"}, {"url": f"https://{REDACTED}@h:8080/x/#{REDACTED}"}),
        ({"urls": ["https://u:pw@h", "https://h/"]}, {"urls": [f"https://{REDACTED}@h", "https://h/"]}),
        ({"note": "or https://u:pw@h/a/b."}, {"note": f"or https://{REDACTED}@h/a/{REDACTED}"}),
        ({"headers": [{"Authorization": "x", "A": "y"}]}, {"headers": [{"Authorization": REDACTED, "A": "y"}]}),
        ({"chat": {"rooms": [{"special": "x"}]}}, {"chat": {"rooms": [{"special": REDACTED}]}}),
    ],
)
def test_secrets_are_hidden_wherever_they_stand(options: dict[str, Any], shown: dict[str, Any]) -> None:
    assert redacted(options, ("special",)) == shown
    assert restored(shown, options, ("special",)) == options


def test_an_endless_option_is_read_at_once() -> None:
    began = time.process_time()
    redacted({"url": "a" * 1_000_000, "other": "://" * 300_000})
    assert time.process_time() - began < 2


def test_what_is_sent_back_as_it_was_shown_keeps_its_secrets(notifiers: Notifiers) -> None:
    before = config(LOG, HOOK)
    shown = notifiers.redacted(before)
    assert notifiers.restored(shown, before) == before
    changed = msgspec.structs.replace(HOOK, options={**shown.notifiers[1].options, "timeout": "9s"})
    kept = notifiers.restored(config(changed), before).notifiers[0].options
    assert kept == {**HOOK.options, "timeout": "9s"}


@pytest.mark.parametrize("renamed", [{"name": "other"}, {"type": "log"}])
def test_a_hidden_secret_that_was_never_there_is_refused(notifiers: Notifiers, renamed: dict[str, str]) -> None:
    shown = notifiers.redacted(config(HOOK)).notifiers[0]
    with pytest.raises(InvalidInput, match="send it in full") as refused:
        notifiers.restored(config(msgspec.structs.replace(shown, **renamed)), config(HOOK))
    assert refused.value.fields[0].field.startswith("notifiers[0].options.")


def test_options_come_from_the_environment() -> None:
    options = {"a": "env:A", "b": ["env:A", "x"], "c": {"d": "env:A"}, "e": 5}
    assert resolved(options, {"A": "1"}) == {"a": "1", "b": ["1", "x"], "c": {"d": "1"}, "e": 5}
    with pytest.raises(InvalidInput, match=r"options\.b\[1\]: the environment variable 'NO' is not set"):
        resolved({"b": ["x", "env:NO"]}, {})


@pytest.mark.parametrize(
    ("places", "field", "said"),
    [
        ([LOG, LOG], "notifiers[1].name", "stands here twice"),
        ([NotifierConfig(name="a", type="webhok")], "notifiers[0].type", "did you mean 'webhook'?"),
        ([NotifierConfig(name="a", type="log", severities=("fatal",))], "notifiers[0].severities", "critical, warning"),
        ([NotifierConfig(name="a", type="log", options={"level": 1})], "notifiers[0].options.level", "no such option"),
        ([NotifierConfig(name="a", type="webhook")], "notifiers[0].options.url", "required"),
        (
            [LOG, NotifierConfig(name="a", type="webhook", options={"url": "https://h/", "secret": "env:NO"})],
            "notifiers[1].options.secret",
            "environment variable 'NO' is not set",
        ),
    ],
)
async def test_a_wrong_configuration_is_refused_by_name(
    notifiers: Notifiers, places: list[NotifierConfig], field: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await notifiers.check(config(*places))
    assert [blamed for blamed, _ in refused.value.fields] == [field]
    assert said in str(refused.value)


async def test_a_right_configuration_is_taken(notifiers: Notifiers) -> None:
    from_environment = NotifierConfig(
        name="hook", type="webhook", options={"url": "https://h/", "secret": ["env:HOOK_SECRET"]}
    )
    await notifiers.check(config(LOG, from_environment))
    await notifiers.configure(config(LOG, from_environment))
    assert notifiers.names == ("log", "hook")
    assert [place.problem for place in notifiers.places] == [None, None]
    unchanged = notifiers.get("hook")
    await notifiers.configure(config(from_environment))
    assert notifiers.names == ("hook",)
    assert notifiers.get("hook") is unchanged
    await notifiers.close()


class _EndsTheProcess:
    async def notify(self, notification: Any) -> None:
        sys.exit("no more")

    async def close(self) -> None:
        sys.exit("no more")


@pytest.mark.parametrize("made", [object, _EndsTheProcess])
async def test_a_place_that_does_not_close_is_taken_and_told_in_the_log(
    made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    plugins = plugins_of(notifier_plugin("odd", lambda options: made()))
    notifiers = Notifiers(Extensions(plugins, hook="register_notifiers", spec=NotifierSpec), environment={})
    await notifiers.check(config(NotifierConfig(name="a", type="odd")))
    assert "notifier 'a' did not close in order" in caplog.text


async def test_a_place_that_cannot_be_made_is_told_without_its_secret(
    notifiers: Notifiers, caplog: pytest.LogCaptureFixture
) -> None:
    broken = NotifierConfig(name="hook", type="webhook", options={"url": "gopher://x", "secret": KEY})
    await notifiers.configure(config(LOG, broken))
    place = notifiers.get("hook")
    assert place is not None
    assert "options.url" in (place.problem or "")
    assert "options.url" in caplog.text
    assert KEY not in caplog.text
    await notifiers.close()


class TestLogContract(NotifierContract):
    plugin = "edge_aiops.observe.plugin"
    notifier_name = "log"

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {}

    @pytest.fixture
    def unreachable(self) -> None:
        return None


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"severity": "critical"}, logging.CRITICAL),
        ({"severity": "warning"}, logging.WARNING),
        ({"severity": "info"}, logging.INFO),
        ({"severity": "critical", "type": "alert.resolved"}, logging.INFO),
    ],
)
async def test_the_log_has_one_line_at_the_level_of_the_severity(
    notifiers: Notifiers, caplog: pytest.LogCaptureFixture, fields: dict[str, Any], level: int
) -> None:
    caplog.set_level(logging.DEBUG)
    await notifiers.configure(config(LOG))
    place = notifiers.get("log")
    assert place is not None
    assert place.notifier is not None
    await place.notifier.notify(notification(summary="line one\nline two\x1b[2J", **fields))
    (record,) = [record for record in caplog.records if record.name == "edge_aiops.alerts"]
    assert record.levelno == level
    assert record.message.endswith("line one\\x0aline two\\x1b[2J")
    assert "rule=slow model=iris version=1.2.0" in record.message
