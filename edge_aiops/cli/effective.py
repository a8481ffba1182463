"""The settings that a command line asks for."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_aiops.base.settings import LoadedSettings, load_settings


def effective_settings(arguments: Namespace, **overrides: object) -> LoadedSettings:
    """Defaults, file, environment and command line, in this order. `overrides`: by key with `_` for the dot.

    Raises `SettingsError`.
    """
    data = arguments.data and str(Path(arguments.data).expanduser().absolute())
    given = {"data.folder": data, "log.level": arguments.log_level}
    return load_settings(
        file=arguments.config,
        overrides=given | {key.replace("_", ".", 1): value for key, value in overrides.items()},
    )
