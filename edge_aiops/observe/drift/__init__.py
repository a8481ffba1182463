"""Drift: whether inputs, outputs or quality of a model have moved away from its baseline."""
