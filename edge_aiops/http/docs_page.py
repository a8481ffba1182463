"""The page at /docs: an OpenAPI document for people, as one HTML file that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from edge_aiops.http.docs_examples import curl
from edge_aiops.http.docs_notation import Notation

_DEFAULT_URL = "http://127.0.0.1:9926"
_TEMPLATE = "docs_page.html"
_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)
_METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETER = re.compile(r"({\w+})")
_CODE = re.compile(r"`([^`]+)`")


def page(document: Mapping[str, Any]) -> str:
    """The whole page; examples call the first of the document's `servers`. Whatever stands in it is escaped."""
    information = document["info"]
    notation = Notation(document["components"]["schemas"])
    operations = list(_operations(document))
    filled = {
        "title": escape(information["title"]),
        "version": escape(information["version"]),
        "description": _prose(information["description"]),
        "navigation": "".join(_navigation(operations)),
        "problem": notation.written({"$ref": "#/components/schemas/Problem"}),
        "sections": "".join(_sections(operations, _url(document), notation)),
    }
    text = _template()
    for name, value in filled.items():
        # A comment cannot come out of what was filled in before: there `<` is escaped.
        text = text.replace(f"<!--{name}-->", value)
    return text


@cache
def content_security_policy() -> str:
    """The policy under which the page works: its own style and script, and nothing else from anywhere."""
    hashes = {
        tag: base64.b64encode(hashlib.sha256(text.encode()).digest()) for tag, text in _INLINE.findall(_template())
    }
    style, script = (f"'sha256-{hashes[tag].decode()}'" for tag in ("style", "script"))
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _template() -> str:
    return (files(__package__) / _TEMPLATE).read_text("utf-8")


def _url(document: Mapping[str, Any]) -> str:
    servers = document.get("servers", ())
    return str(servers[0]["url"]).rstrip("/") if servers else _DEFAULT_URL


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((method.upper(), path, item[method]) for method in _METHODS if method in item)


def _tags(operations: list[tuple[str, str, Mapping[str, Any]]]) -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
    tagged: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for operation in operations:
        tagged.setdefault(operation[2]["tags"][0], []).append(operation)
    return tagged


def _navigation(operations: list[tuple[str, str, Mapping[str, Any]]]) -> Iterator[str]:
    for tag, tagged in _tags(operations).items():
        yield f'<section><h2><a href="#{_anchor(tag)}">{escape(tag)}</a></h2><ul>'
        for method, path, operation in tagged:
            yield (
                f'<li data-text="{_searched(method, path, operation)}"><a href="#{escape(operation["operationId"])}">'
                f"{_badge(method)}<span>{escape(path)}</span></a></li>"
            )
        yield "</ul></section>"


def _sections(operations: list[tuple[str, str, Mapping[str, Any]]], url: str, notation: Notation) -> Iterator[str]:
    for tag, tagged in _tags(operations).items():
        yield f'<section class="tag"><h2 id="{_anchor(tag)}">{escape(tag)}</h2>'
        if all(operation.get("deprecated") for _, _, operation in tagged):
            yield "<p>Aliases for older clients; each does what its namesake above does.</p>"
        for method, path, operation in tagged:
            yield from _article(method, path, operation, url, notation)
        yield "</section>"


def _article(method: str, path: str, operation: Mapping[str, Any], url: str, notation: Notation) -> Iterator[str]:
    anchor = escape(operation["operationId"])
    yield f'<article id="{anchor}" data-text="{_searched(method, path, operation)}">'
    yield f'<h3>{_badge(method)}<a href="#{anchor}"><code>{_path(path)}</code></a></h3>'
    yield f'<div class="columns"><div><p>{_prose(operation["description"])}</p>'
    # An alias takes and gives what the endpoint does that it stands for.
    alias = bool(operation.get("deprecated"))
    yield from _parameters(operation, notation)
    yield from () if alias else _bodies("Request", operation.get("requestBody", {}), notation)
    command = escape(curl(url, method, path, operation, notation))
    yield f'</div><div><h4>Example</h4><div class="example"><pre><code>{command}</code></pre></div>'
    yield from () if alias else _answer(operation, notation)
    yield "</div></div></article>"


def _parameters(operation: Mapping[str, Any], notation: Notation) -> Iterator[str]:
    parameters = operation.get("parameters", ())
    if not parameters:
        return
    yield "<h4>Parameters</h4><table>"
    for parameter in parameters:
        needed = '<span class="needed">required</span>' if parameter["required"] else ""
        schema = {**parameter["schema"]}
        schema["anyOf"] = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
        yield (
            f"<tr><th><code>{escape(parameter['name'])}</code></th><td>{escape(parameter['in'])}</td>"
            f"<td><code>{notation.type_of(schema if schema['anyOf'] else parameter['schema'])}</code></td>"
            f"<td>{needed}</td></tr>"
        )
    yield "</table>"


def _answer(operation: Mapping[str, Any], notation: Notation) -> Iterator[str]:
    done = {status: answer for status, answer in operation["responses"].items() if status != "default"}
    if done:
        yield from _bodies(f"Answer {' or '.join(done)}", next(iter(done.values())), notation)


def _bodies(title: str, holder: Mapping[str, Any], notation: Notation) -> Iterator[str]:
    for media_type, content in holder.get("content", {}).items():
        schema = content.get("schema", {})
        said = notation.resolved(schema).get("description", "")
        yield f'<h4>{escape(title)} <span class="media">{escape(media_type)}</span></h4>'
        yield f"<p>{_prose(said)}</p>" if said else ""
        yield f'<pre class="schema">{notation.written(schema)}</pre>' if schema else ""


def _badge(method: str) -> str:
    return f'<span class="method {method.lower()}">{method}</span>'


def _path(path: str) -> str:
    return _PARAMETER.sub(r'<span class="key">\1</span>', escape(path))


def _prose(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _anchor(tag: str) -> str:
    return "tag-" + re.sub(r"[^a-z0-9]+", "-", tag.lower())


def _searched(method: str, path: str, operation: Mapping[str, Any]) -> str:
    return escape(f"{method} {path} {operation['description']}".lower())
