"""A cafe's afternoon with every figure: points, a gift card and cash pay a discounted basket, and a part comes back."""

from datetime import UTC, datetime

import pytest

from rewards.basket import BasketTender
from rewards.service.commands import IssueGiftCard

from .conftest import points
from .test_points import AFTERNOON, CAFE, cafe, cakes

CARDS = b"gift_cards: {cafe-card: {kind: paid, load: 5.00-250.00, max_balance: 500.00}}\n"


@pytest.fixture
def till():
    """The cafe of `test_points`, and a card with 25.00 and a PIN."""
    till = cafe(CAFE.replace(b"SPENT", b"debt") + CARDS)
    till.give(870, till.clock.now)
    till.clock.now = datetime(2026, 12, 2, 7, 12, tzinfo=UTC)
    till.give(30, till.clock.now)
    till.card = till.ask(IssueGiftCard(product="cafe-card", amount_minor=2500, pin="4711"))
    till.clock.now = AFTERNOON
    yield till
    till.close()


def paid(till):
    by_card = BasketTender(kind="gift_card", code=till.card["code"], pin="4711", amount_minor=1000)
    return (points(500), by_card, ("cash", 900))


def test_points_a_gift_card_and_cash(till):
    answer = cakes(till, tenders=paid(till))
    assert answer["totals"] == {
        "gross_minor": 2880,
        "discount_minor": 480,
        "net_minor": 2400,
        "payable_minor": 2400,
        "due_minor": 900,
        "earned": {"beans": 95},
        "spent": {"beans": 500},
    }
    assert [
        (one["net_minor"], one["paid_by_points_minor"], one["paid_by_promotional_minor"]) for one in answer["lines"]
    ] == [(1920, 400, 0), (480, 100, 0)]
    assert [[part["amount_minor"] for part in one["tenders"]] for one in answer["lines"]] == [
        [400, 800, 720],
        [100, 200, 180],
    ]
    assert answer["tenders"][1] == {
        "kind": "gift_card",
        "gift_card_id": till.card["gift_card_id"],
        "last_four": till.card["last_four"],
        "amount_minor": 1000,
        "balance_minor": 1500,
    }
    assert answer["tenders"][2] == {"kind": "cash", "amount_minor": 900}
    assert answer["balance"]["beans"]["available"] == 495


def test_one_of_three_cakes_comes_back(till):
    cakes(till, tenders=paid(till))
    till.clock.now = datetime(2026, 12, 5, 10, tzinfo=UTC)
    answer = till.ask(till.give_back("b1", lines={"1": 1}))
    assert [(one["tender"], one["kind"], one["amount_minor"]) for one in answer["refund"]] == [
        (0, "points", 133),
        (1, "gift_card", 267),
        (2, "cash", 240),
    ]
    assert (answer["refund"][1]["balance_minor"], answer["refund"][1]["last_four"]) == (1767, till.card["last_four"])
    assert answer["refund_due_minor"] == 240
    assert answer["balance"]["beans"]["available"] == 598
    again = till.ask(till.give_back("b2", lines={"1": 2}))
    assert [one["amount_minor"] for one in again["refund"]] == [267, 533, 480]
    last = till.ask(till.give_back("b3"))
    assert [one["amount_minor"] for one in last["refund"]] == [100, 200, 180]
    assert till.service.gift_card(till.card["code"], "4711").balance_minor == 2500
