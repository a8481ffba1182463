"""A misspelt option is refused, never ignored."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from edge_aiops.plugin import InvalidModel, parsed_options
from edge_aiops.testing.backend import source


class Box(Struct, frozen=True):
    side: int = 1


class Options(Struct, frozen=True, rename="camel"):
    batch_size: Annotated[int, Meta(ge=1)] = 8
    box: Box = Box()


class NoOptions(Struct, frozen=True):
    pass


def test_options_become_typed_values() -> None:
    assert parsed_options(source(batchSize=4, box={"side": 2}), Options) == Options(4, Box(2))
    assert parsed_options(source(), Options) == Options()


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"batchsize": 4}, Options, "options.batchsize: there is no such option; did you mean batchSize?"),
        ({"batch_size": 4}, Options, "options.batch_size: there is no such option; did you mean batchSize?"),
        ({"colour": 4}, Options, "options.colour: there is no such option; there are: batchSize, box"),
        ({"colour": 4}, NoOptions, "options.colour: there is no such option; this backend takes none"),
        ({"batchSize": 0}, Options, "options.batchSize: Expected `int` >= 1"),
        ({"box": {"side": "wide"}}, Options, "options.box.side: Expected `int`, got `str`"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(options: dict[str, Any], kind: type[Struct], message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        parsed_options(source(**options), kind)
    assert str(caught.value) == message
    assert caught.value.fields[0].field == message.partition(":")[0]
