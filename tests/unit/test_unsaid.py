"""No record shows a code or a PIN: every one that has such a field is found, made, and looked at."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from rich.pretty import pretty_repr

from rewards import basket
from rewards.api import bodies
from rewards.service import answers, commands
from rewards.service.asked import Asked
from rewards.service.codes import new_code, shown
from rewards.service.messages import asking, read_asked

CODE, PIN, CLAIM = shown(new_code()), "4711", "8F2K-Q7MD"
NOW = datetime(2026, 12, 2, tzinfo=UTC)
OTHER = {
    "CodeRefused",  # the last four symbols
    "FindingAnswer",  # a fault's
    "Receipt",  # loses gift cards' codes before anything else is done with it
}
LINE = basket.BasketLine(line_id="1", sku="GC", stored_value=basket.StoredValue(product="cafe", code=CODE))
TENDER = basket.BasketTender(kind="gift_card", code=CODE, pin=PIN)
BASKET = basket.Basket(
    receipt_id="r", store_id="S", occurred_at=NOW, currency="EUR", lines=(LINE,), codes=(CODE,), tenders=(TENDER,)
)
MEMBER = basket.MemberRef(card="1")
CARD = dict.fromkeys(("gift_card_id", "product", "offer", "title", "last_four", "kind", "state", "issued_at"), "x")
RECORDS: list[Any] = [
    BASKET,
    commands.RecordPurchase(BASKET),
    commands.OfflinePurchase(BASKET),
    commands.IssueGiftCard(product="cafe", pin=PIN),
    commands.ShowGiftCards(((CODE, PIN),), codes=(CODE,)),
    commands.ClaimPurchase(purchase_id="p", member=MEMBER, claim_code=CLAIM),
    commands.Outcome(201, f'{{"code":"{CODE}"}}'.encode()),
    Asked(commands.RecordPurchase(BASKET), "local", None, 0),
    read_asked(asking(Asked(commands.RecordPurchase(BASKET), "local", None, 0))[4:]),
    bodies.GiftCardCode(code=CODE, pin=PIN),
    bodies.CodeImage(code=CODE),
    bodies.Claim(member=MEMBER, claim_code=CLAIM),
    answers.GiftCardAnswer(**CARD, expires_at=None, member_id=None, personal=False, code=CODE),
    answers.ClaimAnswer(CLAIM, "x"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_no_record_shows_a_secret(record: Any) -> None:
    for text in (repr(record), str(record), f"{record!r}", pretty_repr(record), str(ValueError(record))):
        assert not any(secret in text for secret in (CODE, PIN, CLAIM)), text
    assert "..." in repr(record)


@pytest.mark.parametrize("module", [basket, commands, bodies, answers], ids=lambda module: module.__name__)
def test_every_record_with_a_secret_is_looked_at(module: Any) -> None:
    looked_at = {type(record).__name__ for record in [*RECORDS, LINE.stored_value, TENDER]} | OTHER
    for name, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, msgspec.Struct) and {"code", "codes", "pin", "claim_code"} & set(kind.__struct_fields__):
            assert name in looked_at, name
