"""What hooks return: frozen descriptions that name the working code by dotted path and import nothing."""

from __future__ import annotations

from msgspec import Struct


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

    environment: tuple[str, ...] = ()
    """Environment variables that the backend reads under their usual names, for `edge-aiops config`."""

    def __post_init__(self) -> None:
        module, colon, attribute = self.factory.partition(":")
        if not (module and colon and attribute):
            raise ValueError(f'backend {self.name!r}: factory {self.factory!r} is not written "package.module:Class"')
