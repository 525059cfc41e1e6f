"""Writes the reference pages from what the program itself knows.

`python -m tests.docs.reference` writes `docs/policy.md`, `docs/cli.md` and `docs/errors.md` anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from rewards.cli.commands import cli
from rewards.policy.codes import CODES
from rewards.policy.forms import Form
from rewards.policy.schema import POLICY
from rewards.policy.shared_schema import CONDITIONS, DEFINITIONS, MATCH, SELECTION
from rewards.policy.structure import Either, Fields, Key, ListOf, Named, Ref, Shape
from rewards.scenario import codes as _of_stories  # noqa: F401  adds those of scenario files to CODES
from tests.policy.test_json_schema import ONLY_THE_LOADER_SEES

DOCS = Path(__file__).resolve().parents[2] / "docs"
_MADE = "<!-- written by `python -m tests.docs.reference`; change the program's own words instead -->\n"
_NAMES = {"selection": "selection", "match": "selection", "conditions": "conditions"}


def policy() -> str:
    """Return the reference of the policy language."""
    head = (
        "# The policy language\n\n" + _MADE + "\nKeys in a map are all required of the thing that they select; items in"
        " a list are alternatives; `not` negates. The order of rules means nothing. Values name their unit: money"
        " `12.50`, counts `10 units`, points `5 stars`, durations `30 days` or `12 months`. **Bold** keys must be"
        " given. [`rules/`](../rules) has whole programs with scenarios; `rewards schema` prints the same as JSON"
        " Schema.\n"
    )
    parts = [head, *_section("A policy file", POLICY), *_definitions()]
    return "\n".join(parts).rstrip() + "\n"


def _definitions() -> Iterator[str]:
    yield from _section("A selection", _fields(MATCH))
    yield "A selection is such a map, the name of one in `selections`, `all`, or a list of these (any of them).\n"
    yield from _section("Conditions (`when`)", _fields(CONDITIONS))


def _section(title: str, fields: Fields) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield from _table(fields)
    for key in fields.keys:
        for name, inner in _inside(key):
            yield from _section(name, inner)


def _table(fields: Fields) -> Iterator[str]:
    yield "| key | value | default | meaning |\n| --- | --- | --- | --- |"
    for key in fields.keys:
        name = f"**`{key.name}`**" if key.required else f"`{key.name}`"
        example = (key.example or _example(key.shape)).replace("|", "\\|")
        shown = f"{_kind(key.shape)}{f', such as `{example}`' if example else ''}".strip(", ")
        yield f"| {name} | {shown} | {key.default} | {key.help.replace('|', chr(92) + '|')} |"
    if fields.unsupported:
        yield f"\nNot supported by this version: {', '.join(f'`{name}`' for name in fields.unsupported)}."


def _inside(key: Key) -> Iterator[tuple[str, Fields]]:
    shape = key.shape.of if isinstance(key.shape, Named) else key.shape
    if isinstance(shape, Either):
        shape = shape.map or (shape.list.of if shape.list else shape)
    if isinstance(shape, Fields) and shape.keys and key.name not in {"spend", "visits"}:
        word = "`spend`, `units`, `visits`" if key.name == "units" else f"`{key.name}`"
        yield f"{word}{': one of them' if isinstance(key.shape, Named) else ''}", shape


def _fields(ref: Ref) -> Fields:
    found = resolve(ref)
    assert isinstance(found, Fields)
    return found


def resolve(ref: Ref) -> object:
    return DEFINITIONS[ref.name]


def _kind(shape: Shape) -> str:
    match shape:
        case Form():
            return shape.name
        case Ref():
            return f"a {_NAMES[shape.name]}" if shape != CONDITIONS else "a map of conditions"
        case ListOf():
            return f"a list of: {_kind(shape.of)}"
        case Named():
            return f"{shape.what} by id"
    return shape.what


def _example(shape: Shape) -> str:
    if shape == SELECTION:
        return "{categories: [coffee]}"
    return shape.examples[0] if isinstance(shape, Form) and shape.examples and not shape.options else ""


def commands() -> str:
    """Return the reference of the command line."""
    head = (
        "# The command line\n\n"
        + _MADE
        + "\n`rewards COMMAND`, also `python -m rewards COMMAND`. Exit status 0: clean;"
        " 1: findings, or it could not be done; 2: wrong usage. The database is `--database`, else"
        " `REWARDS_DATABASE_URL`, else `sqlite:///rewards.db`.\n"
    )
    return head + "".join(_command(name, command) for name, command in sorted(_leaves(cli, "")))


def _leaves(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{before}{name} ")
        else:
            yield before + name, command


def _command(name: str, command: click.Command) -> str:
    arguments = " ".join(
        str(p.metavar or p.name or "").upper() for p in command.params if isinstance(p, click.Argument)
    )
    text = " ".join((command.help or "").replace("\b", "").split())
    rows = [
        f"| `{option.opts[0]}{f' {option.metavar}' if option.metavar else ''}` | {option.help or ''} |"
        for option in command.params
        if isinstance(option, click.Option)
    ]
    table = "\n| option | |\n| --- | --- |\n" + "\n".join(rows) + "\n" if rows else ""
    return f"\n## `rewards {name}{f' {arguments}' if arguments else ''}`\n\n{text}\n{table}"


def errors() -> str:
    """Return the reference of the codes that `rewards check` prints."""
    head = "# What `rewards check` finds\n\n" + _MADE + "\n`rewards explain CODE` prints the same.\n"
    rows = [f"\n## `{name}` ({code.severity})\n\n{code.text}\n" for name, code in sorted(CODES.items())]
    return head + _unseen() + "".join(rows)


def _unseen() -> str:
    """Return what the JSON Schema can't say; `tests/policy/test_json_schema.py` holds the list to the truth."""
    listed = sorted(name for name in ONLY_THE_LOADER_SEES - {"out-of-range"} if CODES[name].severity == "error")
    names = ", ".join(f"[`{name}`](#{name}-error)" for name in listed)
    return (
        "\nAn editor that reads the JSON Schema (`rewards init` sets it up) marks unknown, missing and contradicting"
        " keys, values of a wrong form and words that are none of those allowed, while you type. What follows from"
        " several places of the file, or from outside it, only `rewards check` sees, as it does every warning and note:"
        f" {names}; and of [`out-of-range`](#out-of-range-error) all but the lowest number.\n"
    )


PAGES = {"policy.md": policy, "cli.md": commands, "errors.md": errors}

if __name__ == "__main__":
    for file, write in PAGES.items():
        (DOCS / file).write_text(write())
