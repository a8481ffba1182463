"""The file `events.db`. Few indexes, and names kept once: writing is what wears flash out."""

from __future__ import annotations

from edge_aiops.store.local import Schema

EVENTS_SCHEMA = Schema(
    name="events",
    application_id=0x45444745,
    migrations=(
        (
            """
            CREATE TABLE event (
                place INTEGER PRIMARY KEY,
                salt INTEGER NOT NULL,
                at_ms INTEGER NOT NULL,
                served_by INTEGER NOT NULL REFERENCES served_by (number),
                request_id TEXT,
                user_id TEXT,
                session_id TEXT,
                row_count INTEGER NOT NULL,
                batch_rows INTEGER NOT NULL,
                queue_us INTEGER NOT NULL,
                latency_us INTEGER NOT NULL,
                features TEXT,
                prediction TEXT,
                confidence TEXT,
                label TEXT,
                error TEXT
            ) STRICT
            """,
            "CREATE INDEX event_of_model ON event (served_by, place)",
            """
            CREATE TABLE feedback (
                place INTEGER PRIMARY KEY REFERENCES event (place) ON DELETE CASCADE,
                actual_outcome TEXT,
                correct INTEGER,
                feedback_timestamp INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE served_by (
                number INTEGER PRIMARY KEY,
                model_name TEXT NOT NULL,
                model_version TEXT NOT NULL,
                deployment_version INTEGER NOT NULL,
                UNIQUE (model_name, model_version, deployment_version)
            ) STRICT
            """,
        ),
        (
            # What was known of an event before and after each change: monitoring reads and empties it.
            """
            CREATE TABLE label_change (
                sequence INTEGER PRIMARY KEY,
                place INTEGER NOT NULL,
                first INTEGER NOT NULL,
                old_outcome TEXT,
                old_correct INTEGER,
                new_outcome TEXT,
                new_correct INTEGER
            ) STRICT
            """,
        ),
        # Of generated texts alone; a column that is null costs a byte.
        tuple(
            f"ALTER TABLE event ADD COLUMN {name} INTEGER"
            for name in ("prompt_tokens", "completion_tokens", "first_token_us")
        ),
        (
            # A row for each start of the process, and a few more.
            """
            CREATE TABLE boot (
                boot INTEGER PRIMARY KEY,
                first_place INTEGER NOT NULL,
                first_change INTEGER NOT NULL,
                width_ms INTEGER NOT NULL
            ) STRICT
            """,
        ),
    ),
)
