"""yaml-language-server, run for real on what `rewards init` writes: it marks, completes and explains.

`REWARDS_YAML_LANGUAGE_SERVER` names its command; without it, one on the PATH is taken. To install it:
`npm install --prefix FOLDER yaml-language-server`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rewards.cli import init
from tests.editor.server import Server

COMMAND = os.environ.get("REWARDS_YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")

pytestmark = pytest.mark.skipif(not COMMAND, reason="yaml-language-server is not installed")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editor") / "shop"
    assert init.run(str(folder)) == 0
    return folder


@pytest.fixture(scope="module")
def server(shop: Path) -> Iterator[Server]:
    with Server(str(COMMAND), shop) as running:
        yield running


def edited(shop: Path, **changes: tuple[str, str]) -> str:
    text = (shop / "my-shop.yaml").read_text()
    for before, after in changes.values():
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


def marked(text: str, found: list[dict[str, Any]]) -> dict[str, str]:
    """Return what each message marks."""
    lines = text.splitlines()
    marks = {}
    for one in found:
        start, end = one["range"]["start"], one["range"]["end"]
        assert start["line"] == end["line"]
        marks[one["message"]] = f"{start['line'] + 1}: {lines[start['line']][start['character'] : end['character']]}"
    return marks


def test_what_init_writes_is_clean(server: Server, shop: Path) -> None:
    assert server.open(shop / "my-shop.yaml", edited(shop)) == []


def test_four_kinds_of_error_are_marked_where_they_are(server: Server, shop: Path) -> None:
    text = edited(
        shop,
        unknown_key=("    measure: ever", "    mesure: ever"),
        wrong_type=("schedule: {days: [sat]}", "schedule: saturday"),
        bad_choice=("tax: included", "tax: maybe"),
        missing_key=("    one: point\n", ""),
    )
    lines = text.splitlines()
    at = {word: next(i for i, line in enumerate(lines, 1) if word in line) for word in ("mesure", "saturday", "maybe")}
    assert marked(text, server.open(shop / "broken.yaml", text)) == {
        "Property mesure is not allowed.": f"{at['mesure']}: mesure",
        'Incorrect type. Expected "a schedule".': f"{lines.index('    schedule: saturday') + 1}: saturday",
        'Value is not accepted. Valid values: "included", "excluded".': f"{at['maybe']}: maybe",
        'Missing property "one".': f"{lines.index('points:') + 2}: points",
    }


def position(shop: Path, file: str, text: str, line: str) -> dict[str, Any]:
    """Return the end of a line, as a request's parameters."""
    number = text.splitlines().index(line)
    return {
        "textDocument": {"uri": (shop / file).as_uri()},
        "position": {"line": number, "character": len(line)},
    }


def test_keys_of_a_rule_are_completed(server: Server, shop: Path) -> None:
    text = edited(shop, key=("    measure: ever", "    mea"))
    server.open(shop / "keys.yaml", text)
    items = server.ask("textDocument/completion", position(shop, "keys.yaml", text, "    mea"))["items"]
    offered = {item["label"]: item for item in items}
    assert {"measure", "schedule", "limit"} <= offered.keys()
    assert "give" not in offered  # it is there already
    assert offered["measure"]["insertText"] == "measure: "
    assert "window" in str(offered["measure"]["documentation"])


def test_values_are_completed(server: Server, shop: Path) -> None:
    text = edited(shop, value=("  tax: included", "  tax: "))
    server.open(shop / "values.yaml", text)
    items = server.ask("textDocument/completion", position(shop, "values.yaml", text, "  tax: "))["items"]
    assert {item["label"] for item in items} == {"included", "excluded"}


def test_keys_are_explained(server: Server, shop: Path) -> None:
    text = edited(shop)
    server.open(shop / "my-shop.yaml", text)
    where = position(shop, "my-shop.yaml", text, "  paid_by_points: does_not_count")
    where["position"]["character"] = 4
    told = server.ask("textDocument/hover", where)["contents"]["value"]
    assert "The part that points and promotional money pay" in told.replace("\\", "")
