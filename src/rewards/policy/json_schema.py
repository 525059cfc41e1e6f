"""The JSON Schema of policy files, for editors: completion, hover texts and checks while typing.

What does not live here: the vocabulary (`schema`, `shared_schema`, `offer_schema`), from which all of this is
made. Draft 7, which the common YAML language servers read. An editor sees
plain scalars as numbers and booleans where the loader sees text, so amounts
may be either.
"""

from __future__ import annotations

from typing import Any

from rewards.policy.forms import Form
from rewards.policy.schema import POLICY
from rewards.policy.shared_schema import DEFINITIONS
from rewards.policy.structure import Either, Fields, Key, ListOf, Named, Ref, Shape

Node = dict[str, Any]


def json_schema() -> Node:
    """Return the schema of a policy file as a JSON document."""
    head: Node = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return {**head, **_shape(POLICY), "definitions": {name: _shape(one) for name, one in DEFINITIONS.items()}}


def _shape(shape: Shape) -> Node:
    if isinstance(shape, Ref):
        return {"$ref": f"#/definitions/{shape.name}"}
    if isinstance(shape, Form):
        return _form(shape)
    if isinstance(shape, ListOf):
        return {"type": "array", "items": _shape(shape.of), "minItems": 1}
    if isinstance(shape, Named):
        return _named(shape)
    if isinstance(shape, Either):
        return _either(shape)
    return _fields(shape)


def _form(form: Form) -> Node:
    if form.options:
        # An editor takes the plain word `true` for a boolean.
        return {
            "enum": [
                *form.options,
                *([True] if "true" in form.options else []),
                *([False] if "false" in form.options else []),
            ]
        }
    node: Node = {"type": form.json_types[0] if len(form.json_types) == 1 else list(form.json_types)}
    if form.pattern:
        node["pattern"] = form.pattern
    if form.minimum is not None:
        node["minimum"] = form.minimum
    return node


def _named(shape: Named) -> Node:
    names: Node = {"pattern": shape.ids.pattern}
    return {"type": "object", "propertyNames": names, "additionalProperties": _shape(shape.of), "minProperties": 1}


def _either(shape: Either) -> Node:
    parts = [_shape(part) for part in (shape.scalar, shape.list, shape.map) if part and _has_keys(part)]
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _has_keys(shape: Shape) -> bool:
    """A map of keys that are all unsupported is nothing to offer."""
    return not isinstance(shape, Fields) or bool(shape.keys)


def _fields(shape: Fields) -> Node:
    node: Node = {
        "type": "object",
        "title": shape.what,
        "properties": {key.name: _key(key) for key in shape.keys},
        "additionalProperties": False,
    }
    if required := [key.name for key in shape.keys if key.required]:
        node["required"] = required
    if shape.together:
        node["dependencies"] = {name: list(needs) for name, needs in shape.together}
    if shape.exactly_one:
        node["oneOf"] = [{"required": [name]} for name in shape.exactly_one]
    if shape.at_least_one:
        node["anyOf"] = [{"required": [name]} for name in shape.at_least_one]
    if shape.excludes:
        node["not"] = {"anyOf": [{"required": list(pair)} for pair in shape.excludes]}
    return node


def _key(key: Key) -> Node:
    node: Node = {"description": key.help + (f" Default: {key.default}." if key.default else "")}
    examples = _examples(key)
    if examples:
        node["examples"] = examples
    inner = _shape(key.shape)
    # Draft 7 ignores everything beside a reference.
    return {**node, "allOf": [inner]} if "$ref" in inner else {**node, **inner}


def _examples(key: Key) -> list[str]:
    if key.example:
        return [key.example]
    shape = key.shape.scalar if isinstance(key.shape, Either) else key.shape
    return list(shape.examples) if isinstance(shape, Form) and not shape.options else []
