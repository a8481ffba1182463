"""Data quality: whether what comes in is as the schema or the baseline says."""
