"""The catalogue's tables, and every query of them.

Functions of a connection. Whoever changes something calls `lock` first and `raise_generation` last, in one
transaction; so changes follow one another, on every database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.registry.messages import ModelVersion, Trial
from edge_aiops.store.shared.bulk import Ask, Steps, perform
from edge_aiops.store.shared.schema import metadata

_catalogue = Table(
    "catalogue",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
)

_models = Table(
    "models",
    metadata,
    Column("name", String(64), primary_key=True),
    # Outlives the versions, so that a deployment version is never used twice.
    Column("last_deployment", BigInteger, nullable=False),
)

_versions = Table(
    "model_versions",
    metadata,
    Column("model_name", String(64), ForeignKey("models.name"), primary_key=True),
    Column("model_version", String(64), primary_key=True),
    Column("deployment_version", BigInteger, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("framework", String(64), nullable=False),
    Column("task_type", String(128)),
    Column("sha256", String(64), index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("details", JSON, nullable=False),
    UniqueConstraint("model_name", "deployment_version"),
    # The migration adds an index by which a model cannot have two versions in production. It depends on a condition,
    # and to state that here would import PostgreSQL's dialect, 20 ms, at every start.
)

_TRIAL = "trial"
"""In a version's details, what is told to nodes only."""
_COLUMNS = frozenset(_versions.c.keys()) - {"details"}
_JSON_NAMES = dict(zip(ModelVersion.__struct_fields__, ModelVersion.__struct_encode_fields__, strict=True))


async def lock(connection: AsyncConnection) -> None:
    """Keep every other change of the catalogue waiting until this transaction ends."""
    await connection.execute(select(_catalogue.c.generation).with_for_update())


async def generation(connection: AsyncConnection) -> int:
    """The number of the catalogue's present state; it only grows."""
    return await perform(connection, generation_of())


def generation_of() -> Steps[int]:
    """`generation`, as a part of a transaction of statements."""
    ((number,),) = yield Ask("SELECT generation FROM catalogue")
    return int(number)


async def raise_generation(connection: AsyncConnection, *, at_least: int = 0) -> int:
    """The new number of the catalogue's state, for the changes of this transaction."""
    raised = max(await generation(connection) + 1, at_least)
    await connection.execute(update(_catalogue).values(generation=raised))
    return raised


async def find(connection: AsyncConnection, name: str, version: str) -> ModelVersion | None:
    """The version, if it is registered."""
    wanted = select(_versions).where(_versions.c.model_name == name, _versions.c.model_version == version)
    return next(iter(await _found(connection, wanted)), None)


async def of_model(connection: AsyncConnection, name: str) -> list[ModelVersion]:
    """The versions of one model, the oldest deployment first."""
    return await _found(connection, _all().where(_versions.c.model_name == name))


async def matching(connection: AsyncConnection, filters: Mapping[str, str | None]) -> list[ModelVersion]:
    """The versions whose columns have the values in `filters`, where those are not None; by name and deployment."""
    wanted = [_versions.c[column] == value for column, value in filters.items() if value is not None]
    return await _found(connection, _all().where(*wanted))


async def next_deployment(connection: AsyncConnection, name: str) -> int:
    """A deployment version that no content of this model has had yet."""
    raised = update(_models).where(_models.c.name == name).values(last_deployment=_models.c.last_deployment + 1)
    if (await connection.execute(raised)).rowcount == 0:
        await connection.execute(insert(_models).values(name=name, last_deployment=1))
    last = select(_models.c.last_deployment).where(_models.c.name == name)
    return int((await connection.execute(last)).scalar_one())


async def archive_production(connection: AsyncConnection, name: str, *, now_ms: int) -> None:
    """Archive the model's version in production, if there is one."""
    await connection.execute(
        update(_versions)
        .where(_versions.c.model_name == name, _versions.c.stage == "production")
        .values(stage="archived", updated_at=now_ms)
    )


async def put(connection: AsyncConnection, version: ModelVersion, trial: Trial) -> None:
    """Record `version`, in place of the one with the same name and version if there is one."""
    await remove(connection, version.model_name, version.model_version)
    await connection.execute(insert(_versions).values(_row(version, trial)))


async def trials(connection: AsyncConnection) -> dict[tuple[str, str], Trial]:
    """What the trial of each version has found, by name and version, those from before there were trials left out."""
    wanted = select(_versions.c.model_name, _versions.c.model_version, _versions.c.details)
    return {
        (row.model_name, row.model_version): msgspec.convert(row.details[_TRIAL], Trial)
        for row in await connection.execute(wanted)
        if _TRIAL in row.details
    }


async def trial(connection: AsyncConnection, name: str, version: str) -> Trial:
    """What the trial of one version has found."""
    wanted = select(_versions.c.details).where(_versions.c.model_name == name, _versions.c.model_version == version)
    details = (await connection.execute(wanted)).scalar_one_or_none() or {}
    return msgspec.convert(details.get(_TRIAL, {}), Trial)


async def remove(connection: AsyncConnection, name: str, version: str) -> None:
    """Forget the version."""
    await connection.execute(
        delete(_versions).where(_versions.c.model_name == name, _versions.c.model_version == version)
    )


async def is_referenced(connection: AsyncConnection, sha256: str) -> bool:
    """Whether any version has this artifact."""
    wanted = select(func.count()).select_from(_versions).where(_versions.c.sha256 == sha256)
    return bool((await connection.execute(wanted)).scalar_one())


async def artifacts(connection: AsyncConnection) -> dict[str, int]:
    """Size in bytes of each artifact that a version has, by SHA-256."""
    wanted = select(_versions.c.sha256, _versions.c.size_bytes).where(_versions.c.sha256.is_not(None)).distinct()
    return {row.sha256: row.size_bytes for row in await connection.execute(wanted)}


async def stage_counts(connection: AsyncConnection) -> dict[str, int]:
    """How many versions are in each stage that has any."""
    wanted = select(_versions.c.stage, func.count().label("versions")).group_by(_versions.c.stage)
    return {row.stage: row.versions for row in await connection.execute(wanted)}


async def model_count(connection: AsyncConnection) -> int:
    """How many models have a version."""
    wanted = select(func.count(_versions.c.model_name.distinct()))
    return int((await connection.execute(wanted)).scalar_one())


def _all() -> Select[Any]:
    return select(_versions).order_by(_versions.c.model_name, _versions.c.deployment_version)


async def _found(connection: AsyncConnection, wanted: Select[Any]) -> list[ModelVersion]:
    return _read((await connection.execute(wanted)).mappings())


def _read(rows: Iterable[RowMapping]) -> list[ModelVersion]:
    return [msgspec.convert(_told(row), ModelVersion) for row in rows]


def _told(row: RowMapping) -> dict[str, Any]:
    columns = {_JSON_NAMES[column]: row[column] for column in _COLUMNS}
    details: dict[str, Any] = row["details"]
    return {**details, **columns}


def _row(version: ModelVersion, trial: Trial) -> dict[str, Any]:
    columns = {column: getattr(version, column) for column in _COLUMNS}
    details = {told: getattr(version, field) for field, told in _JSON_NAMES.items() if field not in _COLUMNS}
    return {**columns, "details": msgspec.to_builtins({**details, _TRIAL: trial})}
