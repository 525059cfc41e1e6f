"""The JSON Schema accepts what the loader's shape check accepts.

Files are given to the schema as an editor's YAML 1.2 reader sees them: plain
`1.00` is a number, plain `true` a boolean.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from rewards.policy.codes import CODES
from rewards.policy.compile import compile_policy
from rewards.policy.json_schema import json_schema
from rewards.policy.problems import Report
from rewards.policy.schema import POLICY
from rewards.policy.shared_schema import resolved
from rewards.policy.source import Entry, List, Map, Node, Scalar, read_source
from rewards.policy.structure import Either, Fields, Form, ListOf, Named, Ref, Shape

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/*.yaml"))

TEXT_ONLY = {  # an editor's YAML reader finds these, or nobody but the loader minds them
    "file-too-large", "file-empty", "not-utf8", "control-character", "tab", "yaml-syntax", "yaml-alias", "yaml-tag",
    "yaml-directive", "several-documents", "key-not-text", "duplicate-key", "too-deep", "too-many-parts",
}  # fmt: skip
ONLY_THE_LOADER_SEES = {code for code, about in CODES.items() if about.severity != "error"} | {
    "policy-not-first", "too-many-decimals", "out-of-range",
    "unknown-currency", "unknown-timezone", "unknown-country", "unknown-selection", "unknown-wallet", "unknown-rule",
    "unknown-group", "unknown-attribute", "attribute-value", "ambiguous-unit", "selection-cycle", "selection-too-large",
    "bad-base", "bases-of-two-wallets", "base-measure", "multiplier-remainder", "stored-value-visits", "limit-too-short", "limit-does-not-nest", "limit-of-multiplier",
    "wrong-wallet", "group-wallets", "group-measures", "group-limit", "at-most-amount", "amount-in-not",
    "at-most-visits", "not-in-not", "mixed-not", "bounds-crossed", "visits-do-not-fit", "visits-by-receipt",
    "expires-too-soon", "group-mixed", "group-of-rules", "group-stage", "choose-too-wide", "stage-of-units",
    "unknown-tier", "level-unit", "no-lowest-level", "equal-levels", "fall-without-keep",
    "limit-of-units", "free-of-fewer", "free-overlap",
    "unknown-gift-card", "gift-card-for-sale", "gift-card-value", "balance-below-load", "group-of-cards",
    "limit-kind", "limit-below-one",
}  # fmt: skip


# Seen by the schema or not, as the value is: it knows the lowest number, and the form of hours.
EITHER = {"out-of-range", "bad-hours"}


@cache
def entry_validator(section: str) -> Draft7Validator:
    schema = json_schema()
    return Draft7Validator(
        {**schema["properties"][section]["additionalProperties"], "definitions": schema["definitions"]}
    )


@cache
def validator() -> Draft7Validator:
    schema = json_schema()
    Draft7Validator.check_schema(schema)
    return Draft7Validator(json.loads(json.dumps(schema)))


def as_an_editor_sees(node: Node) -> Any:
    if isinstance(node, Map):
        return {entry.key.text: as_an_editor_sees(entry.value) for entry in node.entries}
    if isinstance(node, List):
        return [as_an_editor_sees(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.text if node.quoted else plain(node.text)


def plain(text: str) -> Any:
    """Read a plain scalar by YAML's core schema."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_schema_agrees_with_the_loader(file: Path) -> None:
    found = {problem.code for problem in compile_policy(file.read_bytes())[1]}
    if found & TEXT_ONLY or (found & EITHER and found <= ONLY_THE_LOADER_SEES):
        return
    node = read_source(file.read_bytes(), Report(""))
    assert node is not None
    accepted = validator().is_valid(as_an_editor_sees(node))
    assert accepted == (found <= ONLY_THE_LOADER_SEES), found


ENTRIES = [
    (file, section.key.text, entry, following)
    for file in FILES
    for root in [read_source(file.read_bytes(), Report(""))]
    if isinstance(root, Map)
    for section in root.entries
    if section.key.text in ("earn", "offers") and isinstance(section.value, Map)
    for entry, following in pairwise([*section.value.entries, None])
    if entry
]


@pytest.mark.parametrize(
    ("file", "section", "entry", "following"),
    ENTRIES,
    ids=[f"{file.stem}/{entry.key.text}" for file, _, entry, _ in ENTRIES],
)
def test_the_schema_agrees_about_each_rule_and_offer(
    file: Path, section: str, entry: Entry, following: Entry | None
) -> None:
    last = following.key.span.line if following else entry.key.span.line + 1
    problems = compile_policy(file.read_bytes())[1]
    inside = [one for one in problems if entry.key.span.line <= one.line < last and one.column > entry.key.span.column]
    found = {one.code for one in inside}
    if found & (TEXT_ONLY | EITHER) or len(problems) > 100:
        return
    accepted = entry_validator(section).is_valid(as_an_editor_sees(entry.value))
    # A rule that is refused for a key that it lacks is told so at its name.
    lacks = any(one.code in ("missing-key", "nothing-here") and one.line == entry.key.span.line for one in problems)
    assert accepted == (found <= ONLY_THE_LOADER_SEES and not lacks), found


def shapes(shape: Shape, seen: set[str]) -> list[Shape]:
    if isinstance(shape, Ref):
        if shape.name in seen:
            return []
        seen.add(shape.name)
        shape = resolved(shape)
    found: list[Shape] = [shape]
    inner: list[Shape | None] = []
    if isinstance(shape, Fields):
        inner = [key.shape for key in shape.keys]
    elif isinstance(shape, (Named, ListOf)):
        inner = [shape.of]
    elif isinstance(shape, Either):
        inner = [shape.scalar, shape.list, shape.map]
    for one in inner:
        found += shapes(one, seen) if one else []
    return found


def test_every_key_has_a_help_text_and_the_examples_are_read() -> None:
    from rewards.policy.forms import Facts  # noqa: PLC0415
    from rewards.policy.shape import Reader, example_of  # noqa: PLC0415

    for shape in shapes(POLICY, set()):
        for key in shape.keys if isinstance(shape, Fields) else ():
            assert key.help.endswith((".", "…"))
            report = Report("")
            node = read_source(f"value: {key.example or example_of(key.shape)}\n".encode(), report)
            assert isinstance(node, Map)
            Reader(Facts(2, "EUR"), report).read(key.shape, node.entries[0].value)
            assert report.problems == [], key.name


def test_each_form_reads_its_own_examples() -> None:
    from rewards.policy.forms import Facts  # noqa: PLC0415

    for shape in shapes(POLICY, set()):
        if isinstance(shape, Form):
            for example in shape.examples:
                shape.read(example, Facts(2, "EUR"))
                assert not shape.pattern or re.search(shape.pattern, example)


def test_editors_get_descriptions_and_examples() -> None:
    rule = json_schema()["properties"]["earn"]["additionalProperties"]["properties"]
    assert rule["measure"]["enum"] == ["receipt", "day", "week", "month", "quarter", "year", "ever"]
    assert rule["every"]["description"].startswith("For every so much")
    assert rule["limit"]["examples"] == ["{times: 1, per: month}"]
    offer = json_schema()["properties"]["offers"]["additionalProperties"]
    assert offer["oneOf"] == [{"required": [one]} for one in ("percent_off", "amount_off", "fixed_price", "free")]
    assert offer["properties"]["percent_off"]["examples"] == ["20%", "10.5%"]
