"""Options of a model, read strictly: a misspelt one is refused, never ignored."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

from edge_aiops.base.errors import InvalidModel
from edge_aiops.base.nearest import nearest
from edge_aiops.plugin.protocols import ModelSource

Options = TypeVar("Options", bound=Struct)


def parsed_options(source: ModelSource, kind: type[Options]) -> Options:
    """The options of `source` as `kind`, a `msgspec.Struct` with a default for every option that may be left out.

    Raises `InvalidModel` that names the option and its fault; for an unknown one, the nearest that exists.
    """
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    for name in source.options:
        if name not in known:
            raise InvalidModel.of(f"options.{name}", f"there is no such option{_suggestion(name, known)}")
    try:
        return msgspec.convert(source.options, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidModel.of("options" + path.rstrip("`"), reason) from error


def _suggestion(name: str, known: list[str]) -> str:
    if not known:
        return "; this backend takes none"
    by_letters = {option.lower(): option for option in known}
    close = nearest(name.lower().replace("_", ""), by_letters)
    return f"; did you mean {by_letters[close]}?" if close else f"; there are: {', '.join(known)}"
