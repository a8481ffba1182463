"""`edge-aiops benchmark`: which of several models for the same task is the fastest here."""
