"""What exists: models, their versions and stages, and their artifacts."""
