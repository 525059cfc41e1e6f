"""What members tell: counted from the start of the day, told back, corrected, and never a reason to lose a receipt."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from rewards.basket import Basket, MemberRef
from rewards.errors import InvalidRequest
from rewards.service.answers import MemberAnswer
from rewards.service.commands import ChangeMember, Enrol, Publish, RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store
from tests.policies import program

POLICY = program("""attributes: {members: {student: boolean, town: [north, south], shoe: integer}}
points: {points: {one: point}}
returns: {accept_within: 90 days}
tiers: {by: spend, measure: year, levels: {member: 0, gold: 100.00}}
earn:
  base: {every: 1.00, give: 1 point}
  student: {when: {attribute: {student: true}}, give: 5 points}
  birthday: {when: {birthday: {within: 1 day}}, give: 7 points}
  gold: {when: {tier: [gold]}, give: 3 points}
offers:
  young: {when: {attribute: {student: true}}, amount_off: 1.00}
""").encode()
NOON = datetime(2026, 12, 2, 12, tzinfo=ZoneInfo("Europe/Berlin"))
DAY = timedelta(days=1)


class Shop:
    """A service with a clock of its own."""

    def __init__(self) -> None:
        self.now = NOON
        self.service = Service(Store.open("sqlite://"), clock=lambda: round(self.now.timestamp() * 1_000_000))
        self.service.do(Publish(POLICY))
        self.receipts = 0

    def enrol(self, **facts: object) -> str:
        done = self.service.do(Enrol(**facts), key=f"enrol-{facts}")  # type: ignore[arg-type]
        return msgspec.json.decode(done.body, type=MemberAnswer).member_id

    def change(self, member: str, **facts: object) -> MemberAnswer:
        done = self.service.do(ChangeMember(member_id=member, **facts))  # type: ignore[arg-type]
        return msgspec.json.decode(done.body, type=MemberAnswer)

    def buy(self, member: str, minor: int = 1000) -> dict[str, int]:
        """Buy something; return what it earned by rule."""
        self.receipts += 1
        body = {
            "receipt_id": f"r{self.receipts}",
            "store_id": "s",
            "occurred_at": self.now.astimezone(UTC).isoformat(),
            "currency": "EUR",
            "member": {"id": member},
            "lines": [{"line_id": "1", "sku": "a", "amount_minor": minor}],
        }
        answer = msgspec.json.decode(self.service.do(RecordPurchase(msgspec.convert(body, Basket))).body)
        return {award["rule"]: award["points"] for award in answer["awards"]}

    def points(self, member: str) -> int:
        return self.service.balance(member).wallets["points"].available


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_facts_of_the_enrolment_count_and_are_told_back(shop: Shop) -> None:
    ana = shop.enrol(name="Ana", birthday="1999-12-02", attributes={"student": True, "shoe": 38})

    told = shop.service.member(MemberRef(id=ana))

    assert (told.birthday, told.attributes) == ("12-02", {"student": True, "shoe": 38})
    assert shop.buy(ana) == {"base": 9, "student": 5, "birthday": 7}


def test_a_change_counts_for_today_and_not_for_yesterday(shop: Shop) -> None:
    ana = shop.enrol(name="Ana")
    shop.buy(ana)
    shop.now += DAY
    shop.buy(ana)

    shop.change(ana, attributes={"student": True})

    assert shop.points(ana) == 25
    entry = shop.service.statement(ana).entries[0]
    assert (entry.kind, [change.rule for change in entry.changes]) == ("change", ["student"])
    assert shop.service.verify() == []


def test_an_attribute_taken_away_no_longer_counts_from_today_on(shop: Shop) -> None:
    ana = shop.enrol(attributes={"student": True, "town": "north"})
    assert shop.buy(ana)["student"] == 5
    shop.now += DAY

    assert shop.change(ana, attributes={"student": None}).attributes == {"town": "north"}

    assert "student" not in shop.buy(ana)
    assert shop.points(ana) == 9 + 5 + 10
    assert shop.service.verify() == []


def test_a_late_receipt_is_judged_by_what_held_on_its_day(shop: Shop) -> None:
    ana = shop.enrol()
    shop.now += DAY
    shop.change(ana, attributes={"student": True})
    shop.now -= DAY

    assert shop.buy(ana) == {"base": 10}
    assert shop.service.verify() == []


def test_what_is_the_same_already_changes_nothing(shop: Shop) -> None:
    ana = shop.enrol(name="Ana", birthday="02-29")

    first = shop.change(ana, name="Ana", birthday="2000-02-29")

    assert first.name == "Ana"
    assert shop.service.statement(ana).entries == []
    assert shop.change(ana, birthday=None).birthday == ""


def test_the_profile_changes_alone(shop: Shop) -> None:
    ana = shop.enrol(name="Ana", language="de", birthday="12-24")

    changed = shop.change(ana, name="Anna")

    assert (changed.name, changed.language, changed.birthday) == ("Anna", "de", "12-24")
    assert shop.service.member(MemberRef(id=ana)) == changed
    assert shop.service.verify() == []


def test_rebuilding_keeps_what_was_told(shop: Shop) -> None:
    ana = shop.enrol(birthday="12-02")
    shop.change(ana, attributes={"student": True})
    shop.buy(ana)

    shop.service.rebuild()

    assert shop.service.member(MemberRef(id=ana)).attributes == {"student": True}
    assert shop.service.verify() == []


@pytest.mark.parametrize(
    ("facts", "code", "pointer"),
    [
        ({"attributes": {"studnet": True}}, "unknown-attribute", "/attributes/studnet"),
        ({"attributes": {"student": 1}}, "attribute-value", "/attributes/student"),
        ({"attributes": {"town": "west"}}, "attribute-value", "/attributes/town"),
        ({"attributes": {"shoe": True}}, "attribute-value", "/attributes/shoe"),
        ({"birthday": "02-30"}, "birthday-invalid", "/birthday"),
    ],
)
def test_what_the_policy_does_not_know_is_refused(
    shop: Shop, facts: dict[str, object], code: str, pointer: str
) -> None:
    ana = shop.enrol(name="Ana")
    with pytest.raises(InvalidRequest) as enrolling:
        shop.enrol(**facts)
    with pytest.raises(InvalidRequest) as changing:
        shop.change(ana, **facts)

    assert (enrolling.value.code, enrolling.value.pointer) == (code, pointer)
    assert (changing.value.code, changing.value.pointer) == (code, pointer)


def test_the_tier_and_the_way_to_the_next(shop: Shop) -> None:
    ana = shop.enrol()
    shop.buy(ana, 6000)

    tier = shop.service.balance(ana).tier
    assert tier is not None
    assert (tier.name, tier.held_until) == ("member", None)
    assert tier.next is not None
    assert (tier.next.name, tier.next.short) == ("gold", 4000)

    shop.buy(ana, 4000)
    shop.now += DAY
    tier = shop.service.balance(ana).tier
    assert tier is not None
    assert (tier.name, tier.held_until, tier.next) == ("gold", date(2027, 1, 1).isoformat(), None)
    assert shop.buy(ana)["gold"] == 3
    assert shop.service.verify() == []
