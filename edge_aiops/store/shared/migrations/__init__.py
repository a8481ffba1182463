"""The history of the hub's tables: Alembic revisions in `versions`, each numbered and never edited."""
