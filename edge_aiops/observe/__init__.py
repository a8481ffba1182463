"""What the journal's events mean: windows, baselines, drift, data quality, alerts."""
