"""Schemas of an OpenAPI document in a compact notation, as HTML: `{ name: string, stage?: "a" | "b" = "a" }`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_REFERENCE = "#/components/schemas/"
_INDENT = "  "
_BOUNDS = (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items"))
_NOT_WORTH_SAYING: tuple[object, ...] = (None, "", (), [], {})

Schema = Mapping[str, Any]


class Notation:
    """Writes the schemas of one document; references are expanded in place, a schema inside itself by its name."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components

    def written(self, schema: Schema) -> str:
        """The schema over several lines."""
        return self._type(schema, _INDENT, ())

    def type_of(self, schema: Schema) -> str:
        """The type of a parameter on one line, with its bounds."""
        return " ".join(part for part in (self._type(schema, "", ()), _remark(schema)) if part)

    def resolved(self, schema: Schema) -> Schema:
        """The schema, or the one that it refers to."""
        name = schema.get("$ref", "").removeprefix(_REFERENCE)
        return self._components.get(name, schema) if name else schema

    def _type(self, schema: Schema, indent: str, inside: tuple[str, ...]) -> str:
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix(_REFERENCE)
            if name in inside or name not in self._components:
                return _span("type", name)
            return self._type(self._components[name], indent, (*inside, name))
        if "anyOf" in schema:
            return " | ".join(self._type(part, indent, inside) for part in schema["anyOf"])
        if "enum" in schema:
            return " | ".join(_span("text", json.dumps(value)) for value in schema["enum"])
        if "prefixItems" in schema:
            return f"[{', '.join(self._type(part, indent, inside) for part in schema['prefixItems'])}]"
        if schema.get("type") == "array":
            return f"[{self._type(schema.get('items', {}), indent, inside)}]"
        if schema.get("properties"):
            return self._object(schema, indent, inside)
        return _span("type", _plain_type(schema))

    def _object(self, schema: Schema, indent: str, inside: tuple[str, ...]) -> str:
        lines = "".join(self._lines(schema, indent, inside))
        return "{\n" + lines + indent.removesuffix(_INDENT) + "}"

    def _lines(self, schema: Schema, indent: str, inside: tuple[str, ...]) -> Iterator[str]:
        required = schema.get("required", ())
        for name, wanted in schema["properties"].items():
            optional = "" if name in required else _span("mark", "?")
            remark = _remark(wanted)
            yield (
                f"{indent}{_span('key', name)}{optional}: {self._type(_known(wanted), indent + _INDENT, inside)}"
                f"{'  ' + remark if remark else ''}\n"
            )


def _known(schema: Schema) -> Schema:
    """Without null where that only says that the field may be left out."""
    parts = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    if len(parts) == len(schema.get("anyOf", ())) or "default" not in schema:
        return schema
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _plain_type(schema: Schema) -> str:
    wanted = schema.get("type", "any JSON")
    if schema.get("format") == "binary":
        return "bytes"
    return " | ".join(wanted) if isinstance(wanted, list) else str(wanted)


def _remark(schema: Schema) -> str:
    """Default and bounds."""
    default = schema.get("default")
    said = [] if default in _NOT_WORTH_SAYING else [f"= {json.dumps(default)}"]
    said += [bounds for kind in _BOUNDS if (bounds := _bounds(_known(schema), *kind))]
    return _span("remark", ", ".join(said)) if said else ""


def _bounds(schema: Schema, least: str, most: str, unit: str) -> str:
    if least in schema and most in schema:
        return f"{schema[least]:,} to {schema[most]:,}{unit}"
    said = {least: "at least", most: "at most"}
    return next((f"{words} {schema[key]:,}{unit}" for key, words in said.items() if key in schema), "")


def _span(kind: str, text: str) -> str:
    return f'<span class="{kind}">{escape(text)}</span>'
