"""The tables of the nodes that a hub knows."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, String, Table

from edge_aiops.store.shared.schema import metadata

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("node_group", String(64), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("joined_with", String(64), nullable=False),  # SHA-256 of the token, so that a repeated join is known as one
    Column("status", String(16), nullable=False, index=True),
    Column("status_at", BigInteger, nullable=False),
    Column("status_reason", String(512), nullable=False),
    Column("session", BigInteger, nullable=False),  # the number of the session opened last; it only grows
    Column("boots", JSON, nullable=False),  # the last boots that pushed, the latest last
    Column("boot_session", BigInteger, nullable=False),  # in which the latest of them pushed first
)

labels = Table(
    "node_labels",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("name", String(63), primary_key=True, index=True),
    Column("value", String(128), nullable=False),
)

events = Table(
    "node_events",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("what", String(16), nullable=False),
    Column("detail", String(512), nullable=False),
)

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("up_to", BigInteger, nullable=False),  # sessions of this number and of lower ones are over
    Column("reason", String(16), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
