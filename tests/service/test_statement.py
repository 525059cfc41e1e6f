"""The statement as a customer reads it: one busy member in every language, and catalogues that lack nothing.

`REWARDS_ACCEPT=1` writes the golden texts anew; read them before they are taken.
"""

from __future__ import annotations

import ast
import json
import os
import re
import string
from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import rewards
from rewards.basket import Basket, BasketLine, MemberRef
from rewards.days import instant
from rewards.errors import InvalidRequest
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.commands import (
    Adjust,
    CancelRedemption,
    ChangeMember,
    Enrol,
    IssueGiftCard,
    Publish,
    RecordActivity,
    RecordPurchase,
    RecordReturn,
    Redeem,
    ReturnLine,
    ReturnOf,
)
from rewards.service.foresight import foresee
from rewards.service.service import Service
from rewards.service.tongue import LANGUAGES
from rewards.store import statements
from rewards.store.database import Session, Store

HERE = Path(__file__).parent
PACKAGE = Path(rewards.__file__).parent
ZONE = ZoneInfo("Asia/Tbilisi")
BUSY = (HERE / "statements" / "busy.yaml").read_bytes()
CARD = "2600000001236"


class Counting:
    """A session that notes which statements run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.keyed_statements: list[str] = []

    def rows(self, *given):
        return self._session.rows(*given)

    def keyed(self, sql: str, keys):
        if keys:
            self.keyed_statements.append(sql)
        return self._session.keyed(sql, keys)


class Shop:
    def __init__(self) -> None:
        self.now = datetime(2027, 1, 5, 10, tzinfo=ZONE)
        self.service = Service(Store.open("sqlite://"), clock=lambda: instant(self.now))
        self.service.do(Publish(BUSY))
        born = {"birthday": "03-14", "attributes": {"pensioner": True}}
        answer = self.service.do(Enrol(card=CARD, name="Nino", language="ka-GE", joined=date(2026, 3, 1), **born))
        self.member = json.loads(answer.body)["member_id"]

    def on(self, month: int, day: int, hour: int = 12) -> Shop:
        self.now = datetime(2027, month, day, hour, tzinfo=ZONE)
        return self

    def buy(self, receipt: str, *lines: tuple[str, int, int], at: datetime | None = None, codes=()) -> dict:
        rows = tuple(
            BasketLine(line_id=str(n), sku="X", categories=(category,), quantity=units, unit_price_minor=price)
            for n, (category, units, price) in enumerate(lines, 1)
        )
        basket = Basket(
            receipt_id=receipt,
            store_id="Rustaveli",
            occurred_at=at or self.now,
            currency="GEL",
            member=MemberRef(card=CARD),
            lines=rows,
            codes=codes,
        )
        return json.loads(self.service.do(RecordPurchase(basket), caller="scenario").body)

    def give_back(self, name: str, receipt: str, **lines: int) -> None:
        rows = tuple(ReturnLine(line_id=line[1:], quantity=units) for line, units in lines.items())
        of = ReturnOf(store_id="Rustaveli", receipt_id=receipt)
        command = RecordReturn(return_id=name, store_id="Rustaveli", occurred_at=self.now, of=of, lines=rows)
        self.service.do(command, caller="scenario")

    def adjust(self, points: int, reason: str, **facts) -> None:
        who = MemberRef(card=CARD)
        self.service.do(Adjust(member=who, wallet="beans", points=points, reason=reason, actor="kim", **facts))

    def redeem(self, *, cancelled: bool = False) -> None:
        told = json.loads(self.service.do(Redeem(member=MemberRef(card=CARD), reward="present")).body)
        if cancelled:
            names = {key: told[key] for key in ("member_id", "redemption_id")}
            self.service.do(CancelRedemption(**names, reason="a slip", actor="kim"))


@pytest.fixture(scope="module")
def busy() -> Iterator[Shop]:
    shop = Shop()
    shop.on(1, 7).buy("R-1", ("coffee", 2, 450), ("cake", 1, 725))
    shop.on(1, 8).buy("R-2", ("coffee", 3, 450))
    shop.on(1, 8, 15).buy("R-3", ("cake", 2, 725))
    shop.on(1, 9).buy("R-4", ("book", 1, 123_456), codes=("SPRING",))
    shop.on(1, 12).give_back("B-1", "R-1", _1=1, _2=1)
    shop.on(1, 13).service.do(RecordActivity(member=MemberRef(card=CARD), name="review", occurred_at=shop.now))
    shop.on(1, 20).adjust(30, "Sorry for the wait")
    shop.on(2, 2).buy("R-5", ("coffee", 1, 450), at=datetime(2027, 1, 11, 12, tzinfo=ZONE))
    shop.on(2, 3).adjust(-20_000, "Opening balance", may_owe=True)
    shop.on(3, 14).buy("R-6", ("coffee", 11, 450), ("cake", 1, 725))
    shop.on(3, 15).give_back("B-2", "R-6", _1=11, _2=1)
    shop.on(3, 16).buy("R-7", ("book", 1, 500_000))
    shop.service.do(IssueGiftCard(product="sorry", member=MemberRef(card=CARD), actor="kim"))
    shop.on(7, 1).buy("R-8", ("coffee", 5, 450))
    shop.on(7, 2).redeem()
    shop.on(7, 3).redeem(cancelled=True)
    shop.on(7, 9)
    yield shop
    assert shop.service.verify() == []
    shop.service.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_statement_of_a_busy_member(busy: Shop, language: str) -> None:
    text, spoken, more = busy.service.letter(busy.member, limit=None, language=language)
    assert (spoken, more) == (language, None)
    assert str(busy.member) not in text
    golden = HERE / "statements" / f"{language}.txt"
    if os.environ.get("REWARDS_ACCEPT"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_without_a_language_the_members_own_and_else_english(busy: Shop) -> None:
    assert busy.service.letter(busy.member)[1] == "ka"
    for wanted, spoken in (("fr", "en"), ("", "en"), ("hy_AM", "hy"), ("KA", "ka")):
        busy.service.do(ChangeMember(member_id=busy.member, language=wanted))
        assert busy.service.letter(busy.member)[1] == spoken


@pytest.mark.parametrize("wanted", ["fr", "", "english", "{0}"])
def test_a_language_that_is_not_spoken_is_refused(busy: Shop, wanted: str) -> None:
    for ask in (busy.service.letter, busy.service.statement):
        with pytest.raises(InvalidRequest) as refused:
            ask(busy.member, language=wanted)
        assert (refused.value.code, refused.value.pointer) == ("unknown-language", "/language")


def test_titles_in_answers_follow_the_member(busy: Shop) -> None:
    def titles() -> set[str]:
        basket = Basket(
            receipt_id="Q",
            store_id="Rustaveli",
            occurred_at=busy.now,
            currency="GEL",
            member=MemberRef(card=CARD),
            lines=(BasketLine(line_id="1", sku="X", categories=("coffee",), quantity=9, unit_price_minor=450),),
        )
        return {award.title for award in busy.service.quote(basket).awards if award.title}

    for language, told in (
        ("ru-RU", "Штамп за каждый кофе"),
        ("hy", "Կնիք ամեն սուրճի համար"),
        ("", "A stamp for each coffee"),
    ):
        busy.service.do(ChangeMember(member_id=busy.member, language=language))
        assert told in titles()
        assert told in {award.title for award in busy.service.purchase(store_id="Rustaveli", receipt_id="R-1").awards}


def test_the_languages_of_a_batch_of_members_cost_one_statement() -> None:
    shop = Shop()
    members = [shop.service.do(Enrol(external_id=f"x{n}", name="N", language="ru")).place for n in range(5)]
    baskets = [
        Basket(
            receipt_id=f"x{n}",
            store_id="S",
            occurred_at=shop.now,
            currency="GEL",
            member=MemberRef(external_id=f"x{n}"),
            lines=(BasketLine(line_id="1", sku="X", categories=("coffee",), quantity=1, unit_price_minor=450),),
        )
        for n in range(5)
    ]
    assert shop.service.versions()
    with shop.service._store.transaction() as session:
        counting = Counting(session)
        batch = Batch(counting, shop.service._running)
        foresee(batch, [Asked(RecordPurchase(basket), "local", None, instant(shop.now)) for basket in baskets])
        assert counting.keyed_statements.count(statements.PROFILES) == 1
        assert all(member is not None for member in members)
        for place in members:
            line = batch.line(place[0])
            assert batch.language(line) == "ru"
        assert counting.keyed_statements.count(statements.PROFILES) == 1
    shop.service.close()


def test_pages_of_the_text_are_the_whole(busy: Shop) -> None:
    whole = busy.service.letter(busy.member, limit=None, language="en")[0]
    entries, cursor = [], None
    while True:
        text, _, cursor = busy.service.letter(busy.member, limit=3, cursor=cursor, language="en")
        entries += text.split("\n\n")[3:]
        if cursor is None:
            break
        assert entries.pop().rstrip() == "There are older entries."
    assert [one.rstrip() for one in entries] == [one.rstrip() for one in whole.split("\n\n")[3:]]


def test_json_has_the_customers_reasons_where_a_language_is_asked_for(busy: Shop) -> None:
    exact = busy.service.statement(busy.member, limit=200).entries
    told = busy.service.statement(busy.member, limit=200, language="ru").entries
    assert [(entry.entry, entry.points) for entry in told] == [(entry.entry, entry.points) for entry in exact]
    assert "первая покупка" in told[-1].changes[0].why + told[-1].changes[1].why + told[-1].changes[2].why
    assert "first purchase" in str(exact[-1].changes)


# catalogues


def used() -> set[tuple[str, ...]]:
    """Return every message of the code: its text, or both texts of a number."""
    found = set()
    for path in (PACKAGE / "service").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                size = {"say": 1, "marked": 1, "count": 2}.get(name, 0)
                texts = [one.value for one in node.args[:size] if isinstance(one, ast.Constant)]
                if size and len(texts) == size and all(isinstance(text, str) for text in texts):
                    found.add(tuple(texts))
    return found


def catalogue(language: str) -> Catalog:
    return read_po(
        BytesIO((PACKAGE / "languages" / f"{language}.po").read_bytes()), locale=language, abort_invalid=True
    )


def holes(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_message_is_translated_with_the_same_facts(language: str) -> None:
    messages = {message.id: message for message in catalogue(language) if message.id}
    known = {(name,) if isinstance(name, str) else tuple(name) for name in messages}
    assert known == used()
    for name, message in messages.items():
        forms = [message.string] if isinstance(name, str) else list(message.string)
        wanted = holes(name if isinstance(name, str) else name[1])
        assert len(forms) == (1 if isinstance(name, str) else catalogue(language).num_plurals)
        for form in forms:
            assert form.strip() == form != "", name
            assert holes(form) == wanted, name
            assert not re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", form)), name
            assert not message.fuzzy


def test_every_language_has_a_catalogue() -> None:
    assert {path.stem for path in (PACKAGE / "languages").glob("*.po")} == set(LANGUAGES) - {"en"}
