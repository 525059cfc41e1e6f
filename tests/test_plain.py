"""The search for codes and PINs finds each, wherever a code could be left; and finds nothing where there is none."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from rewards.basket import BasketTender
from rewards.service.codes import masked, shown
from tests.plain import nothing_plain, pins_of, plain

CODE = "7ZZZ0000000000004"
TENDER = BasketTender(kind="gift_card", code=CODE, pin="4711", amount_minor=4711)
KEPT = {
    "as it is made": CODE.encode(),
    "as it is shown": b"code=" + shown(CODE).encode() + b";",
    "in small letters": shown(CODE).lower().encode(),
    "in an event": msgspec.msgpack.encode([1, CODE, b"\xff" * 9]),
    "in an answer": b"\x00\x8a" + json.dumps({"gift_card_id": "gc_1", "code": shown(CODE)}).encode(),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_code_is_found(name: str) -> None:
    assert len(list(plain(b"\x00" * 500 + KEPT[name] + b"\x01" * 500, set()))) == 1


@pytest.mark.parametrize(
    "data",
    [
        msgspec.msgpack.encode(TENDER),
        msgspec.json.encode(TENDER),
        b"no card takes pin=4711",
        b"BasketTender(pin='4711'",
    ],
)
def test_a_pin_is_found(data: bytes) -> None:
    assert [text for _, text in plain(data, {"4711"}) if "PIN" in text] == ["PIN 4711"]


@pytest.mark.parametrize(
    "text",
    [
        masked(CODE),
        CODE[:-1],
        CODE + "A",
        "12345678901234567",
        "FLATWHITE",
        '{"amount_minor": 4711}',
        "0.4711",
        "card2617343770385",
    ],
)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert list(plain(text.encode(), {"4711"})) == []


def test_files_are_searched_databases_and_their_wal_too() -> None:
    with TemporaryDirectory() as folder:  # not a folder of the tests, in which nothing may be left
        file = Path(folder) / "deep" / "shop.db"
        file.parent.mkdir()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE kept (text)")
            assert nothing_plain(Path(folder), {"4711"}) == []
            connection.execute("INSERT INTO kept VALUES (?)", (CODE,))
            connection.commit()
            assert [place.split(",")[0] for place in nothing_plain(Path(folder), set())] == [f"{file}-wal"]
        assert [place.split(",")[0] for place in nothing_plain(Path(folder), set())] == [f"{file}"]


def test_the_pins_of_the_tests_are_known() -> None:
    assert {"4711", "47110815"} <= pins_of(Path(__file__).parent)
