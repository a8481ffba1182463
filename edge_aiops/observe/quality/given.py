"""The schema that a model was registered with, read forgivingly: clients write schemas in many ways.

Understood are JSON Schema objects, lists of features, objects from names to types, and each of them under `inputs`,
`features`, `fields`, `columns` or `schema`, also as a JSON string. What cannot be understood is named and left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from edge_aiops.plugin.monitoring import FeatureKind

_WRAPPERS = ("inputs", "features", "fields", "columns", "schema")
_MOST_SHOWN = 60
_NUMERIC = ("float", "double", "int", "uint", "number", "numeric", "decimal", "real", "long", "short", "fp", "bfloat")
_CATEGORY = ("str", "categor", "enum", "text", "object", "bytes", "utf8", "char", "varchar", "date", "time", "uuid")
_ALIASES = {
    "type": ("type", "dtype", "datatype", "dataType", "data_type", "kind"),
    "minimum": ("minimum", "min", "exclusiveMinimum", "ge", "gt"),
    "maximum": ("maximum", "max", "exclusiveMaximum", "le", "lt"),
    "categories": ("enum", "categories", "values", "levels", "labels", "allowed"),
    "required": ("required",),
    "nullable": ("nullable", "null", "allowNull"),
}


class SchemaProblem(Struct, frozen=True):
    """A part of a schema that could not be understood, and so is not used."""

    field: str
    """Its path: `inputSchema.properties.age.minimum`."""
    message: str


class GivenFeature(Struct, frozen=True, kw_only=True):
    """What a given schema says of a feature; None where it says nothing."""

    kind: FeatureKind | None = None
    vector: bool = False
    """Whether it holds many values, of which nothing else is expected."""
    required: bool | None = None
    nullable: bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None


class GivenSchema(Struct, frozen=True, kw_only=True):
    """A schema as far as it was understood."""

    features: Mapping[str, GivenFeature] = {}
    allows_others: bool = False
    """Whether features that it does not name may come: JSON Schema's `"additionalProperties": true`."""
    problems: tuple[SchemaProblem, ...] = ()

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The least and the greatest value of each feature that has one of them; infinite where it has none."""
        limits = {name: (said.minimum, said.maximum) for name, said in self.features.items()}
        return {
            name: (-math.inf if low is None else low, math.inf if high is None else high)
            for name, (low, high) in limits.items()
            if (low, high) != (None, None)
        }


def read_schema(schema: object, field: str = "inputSchema") -> GivenSchema:
    """What `schema` says; `field` is how problems call it. Never raises."""
    reading = _Reading()
    reading.read(schema, field)
    # Of a schema that only has tensors, nobody knows what their values are called.
    only_vectors = bool(reading.features) and all(feature.vector for feature in reading.features.values())
    return GivenSchema(
        features=reading.features,
        allows_others=reading.allows_others or only_vectors,
        problems=tuple(reading.problems),
    )


class _Reading:
    """The features and problems found so far."""

    def __init__(self) -> None:
        self.features: dict[str, GivenFeature] = {}
        self.problems: list[SchemaProblem] = []
        self.allows_others = False

    def read(self, schema: object, field: str, depth: int = 0) -> None:
        if isinstance(schema, str):
            try:
                schema = msgspec.json.decode(schema)
            except (msgspec.DecodeError, RecursionError):
                self._problem(field, f"{_shown(schema)} is no JSON; send an object or a list")
                return
        if schema is None:
            return
        if isinstance(schema, list):
            self._list(schema, field)
        elif not isinstance(schema, Mapping):
            self._problem(field, f"{_shown(schema)} is no schema; send an object or a list")
        elif isinstance(schema.get("properties"), Mapping):
            self._json_schema(schema, field)
        elif (inner := _wrapped(schema)) and depth < len(_WRAPPERS):
            self.read(schema[inner], f"{field}.{inner}", depth + 1)
        else:
            for name, entry in schema.items():
                self._feature(str(name), entry, f"{field}.{name}")

    def _json_schema(self, schema: Mapping[str, Any], field: str) -> None:
        self.allows_others = schema.get("additionalProperties") not in (None, False)
        required = schema.get("required")
        if required is not None and not isinstance(required, list):
            self._problem(f"{field}.required", f"{_shown(required)} is no list of names")
            required = None
        for name, entry in schema["properties"].items():
            self._feature(
                str(name), entry, f"{field}.properties.{name}", required=None if required is None else name in required
            )

    def _list(self, entries: list[Any], field: str) -> None:
        for number, entry in enumerate(entries):
            name = entry.get("name") if isinstance(entry, Mapping) else entry
            if isinstance(name, str) and name:
                self._feature(name, entry if isinstance(entry, Mapping) else {}, f"{field}[{number}]", required=True)
            else:
                self._problem(f"{field}[{number}]", f"{_shown(entry)} has no name")

    def _feature(self, name: str, entry: object, field: str, *, required: bool | None = None) -> None:
        if isinstance(entry, str | list):
            entry = {"type": entry}
        if not isinstance(entry, Mapping):
            self._problem(field, f'{_shown(entry)} is no description of a feature, such as {{"type": "number"}}')
            return
        if name in self.features:
            self._problem(field, f"{name!r} is described already; the first description is used")
            return
        entry = _unfolded(entry)
        if isinstance(inner := entry.get("properties"), Mapping):
            self._object(name, inner, entry.get("required"), field)
        else:
            self.features[name] = self._described(entry, field, required)

    def _object(self, name: str, properties: Mapping[str, Any], required: object, field: str) -> None:
        """An object's features, under the names that they have when they come."""
        for inner, entry in properties.items():
            wanted = inner in required if isinstance(required, list) else None
            self._feature(f"{name}.{inner}", entry, f"{field}.properties.{inner}", required=wanted)

    def _described(self, entry: Mapping[str, Any], field: str, required: bool | None) -> GivenFeature:
        said = {key: _said(entry, aliases) for key, aliases in _ALIASES.items()}
        if entry.get("optional") is True:
            said["required"] = ("optional", False)
        if _is_vector(entry, said["type"][1]):
            return GivenFeature(vector=True, required=False)
        kind, may_be_null = self._kind(said["type"], field)
        categories = self._categories(said["categories"], field)
        nullable = self._flag(said["nullable"], field)
        if categories and kind != "category" and all(map(_is_number, said["categories"][1])):
            # Numbers are summarised as numbers: of those that are allowed, only the extremes are held against them.
            kind = "numeric"
            name, numbers = said["categories"]
            for limit, value in (("minimum", min(numbers)), ("maximum", max(numbers))):
                said[limit] = said[limit] if said[limit][1] is not None else (name, value)
        minimum, maximum = self._range(entry, said, field)
        wanted = self._flag(said["required"], field)
        return GivenFeature(
            kind=kind or ("category" if categories else "numeric" if (minimum, maximum) != (None, None) else None),
            required=required if wanted is None else wanted,
            nullable=True if nullable is None and may_be_null else nullable,
            minimum=minimum,
            maximum=maximum,
            categories=categories,
        )

    def _kind(self, said: tuple[str, Any], field: str) -> tuple[FeatureKind | None, bool]:
        """The kind, and whether `null` is one of the types."""
        name, value = said
        types = value if isinstance(value, list) else [] if value is None else [value]
        named = [str(kind).lower().removeprefix("tensor(") for kind in types]
        # A boolean is a number or a label, whichever its baseline is made of.
        kinds = {_kind_of(kind) for kind in named if kind not in ("null", "none") and not kind.startswith("bool")}
        if None in kinds:
            self._problem(f"{field}.{name}", f"{_shown(value)} is no known type; write number, boolean or string")
        may_be_null = len(named) > 1 and "null" in named
        return ("category" if len(kinds) > 1 else next(iter(kinds), None)), may_be_null

    def _range(
        self, entry: Mapping[str, Any], said: Mapping[str, tuple[str, Any]], field: str
    ) -> tuple[float | None, float | None]:
        given = entry.get("range")
        if isinstance(given, list) and len(given) == 2:
            low, high = (("range", limit) for limit in given)
        else:
            if given is not None:
                self._problem(f"{field}.range", f"{_shown(given)} is no list of the least and the greatest value")
            low, high = said["minimum"], said["maximum"]
        minimum, maximum = self._number(low, field), self._number(high, field)
        if minimum is not None and maximum is not None and minimum > maximum:
            self._problem(f"{field}.{low[0]}", f"the least value, {minimum:g}, is above the greatest, {maximum:g}")
            return None, None
        return minimum, maximum

    def _number(self, said: tuple[str, Any], field: str) -> float | None:
        name, value = said
        if value is None or isinstance(value, bool):
            return None  # JSON Schema's draft 4 has a boolean `exclusiveMinimum`.
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isnan(number):
            self._problem(f"{field}.{name}", f"{_shown(value)} is no number")
            return None
        return number if math.isfinite(number) else None

    def _categories(self, said: tuple[str, Any], field: str) -> tuple[str, ...] | None:
        name, value = said
        if value is None:
            return None
        labels = list(value) if isinstance(value, list | Mapping) else []
        if not labels or any(isinstance(label, list | Mapping) for label in labels):
            self._problem(f"{field}.{name}", f"{_shown(value)} is no list of labels")
            return None
        return tuple(dict.fromkeys(_label(label) for label in labels if label is not None))

    def _flag(self, said: tuple[str, Any], field: str) -> bool | None:
        name, value = said
        if value is None or isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        if not isinstance(value, list):  # a list: `required` of a nested object
            self._problem(f"{field}.{name}", f"{_shown(value)} is neither true nor false")
        return None

    def _problem(self, field: str, message: str) -> None:
        self.problems.append(SchemaProblem(field, message))


def _wrapped(schema: Mapping[str, Any]) -> str | None:
    """The key under which the schema proper stands; a feature may have the name of one."""

    def holds_schema(value: object) -> bool:
        if isinstance(value, Mapping):
            return "properties" in value or not isinstance(value.get("type"), str)
        return isinstance(value, list) or (isinstance(value, str) and value.lstrip()[:1] in ("[", "{"))

    return next((key for key in _WRAPPERS if holds_schema(schema.get(key))), None)


def _unfolded(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """`entry` with what stands in `constraints`, or in the one alternative of `anyOf` that is not null."""
    merged = {**entry, **constraints} if isinstance(constraints := entry.get("constraints"), Mapping) else dict(entry)
    for key in ("anyOf", "oneOf"):
        others = [part for part in _parts(entry.get(key)) if part.get("type") != "null"]
        if len(others) == 1:
            merged = {**merged, **others[0], **({"nullable": True} if len(list(_parts(entry[key]))) > 1 else {})}
    if "const" in merged:
        merged["enum"] = [merged["const"]]
    return merged


def _parts(alternatives: object) -> Iterator[Mapping[str, Any]]:
    return (part for part in alternatives if isinstance(part, Mapping)) if isinstance(alternatives, list) else iter(())


def _said(entry: Mapping[str, Any], aliases: tuple[str, ...]) -> tuple[str, Any]:
    """The first alias that `entry` has, with its value."""
    return next(((alias, entry[alias]) for alias in aliases if entry.get(alias) is not None), (aliases[0], None))


def _is_vector(entry: Mapping[str, Any], kind: object) -> bool:
    shape = entry.get("shape", entry.get("dims"))
    sizes = [size for size in shape if isinstance(size, int) and size > 0] if isinstance(shape, list) else []
    return kind == "array" or "items" in entry or math.prod(sizes) > 1


def _kind_of(name: str) -> FeatureKind | None:
    if name.startswith(_NUMERIC):
        return "numeric"
    return "category" if name.startswith(_CATEGORY) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _label(value: object) -> str:
    """A label as events' values are counted: JSON's `true` is `true`, 7.0 is `7`."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."
