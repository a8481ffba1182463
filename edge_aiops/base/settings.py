"""Settings: one frozen object from defaults, a TOML file and `EDGE_AIOPS_*`, each value with its origin.

Later sources win: default < file < environment < command line. The key `port` of the table `[http]` is
`EDGE_AIOPS_HTTP__PORT` in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import fields

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput, SettingsError
from edge_aiops.base.nearest import nearest

ENVIRONMENT_PREFIX = "EDGE_AIOPS_"
CONFIG_FILE_VARIABLE = "EDGE_AIOPS_CONFIG"

RESERVED_VARIABLES = {
    CONFIG_FILE_VARIABLE: "the settings file",
    "EDGE_AIOPS_PLUGINS": "comma-separated names: load only these plugins",
    "EDGE_AIOPS_BLOCK_PLUGINS": "comma-separated names: do not load these plugins",
    "EDGE_AIOPS_TRACE_PLUGINS": "1: log every hook call while plugins load",
    "EDGE_AIOPS_JOIN": "the token with which `edge-aiops node` joins its hub",
    "EDGE_AIOPS_URL": "the server that client commands talk to, http://127.0.0.1:9926 if not set",
}
"""Variables that are read at start and are not settings of a table."""

Port = Annotated[int, Meta(ge=0, le=65_535, description="TCP port; 0 takes a free one")]


def _said(description: str, **limits: Any) -> Meta:
    return Meta(description=description, **limits)


class DataSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[data]`: where everything is kept."""

    folder: Annotated[str, _said("folder of the databases and model files")] = "~/.local/share/edge_aiops"


class HttpSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[http]`: the address, and what a request may weigh."""

    host: Annotated[str, _said("address to listen on")] = "127.0.0.1"
    port: Port = 9926
    allowed_hosts: Annotated[
        tuple[str, ...],
        _said("names by which clients may call, beside loopback and `host`; `*` allows every name"),
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...], _said("web origins, such as https://ops.example, whose pages may change things here")
    ] = ()
    max_body_bytes: Annotated[int, _said("largest JSON body", ge=1_024)] = 32 * 1024 * 1024
    max_upload_bytes: Annotated[int, _said("largest model artifact", ge=1_024)] = 8 * 1024**3
    max_elements: Annotated[int, _said("most values in one JSON body", ge=1)] = 2_000_000
    max_depth: Annotated[int, _said("deepest nesting of free-form JSON, such as metadata", ge=1, le=200)] = 32
    body_timeout: Annotated[Duration, _said("longest time for a JSON body, and for each 64 KiB of an upload")] = (
        Duration(30)
    )
    write_timeout: Annotated[
        Duration, _said("longest time for a client to take 64 KiB of its answer, or the rest of it")
    ] = Duration(30)
    max_connections: Annotated[
        int, _said("most connections at a time; more get 503, but for health checks on a few", ge=1)
    ] = 2_048


class ServingSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[serving]`: models in memory and the time an answer may take."""

    memory_budget_bytes: Annotated[
        int, _said("memory for loaded models; 0 takes half of what the machine or its cgroup has", ge=0)
    ] = 0
    max_loaded_models: Annotated[int, _said("most models in memory at once", ge=1)] = 32
    default_deadline: Annotated[Duration, _said("time for an answer when X-Deadline-Ms is not sent")] = Duration(1)
    generation_deadline: Annotated[Duration, _said("time for a generated text, where X-Deadline-Ms is not sent")] = (
        Duration(300)
    )
    max_generations: Annotated[int, _said("most texts that one model generates at a time; more wait", ge=1)] = 4
    load_timeout: Annotated[Duration, _said("longest time for a model to load")] = Duration(120)
    worker_memory_bytes: Annotated[
        int, _said("memory that a worker process may take; 0 takes half of what the machine or its cgroup has", ge=0)
    ] = 0
    worker_grace: Annotated[
        Duration, _said("time in which a model must stop when it is told to, before its worker process is killed")
    ] = Duration(2)
    max_batch_rows: Annotated[int, _said("most rows that requests waiting together may share a run", ge=1)] = 256
    max_queued: Annotated[int, _said("most requests waiting for one model; more get 503", ge=1)] = 1_024
    breaker_failures: Annotated[
        int, _said("crashes or failed loads of a model in a row after which its requests get 503", ge=1)
    ] = 3
    breaker_window: Annotated[Duration, _said("time within which these failures must fall")] = Duration(60)
    breaker_rest: Annotated[Duration, _said("how long such a model rests; doubled each time it fails again")] = (
        Duration(1)
    )
    breaker_longest_rest: Annotated[Duration, _said("longest rest of such a model")] = Duration(60)


class JournalSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[journal]`: the record of every inference."""

    acknowledge: Annotated[
        Literal["commit", "buffer"],
        _said("an answer leaves after its event is on disk (commit), or at once (buffer: a crash may lose events)"),
    ] = "commit"
    synchronous: Annotated[
        Literal["full", "normal"],
        _said("full survives power loss; normal survives a crash of the process, not of the machine"),
    ] = "full"
    max_age: Annotated[Duration, _said("events older than this are deleted")] = Duration(30 * 86_400)
    max_bytes: Annotated[int, _said("size of the journal that retention keeps to", ge=16 * 1024**2)] = 2 * 1024**3
    max_rows: Annotated[int, _said("number of events that retention keeps to", ge=1_000)] = 10_000_000
    max_payload_bytes: Annotated[
        int,
        _said("longest JSON kept of the features of an event, and of its prediction; longer ones are left out", ge=0),
    ] = 1024**2
    retention_interval: Annotated[Duration, _said("how often retention looks")] = Duration(600)
    read_timeout: Annotated[Duration, _said("longest time a query of the journal may take")] = Duration(5)


class RegistrySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[registry]`: what the hub does with a new model."""

    probe_timeout: Annotated[Duration, _said("longest time for a new model's trial load")] = Duration(60)


class HubSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[hub]`: where a hub keeps what it has; several hubs may share one PostgreSQL database and one object store."""

    database: Annotated[
        str, _said("postgresql://user:password@host/name; empty keeps a SQLite file in the data folder")
    ] = ""
    artifacts: Annotated[
        str, _said("s3://bucket/prefix, or another URL that obstore opens; empty keeps a folder in the data folder")
    ] = ""
    redirect_artifacts: Annotated[
        bool, _said("nodes fetch model files from the object store itself, by links that hold for five minutes")
    ] = False
    push_interval: Annotated[Duration, _said("how often nodes are asked to push; less often under load")] = Duration(60)
    roll_up: Annotated[Duration, _said("how often the hub merges what nodes have pushed")] = Duration(10)
    rows_max_age: Annotated[
        Duration, _said("how long single rows of nodes, and the five minutes of groups, are kept; sums stay")
    ] = Duration(7 * 86_400)
    label_rows_max_age: Annotated[
        Duration, _said("the same for rows that grow with feedback; longer than the nodes' journal.max_age")
    ] = Duration(60 * 86_400)
    hours_max_age: Annotated[Duration, _said("how long hours are kept")] = Duration(90 * 86_400)
    days_max_age: Annotated[Duration, _said("how long days, and records such as alerts, are kept")] = Duration(
        730 * 86_400
    )
    k_anonymity: Annotated[
        int, _said("counts of rows below this are withheld in the view of the fleet; 1 shows all", ge=1)
    ] = 10
    drift_check: Annotated[Duration, _said("how often the hub looks for drift of the fleet")] = Duration(3_600)
    drift_min_effect: Annotated[
        float,
        _said("least population stability index that is drift of the fleet; of a small shift, its square", ge=0),
    ] = 0.01
    silent_after: Annotated[Duration, _said("after so long without a push a node counts as silent")] = Duration(86_400)
    upstream: Annotated[str, _said("address of a hub above this one, which gets what this one has merged")] = ""
    upstream_join: Annotated[str, _said("join token of the hub above, needed once")] = ""


class FleetSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[fleet]`: how a node keeps up with its hub."""

    sync_interval: Annotated[Duration, _said("how often a node asks for its desired state")] = Duration(30)
    request_timeout: Annotated[Duration, _said("longest time for one request to the hub")] = Duration(30)
    window: Annotated[
        Literal["5m", "1h", "24h"], _said("how wide windows are that go to the hub; wider ones take fewer bytes a day")
    ] = "5m"
    outbox_max_bytes: Annotated[
        int, _said("what waits for the hub takes no more; see docs/fleet/push.md", ge=1024**2)
    ] = 64 * 1024**2
    bytes_per_hour: Annotated[
        int, _said("what a node sends to the hub in an hour, but for alerts; 0 sets no limit", ge=0)
    ] = 0
    bytes_per_day: Annotated[
        int, _said("what a node sends to the hub in a day, but for alerts; 0 sets no limit", ge=0)
    ] = 0
    artifact_sources: Annotated[
        tuple[str, ...],
        _said("addresses to fetch model files from before the hub is asked, in order, such as http://gateway:9926"),
    ] = ()
    share_artifacts: Annotated[
        bool, _said("give model files to who asks for them by their digest, such as neighbours of the same site")
    ] = False
    artifacts_max_bytes: Annotated[
        int,
        _said("size of all model files up to which those are kept that nothing needs any more; 0 keeps none", ge=0),
    ] = 2 * 1024**3
    policy: Annotated[
        str, _said("file that limits what a hub may change here, TOML; empty: policy.toml in the node's folder, if any")
    ] = ""


class TelemetrySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry]`: metrics sent to an OpenTelemetry collector; needs `pip install 'edge-aiops[telemetry]'`."""

    otlp_endpoint: Annotated[
        str, _said("address of an OTLP/HTTP collector, such as http://127.0.0.1:4318; empty sends nothing")
    ] = ""
    interval: Annotated[Duration, _said("how often metrics are sent")] = Duration(60)


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[log]`: what is written to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], _said("least severe level shown")] = "info"
    access: Annotated[bool, _said("one line for each request; costs a fifth of the throughput")] = False


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    data: DataSettings = field(default_factory=DataSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    serving: ServingSettings = field(default_factory=ServingSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    hub: HubSettings = field(default_factory=HubSettings)
    fleet: FleetSettings = field(default_factory=FleetSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def data_folder(self) -> Path:
        """The data folder with `~` expanded."""
        return Path(self.data.folder).expanduser()


class Setting(NamedTuple):
    """One effective value, for people to read."""

    key: str
    value: object
    origin: str
    description: str


class LoadedSettings(NamedTuple):
    """The settings and where each value that is not a default came from, by dotted key."""

    settings: Settings
    origins: Mapping[str, str]

    def entries(self) -> Iterator[Setting]:
        """Every setting, in the order of the tables."""
        for key in _KEYS:
            table, _, name = key.partition(".")
            description = next((meta.description or "" for meta in get_args(_wanted(key))[1:]), "")
            value = getattr(getattr(self.settings, table), name)
            yield Setting(key, value, self.origins.get(key, "default"), description)


def load_settings(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """The effective settings.

    `file`: a TOML file; without it the one named by EDGE_AIOPS_CONFIG, if any. `environment`: os.environ by
    default. `overrides`: values by dotted key, from the command line; None means not given.
    Raises `SettingsError` that names the source, the key and, for a wrong key, the nearest right one.
    """
    environment = os.environ if environment is None else environment
    if file is None and (named := environment.get(CONFIG_FILE_VARIABLE)):
        file = Path(named)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, key, value in (*_from_file(file), *_from_environment(environment), *_from_overrides(overrides or {})):
        values[key] = value
        origins[key] = origin
    tables: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        table, _, name = key.partition(".")
        tables.setdefault(table, {})[name] = _converted(key, value, origins[key])
    parts: dict[str, Any] = {}
    for table, entries in tables.items():
        parts[table] = _TABLES[table](**entries)
    return LoadedSettings(Settings(**parts), origins)


def _from_file(file: Path | None) -> Iterator[tuple[str, str, object]]:
    if file is None:
        return
    import tomllib  # here, because most start without a file

    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read the settings file {file}: {error}") from error
    for table, entries in document.items():
        if not isinstance(entries, dict):
            raise SettingsError(f"{file}: {table!r} must stand in a table, such as [http]{_suggested(table)}")
        if table not in _TABLES:
            raise SettingsError(f"{file}: there is no table [{table}]{_suggested(table)}")
        for name, value in entries.items():
            yield f"file {file}", _known(f"{table}.{name}", origin=str(file)), value


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    for variable, value in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or "__" not in variable:
            if variable.startswith(ENVIRONMENT_PREFIX) and variable not in RESERVED_VARIABLES:
                raise SettingsError(f"{variable} is no setting{_suggested_variable(variable)}")
            continue
        key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".", 1)
        if key not in _KEYS:
            raise SettingsError(f"{variable} is no setting{_suggested_variable(variable)}")
        yield f"environment {variable}", key, value


def _from_overrides(overrides: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    for key, value in overrides.items():
        if value is not None:
            yield "command line", _known(key, origin="command line"), value


def environment_variable(key: str) -> str:
    """The environment variable of a dotted key: `http.port` -> `EDGE_AIOPS_HTTP__PORT`."""
    return ENVIRONMENT_PREFIX + key.replace(".", "__").upper()


def _known(key: str, *, origin: str) -> str:
    if key not in _KEYS:
        raise SettingsError(f"{origin}: {key!r} is no setting{_suggested(key)}")
    return key


def _suggested(key: str) -> str:
    close = nearest(key, [*_KEYS, *_TABLES], likeness=0.5)
    return f"; did you mean {close!r}?" if close else "; `edge-aiops config` lists them all"


def _suggested_variable(variable: str) -> str:
    # Without the prefix, by which all of them look alike.
    known = [name.removeprefix(ENVIRONMENT_PREFIX) for name in (*map(environment_variable, _KEYS), *RESERVED_VARIABLES)]
    close = nearest(variable.removeprefix(ENVIRONMENT_PREFIX), known, likeness=0.5)
    return f"; did you mean {ENVIRONMENT_PREFIX}{close}?" if close else "; `edge-aiops config` lists them all"


def _converted(key: str, value: object, origin: str) -> object:
    wanted = _wanted(key)
    if isinstance(value, str) and get_args(get_args(wanted)[0])[:1] == (str,):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, wanted, strict=not isinstance(value, str), dec_hook=_decoded)
    except (msgspec.ValidationError, InvalidInput) as error:
        raise SettingsError(f"{origin}: {key} = {value!r} is not allowed: {error}") from error


def _decoded(wanted: type, value: object) -> object:
    if wanted is Duration and isinstance(value, str):
        value = Duration.parse(value)
    if wanted is Duration and isinstance(value, Duration):
        if value <= 0:
            raise InvalidInput("it must be longer than 0s")
        return value
    raise InvalidInput(f"a {wanted.__name__.lower()} is written as text, such as '5m'")


def _wanted(key: str) -> Any:
    table, _, name = key.partition(".")
    return _wanted_in(_TABLES[table])[name]


@cache
def _wanted_in(table: type[Struct]) -> Mapping[str, Any]:
    return get_type_hints(table, include_extras=True)


_TABLES: dict[str, type[Struct]] = {field.name: field.type for field in fields(Settings)}
_KEYS = [f"{table}.{name}" for table, kind in _TABLES.items() for name in kind.__struct_fields__]
