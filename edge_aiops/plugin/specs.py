"""What hooks return: frozen descriptions that name the working code by dotted path and import nothing."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from edge_aiops.plugin.execution import Isolation


class BackendSpec(Struct, frozen=True, kw_only=True):
    """A backend: the code that loads and runs the models of one framework."""

    name: str
    """The framework's name as models are registered with it: `onnx`."""

    factory: str
    """Dotted path of a class or function that takes no arguments and gives a `Backend`: `"package.module:Class"`.
    Imported on the first load of a model."""

    description: str
    """One line for `edge-aiops plugins`."""

    requires: tuple[str, ...] = ()
    """Top-level modules that must be importable, the framework itself; looked for without importing them."""

    artifact: bool = True
    """Whether a model of this backend is a file; if not, its `options` alone describe it."""

    isolation: Isolation = "inline"
    """Where its models run if they are registered without `isolation`."""

    environment: tuple[str, ...] = ()
    """Environment variables that the backend reads under their usual names, for `edge-aiops config`."""

    def __post_init__(self) -> None:
        _check_factory("backend", self.name, self.factory)


class DriftTestSpec(Struct, frozen=True, kw_only=True):
    """A drift test: how far a feature has moved from its baseline."""

    name: str
    """As configurations name it: `ks_test`."""

    factory: str
    """Dotted path of a class or function that takes no arguments and gives a `DriftTest`."""

    description: str
    """One line for `edge-aiops plugins`."""

    kinds: tuple[Literal["numeric", "category"], ...] = ("numeric", "category")
    """The features it can measure."""

    decides: Literal["p_value", "distance"]
    """What decides: a p-value, held against the level of the configuration, or the score, held against a threshold."""

    threshold: float | None = None
    """The least score that counts, where it decides and a configuration names no other; None where a p-value does."""

    def __post_init__(self) -> None:
        _check_factory("drift test", self.name, self.factory)
        if (self.threshold is None) != (self.decides == "p_value"):
            has = "needs a threshold" if self.threshold is None else "has no threshold: the configuration has the level"
            raise ValueError(f"drift test {self.name!r}, which decides by {self.decides}, {has}")


class QualityCheckSpec(Struct, frozen=True, kw_only=True):
    """A check of the quality of data."""

    name: str
    """As configurations name it: `null_rate`."""

    factory: str
    """Dotted path of a class or function that takes no arguments and gives a `QualityCheck`."""

    description: str
    """One line for `edge-aiops plugins`."""

    threshold: float
    """The share of rows above which a finding is a violation, where a configuration names none."""

    needs_rows: bool = True
    """Whether it judges rows, so that of too few it says nothing, and alerts stay what they are until there are enough.
    False for one that judges something else, such as how long ago the last event came."""

    def __post_init__(self) -> None:
        _check_factory("quality check", self.name, self.factory)


class NotifierSpec(Struct, frozen=True, kw_only=True):
    """A way in which alerts are sent to people or programs."""

    name: str
    """As configurations name it, as `type`: `webhook`."""

    factory: str
    """Dotted path of a class or function that takes the options of one place, a mapping, and gives a `Notifier`.
    Raises `InvalidInput` that names the option. Called whenever the configuration changes."""

    description: str
    """One line for `edge-aiops plugins`."""

    requires: tuple[str, ...] = ()
    """Top-level modules that must be importable."""

    secrets: tuple[str, ...] = ()
    """Names of options that are never shown; those that are called secret, password, token or key are not anyway."""

    def __post_init__(self) -> None:
        _check_factory("notifier", self.name, self.factory)


def _check_factory(noun: str, name: str, factory: str) -> None:
    module, colon, attribute = factory.partition(":")
    if not (module and colon and attribute):
        raise ValueError(f'{noun} {name!r}: factory {factory!r} is not written "package.module:Class"')
