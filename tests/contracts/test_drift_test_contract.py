"""Every built-in drift test is what monitoring relies on."""

from __future__ import annotations

import pytest

from edge_aiops.observe.drift.specs import DRIFT_TESTS
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import DriftTest
from edge_aiops.plugin.specs import DriftTestSpec
from edge_aiops.testing.drift_contract import DriftTestContract
from edge_aiops.testing.plugins import plugins_of_modules


class TestBuiltinDriftTests(DriftTestContract):
    """All of them in turn."""

    plugin = "edge_aiops.observe.plugin"

    @pytest.fixture(params=[spec.name for spec in DRIFT_TESTS])
    def spec(self, request: pytest.FixtureRequest) -> DriftTestSpec:
        return next(spec for spec in DRIFT_TESTS if spec.name == request.param)

    @pytest.fixture
    def drift_test(self, spec: DriftTestSpec) -> DriftTest:
        plugins = plugins_of_modules(self.plugin)
        made: DriftTest = Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec).get(spec.name)
        return made
