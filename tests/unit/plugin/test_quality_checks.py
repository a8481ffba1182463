"""Quality checks come from plugins by one hook; what edge_aiops brings along is a plugin too."""

from __future__ import annotations

import subprocess
import sys

import edge_aiops.observe.plugin as builtin
from edge_aiops.plugin import hookimpl
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.testing.plugins import entry_point, plugin_module, plugins_of


def checks_of(plugins: Plugins) -> Extensions[QualityCheckSpec]:
    return Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)


def failures(plugins: Plugins) -> dict[str, str | None]:
    return {plugin.name: plugin.error for plugin in plugins.all() if plugin.status == "failed"}


def test_the_builtin_plugin_registers_checks_and_each_can_be_made() -> None:
    plugins = plugins_of(entry_point(builtin, "builtin"))
    checks = checks_of(plugins)
    assert {"wrong_type", "missing", "null_rate", "range", "staleness"} <= checks.specs.keys()
    assert all(callable(checks.get(name).check) for name in checks.specs)
    assert failures(plugins) == {}


def test_a_plugin_that_takes_the_name_of_a_builtin_check_is_reported_and_the_first_stays() -> None:
    @hookimpl
    def register_quality_checks() -> list[QualityCheckSpec]:
        return [QualityCheckSpec(name="range", factory="mine:Range", description="mine", threshold=0.5)]

    mine = plugin_module("mine", register_quality_checks=register_quality_checks)
    plugins = plugins_of(entry_point(builtin, "builtin"), entry_point(mine, "mine"))
    checks = checks_of(plugins)
    # pluggy asks the plugin that was registered last first.
    (failed,) = failures(plugins).items()
    assert "quality check 'range' is registered already" in str(failed)
    assert "range" in checks.specs


def test_registering_the_builtin_checks_imports_nothing_of_weight() -> None:
    program = (
        "import sys, edge_aiops.plugin; before = set(sys.modules); "
        "import edge_aiops.observe.plugin as plugin; plugin.register_quality_checks(); "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "numpy" not in done.stdout.split()
