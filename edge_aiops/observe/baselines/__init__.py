"""Baselines: made from a model's metadata, a dataset or a span of production; kept by number."""
