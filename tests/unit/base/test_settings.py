"""Settings: where values come from, which one wins, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import SettingsError
from edge_aiops.base.settings import Setting, Settings, environment_variable, load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_without_anything_the_defaults_hold() -> None:
    loaded = load_settings(environment={})
    assert loaded.settings == Settings()
    assert loaded.origins == {}


def test_values_are_read_from_a_file(file: Path) -> None:
    file.write_text(
        """
        [http]
        port = 80
        allowed_hosts = ["a.example", "b.example"]
        body_timeout = "1m30s"
        [log]
        access = true
        """
    )
    settings = load_settings(file=file, environment={}).settings
    assert settings.http.port == 80
    assert settings.http.allowed_hosts == ("a.example", "b.example")
    assert settings.http.body_timeout == Duration(90)
    assert settings.log.access is True


def test_the_environment_can_name_the_file(file: Path) -> None:
    file.write_text("[http]\nport = 80\n")
    assert load_settings(environment={"EDGE_AIOPS_CONFIG": str(file)}).settings.http.port == 80


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("EDGE_AIOPS_HTTP__PORT", "80", 80),
        ("EDGE_AIOPS_HTTP__ALLOWED_HOSTS", "a.example, b.example,", ("a.example", "b.example")),
        ("EDGE_AIOPS_HTTP__ALLOWED_HOSTS", "a.example", ("a.example",)),
        ("EDGE_AIOPS_HTTP__ALLOWED_HOSTS", "", ()),
        ("EDGE_AIOPS_HTTP__BODY_TIMEOUT", "5m", Duration(300)),
        ("EDGE_AIOPS_LOG__ACCESS", "true", True),
        ("EDGE_AIOPS_LOG__ACCESS", "0", False),
        ("EDGE_AIOPS_JOURNAL__SYNCHRONOUS", "normal", "normal"),
        ("EDGE_AIOPS_DATA__FOLDER", "/srv/a,b", "/srv/a,b"),
    ],
)
def test_text_from_the_environment_becomes_a_value(variable: str, text: str, value: object) -> None:
    loaded = load_settings(environment={variable: text, "HOME": "/root", "EDGE_AIOPS_PLUGINS": "onnx"})
    (entry,) = [entry for entry in loaded.entries() if entry.origin != "default"]
    assert entry.value == value
    assert environment_variable(entry.key) == variable
    assert entry.origin == f"environment {variable}"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(file: Path) -> None:
    file.write_text("[http]\nport = 1\nhost = 'file'\n[log]\nlevel = 'debug'\n")
    environment = {"EDGE_AIOPS_HTTP__PORT": "2", "EDGE_AIOPS_HTTP__HOST": "environment"}
    loaded = load_settings(file=file, environment=environment, overrides={"http.port": 3, "http.host": None})
    assert (loaded.settings.http.port, loaded.settings.http.host, loaded.settings.log.level) == (
        3,
        "environment",
        "debug",
    )
    assert loaded.origins == {
        "http.port": "command line",
        "http.host": "environment EDGE_AIOPS_HTTP__HOST",
        "log.level": f"file {file}",
    }


@pytest.mark.parametrize("value", ["7", 7])
def test_a_value_from_the_command_line_may_be_text(value: object) -> None:
    assert load_settings(environment={}, overrides={"http.port": value}).settings.http.port == 7


@pytest.mark.parametrize("value", ["5m", Duration(300)])
def test_a_duration_from_the_command_line_may_be_one_already(value: object) -> None:
    loaded = load_settings(environment={}, overrides={"http.body_timeout": value})
    assert loaded.settings.http.body_timeout == Duration(300)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"EDGE_AIOPS_HTTP__PROT": "80"}, "EDGE_AIOPS_HTTP__PROT is no setting; did you mean EDGE_AIOPS_HTTP__PORT?"),
        ({"EDGE_AIOPS_HTTP_PORT": "80"}, "EDGE_AIOPS_HTTP_PORT is no setting; did you mean EDGE_AIOPS_HTTP__PORT?"),
        ({"EDGE_AIOPS_PLUGIN": "x"}, "EDGE_AIOPS_PLUGIN is no setting; did you mean EDGE_AIOPS_PLUGINS?"),
        ({"EDGE_AIOPS_QQQQ__QQQQ": "x"}, "`edge-aiops config` lists them all"),
        ({"EDGE_AIOPS_HTTP__PORT": "eighty"}, "http.port = 'eighty' is not allowed"),
        ({"EDGE_AIOPS_HTTP__PORT": "70000"}, "http.port = '70000' is not allowed"),
        ({"EDGE_AIOPS_LOG__LEVEL": "loud"}, "log.level = 'loud' is not allowed"),
        ({"EDGE_AIOPS_HTTP__BODY_TIMEOUT": "30"}, "write a number with a unit"),
        ({"EDGE_AIOPS_JOURNAL__RETENTION_INTERVAL": "0s"}, "it must be longer than 0s"),
        ({"EDGE_AIOPS_CONFIG": "/nowhere/settings.toml"}, "cannot read the settings file /nowhere/settings.toml"),
    ],
)
def test_a_wrong_variable_is_named_with_what_was_meant(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(environment=environment)
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("[http]\nprot = 80", "'http.prot' is no setting; did you mean 'http.port'?"),
        ("[htp]\nport = 80", "there is no table [htp]; did you mean 'http'?"),
        ("[htp]", "there is no table [htp]; did you mean 'http'?"),
        ("port = 80", "'port' must stand in a table, such as [http]; did you mean 'http.port'?"),
        ("[http]\nport = 'eighty'", "http.port = 'eighty' is not allowed"),
        ("[http]\nport = 1.5", "http.port = 1.5 is not allowed"),
        ("[http]\nbody_timeout = 30", "a duration is written as text, such as '5m'"),
        ("[http]\nallowed_hosts = [1]", "http.allowed_hosts = [1] is not allowed"),
        ("[http", "cannot read the settings file"),
        ("[http.deep]\nkey = 1", "'http.deep' is no setting"),
    ],
)
def test_a_wrong_line_of_the_file_is_named_with_the_file(file: Path, document: str, said: str) -> None:
    file.write_text(document)
    with pytest.raises(SettingsError) as refused:
        load_settings(file=file, environment={})
    assert said in refused.value.message
    assert str(file) in refused.value.message


def test_a_wrong_option_of_the_command_line_is_named() -> None:
    with pytest.raises(SettingsError, match=r"command line: 'http\.prot' is no setting; did you mean 'http\.port'"):
        load_settings(environment={}, overrides={"http.prot": 1})


@pytest.mark.parametrize("entry", list(load_settings(environment={}).entries()), ids=lambda entry: entry.key)
def test_every_setting_is_described_and_has_a_default_of_its_own_type(entry: Setting) -> None:
    key, value, origin, description = entry
    assert description, f"{key} needs a description"
    assert origin == "default"
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    loaded = load_settings(environment={environment_variable(key): text})
    assert {other.key: other.value for other in loaded.entries()}[key] == value


def test_every_table_and_key_of_the_settings_is_listed() -> None:
    listed = {entry.key for entry in load_settings(environment={}).entries()}
    tables = msgspec.to_builtins(Settings(), builtin_types=(Duration,), enc_hook=float)
    assert listed == {f"{table}.{key}" for table, entries in tables.items() for key in entries}


def test_the_data_folder_may_start_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/pi")
    settings = load_settings(environment={"EDGE_AIOPS_DATA__FOLDER": "~/data"}).settings
    assert settings.data_folder == Path("/home/pi/data")
