"""`edge-aiops drift`: whether models have drifted away from their baselines."""
