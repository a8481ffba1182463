"""A kit for plugin authors, and for ourselves: contracts, fakes, small real models and pytest fixtures.

Nothing here is imported by the product. The modules are imported one by one, because some need pytest or onnx:

- `contract`: `BackendContract`, the tests that every backend passes
- `notifiers`: `NotifierContract`, the tests that every notifier passes, and notifiers made in memory
- `drift_contract`: `DriftTestContract`, the tests that every drift test passes
- `quality_contract`: `QualityCheckContract`, the tests that every quality check passes
- `clock`: `FakeClock`, time that stands still until a test moves it
- `backend`: `FakeBackend` and `FakeSession`, which do what a test tells them
- `plugins`: plugins made in memory
- `models`: small ONNX models
- `pytest_plugin`: fixtures, found by pytest without an import
"""
