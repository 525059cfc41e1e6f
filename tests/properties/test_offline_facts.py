"""Whatever a till that was offline reports is recorded, and the books hold: nothing but what can't be read is refused.

Drawn purchases pay with points and cards that are there or not, may be used or not, at other rates and in other sums
than the policy's; they sell cards, ask for rewards, come from strangers, late, in another currency, or after their own
returns. After each, verify finds nothing; after the return of everything nothing is lacking, and no refund is below zero.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.basket import AskedReward, Basket, BasketLine, BasketTender, MemberRef, StoredValue
from rewards.errors import InvalidRequest
from rewards.service.commands import OfflinePurchase, OfflineReturn, Publish, ReturnLine, ReturnOf
from rewards.service.service import Service
from rewards.store.database import Store
from tests import campaign
from tests.service.conftest import DAY, Clock
from tests.service.test_card_money import ANA, BEN
from tests.service.test_offline_sales import POLICY
from tests.service.test_offline_tenders import NOBODY, Till

BADLY_FORMED = {"amount-missing", "tender-ambiguous", "code-missing"}
AMOUNTS = st.one_of(st.integers(1, 1200), st.just(2**53 - 1))
BUYERS = [MemberRef(card=ANA), MemberRef(card=ANA), MemberRef(card=BEN), MemberRef(card=NOBODY), None]
PRODUCTS = ["cafe", "cafe", "bonus", "mine", "flyer", "film"]


def opened(data: st.DataObject) -> tuple[Till, list[str]]:
    """A shop with members, points, and cards in all states; and the codes of the cards."""
    till = Till(Service(Store.open("sqlite://"), clock=(clock := Clock())), clock)
    till.service.do(Publish(POLICY))
    till.enrol(ANA)
    till.enrol(BEN)
    till.give(data.draw(st.integers(1, 1000)))
    till.give(data.draw(st.integers(1, 20)), "stamps")
    cards = [till.issue(amount=minor) for minor in (700, 700, None)]
    till.act(cards[1], "BLOCK")
    cards += [till.issue("short", 300), till.issue("bonus", None, ANA), till.issue("flyer", None)]
    cards.append(till.issue(amount=500, pin="4711"))
    clock.now += data.draw(st.sampled_from([timedelta(minutes=1), 4 * DAY]))
    return till, [card["code"] for card in cards]


def tenders(data: st.DataObject, codes: list[str], due: int) -> list[BasketTender]:
    found = []
    for kind in data.draw(st.lists(st.sampled_from(["points", "gift_card", "cash"]), max_size=3)):
        facts = {}
        if kind == "points":
            facts = {
                "wallet": data.draw(st.sampled_from(["beans", "beans", "stamps", "none"])),
                "points": data.draw(st.one_of(st.none(), AMOUNTS)),
            }
        elif kind == "gift_card":
            facts = {
                "code": data.draw(st.sampled_from([*codes, "none", ""])),
                "pin": data.draw(st.sampled_from(["", "4711", "1"])),
            }
        found.append(BasketTender(kind=kind, amount_minor=data.draw(st.one_of(AMOUNTS, st.none())), **facts))
    rest = due - sum(one.amount_minor or 0 for one in found)
    if found and rest > 0 and data.draw(st.booleans()):
        found.append(BasketTender(kind="card", amount_minor=rest))
    return found


def row(data: st.DataObject, name: int, codes: list[str]) -> BasketLine:
    price, units = data.draw(st.integers(0, 900)), data.draw(st.sampled_from([1, 1, 2, 3]))
    sold = data.draw(st.sampled_from([None, None, *PRODUCTS]))
    offer = data.draw(st.sampled_from([None, None, "cup", "fifth", "tenth", "gone"]))
    code = data.draw(st.sampled_from([*codes, ""])) if sold else ""
    return BasketLine(
        line_id=str(name),
        sku="A",
        categories=data.draw(st.sampled_from([("tea",), ("fuel",), ()])),
        quantity=units,
        unit_price_minor=price,
        stored_value=StoredValue(product=sold, code=code) if sold else None,
        offer=offer,
        discount_minor=min(price * units, data.draw(st.integers(0, 400))) if offer else 0,
    )


def purchase(data: st.DataObject, till: Till, name: str, codes: list[str]) -> OfflinePurchase:
    lines = [row(data, number, codes) for number in range(data.draw(st.integers(1, 3)))]
    due = sum(one.unit_price_minor * one.quantity - one.discount_minor for one in lines)
    rewards = data.draw(st.lists(st.sampled_from(["free-cup", "fifth-off", "none"]), max_size=2, unique=True))
    basket = Basket(
        receipt_id=name,
        store_id="S1",
        occurred_at=till.clock.now - data.draw(st.sampled_from([0, 1, 3])) * DAY,
        currency=data.draw(st.sampled_from(["EUR", "EUR", "EUR", "USD"])),
        member=data.draw(st.sampled_from(BUYERS)),
        lines=tuple(lines),
        codes=tuple(data.draw(st.lists(st.sampled_from(codes), max_size=1))),
        rewards=tuple(AskedReward(reward=one, times=data.draw(st.integers(1, 2))) for one in rewards),
        tenders=tuple(tenders(data, codes, due)),
    )
    return OfflinePurchase(basket)


def back(till: Till, name: str, receipt: str, **what: object) -> dict[str, object]:
    of = ReturnOf(store_id="S1", receipt_id=receipt)
    return till.ask(OfflineReturn(return_id=name, store_id="S1", occurred_at=till.clock.now, of=of, **what))


def _recorded(till: Till, command: OfflinePurchase) -> dict[str, object] | None:
    """Return the answer, or None for what says nothing that could be recorded."""
    try:
        return till.ask(command)
    except InvalidRequest as error:
        if error.code not in BADLY_FORMED:
            raise
        return None


@settings(max_examples=campaign.size(default=10, ci=60, long=3000))
@given(data=st.data())
def test_whatever_a_till_reports_is_recorded_and_the_books_hold(data: st.DataObject) -> None:
    till, codes = opened(data)
    names = []
    for number in range(data.draw(st.integers(1, 4))):
        name = f"r{number}"
        if data.draw(st.integers(0, 3)) == 0:
            back(till, f"early-{name}", name, lines=(ReturnLine(line_id="0", quantity=1),))
        command = purchase(data, till, name, codes)
        answer = _recorded(till, command)
        if answer is not None:
            names.append(name)
            assert till.ask(command) == answer or answer["gift_cards_issued"]  # with a new code
        assert till.service.verify() == []
    for name in names:
        told = back(till, f"b-{name}", name, all=True)
        assert all(one["amount_minor"] >= 0 for one in told.get("refund", []))
        assert told.get("refund_due_minor", 0) >= 0
    assert (till.lacking(), till.service.verify()) == ({}, [])
    assert [one for one in till.service.liability().rows if one.difference] == []
    till.service.close()
