"""Baselines from reference datasets: files of rows with named columns."""
