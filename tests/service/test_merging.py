"""Two members who are one person: what both had counts as one history, and everything of the old one leads to the new."""

import json
from datetime import timedelta

import pytest

from rewards.basket import BasketTender, MemberRef
from rewards.errors import Conflict, NotFound
from rewards.ledger.state import DayRow, Near
from rewards.service.commands import (
    Adjust,
    CancelRedemption,
    ChangeContacts,
    ChangeMember,
    Contact,
    IssueGiftCard,
    MergeMembers,
    OpenHold,
    RecordActivity,
    Redeem,
    ReturnOf,
    VoidHold,
)
from tests.policies import program

from .conftest import DAY, NOON, Shop, counts, line, opened

ANA, OLD, BEN = "2600000001236", "2600000002042", "2600000009997"
POLICY = program("""attributes: {members: {student: boolean, city: text}}
points:
  beans: {one: bean, expires: {after: 12 months}, pays: {points: 100 beans, buys: 1.00}}
  stamps: {one: stamp, expires: {after: 3 months, since: last_visit}}
tiers: {by: spend, measure: year, levels: {plain: 0.00, gold: 150.00}}
earn:
  beans: {every: 1.00, give: 5 beans}
  stamp: {on: {categories: [coffee]}, every: 1 unit, give: 1 stamp}
  welcome: {when: {first_purchase: true}, give: 100 beans}
  month: {every: 10.00, give: 3 beans, measure: month, limit: {points: 6 beans, per: month}}
offers:
  once: {when: {code: ONCE}, percent_off: 50%, stage: basket, limit: {times: 2, per: ever}}
  treat: {only_by: voucher, percent_off: 10%, stage: basket}
gift_cards:
  treat: {kind: voucher, offer: treat, to: member}
  thanks: {kind: promotional, value: 5.00, to: member}
rewards:
  present: {cost: 60 beans, gives: {gift_card: thanks}, limit: {times: 2, per: year}}
activities:
  joined: {give: 10 beans}
  birthday: {give: 50 beans}
  review: {give: 7 beans, limit: {times: 2, per: month}}
  referral: {give: 20 beans, for_referrer: 30 beans}
returns: {accept_within: 90 days, spent_points: debt, restored_points_last: 14 days}
""").encode()


class Desk(Shop):
    """A shop where one customer has two cards."""

    def two(self, **facts):
        return self.enrol(ANA, name="Ana")["member_id"], self.enrol(OLD, **facts)["member_id"]

    def merge(self, into, other, **how):
        ref = MemberRef(card=other) if other.isdigit() else MemberRef(id=other)
        return self.ask(MergeMembers(member_id=into, member=ref, actor="kim", reason="two cards"), **how)

    def refused(self, into, other):
        with pytest.raises((Conflict, NotFound)) as error:
            self.merge(into, other)
        return error.value

    def has(self, member_id, at=None):
        found = self.service.balance(member_id, at)
        return {wallet: one.available + one.pending - one.debt for wallet, one in found.wallets.items()}


@pytest.fixture
def desk(clock):
    desk = opened("sqlite://", clock, POLICY, Desk)
    yield desk
    findings = desk.service.verify()
    rows = desk.service.liability().rows
    before = states(desk.service)
    desk.service.rebuild()
    rebuilt = states(desk.service)
    desk.service.close()
    assert findings == []
    assert [row.difference for row in rows] == [0] * len(rows)
    assert rebuilt == before


def states(service):
    with service._store.reading() as session:
        near = session.rows("SELECT owner_id, events, entries, head, state FROM near_state ORDER BY owner_id")
        return near, session.rows("SELECT * FROM day_state ORDER BY owner_id, day")


def test_the_points_of_both_are_one_persons(desk):
    ana, _ = desk.two()
    desk.buy("r1", 1000)
    desk.clock.now += DAY
    desk.buy("r2", 2000, card=OLD)
    merged = desk.merge(ana, OLD)
    # 10 for joining and 100 of the first purchase come to a person once; 30.00 in the month give 6
    assert merged["moved"] == {"beans": 10 + 100 + 100 + 6}
    assert desk.has(ana)["beans"] == 10 + 100 + 50 + 100 + 6
    assert {one["rule"]: one["points"] for one in merged["changes"]} == {"joined": -10, "welcome": -100, "month": -3}
    assert merged["balance"]["beans"]["available"] == 266


def test_nothing_is_issued_or_spent_by_a_merge(desk):
    ana, _ = desk.two()
    desk.buy("r1", 1000)
    desk.buy("r2", 500, card=OLD, at=NOON - DAY)
    desk.ask(Adjust(member=MemberRef(card=OLD), wallet="beans", points=-20, reason="sold", actor="kim"))
    before = {row.unit: row for row in desk.service.liability().rows if row.month == "2026-12"}
    desk.clock.now += DAY
    desk.merge(ana, OLD)
    after = {row.unit: row for row in desk.service.liability().rows if row.month == "2026-12"}
    assert (after["beans"].issued, after["beans"].spent, after["beans"].adjusted) == (
        before["beans"].issued,
        before["beans"].spent,
        before["beans"].adjusted,
    )
    assert after["beans"].closing == before["beans"].closing - 110
    assert after["beans"].taken_back == before["beans"].taken_back + 110


def test_everything_of_the_old_member_leads_to_the_new_one(desk):
    ana, old = desk.two(phone="+4930901820", external_id="crm-7")
    first = desk.buy("r1", 1000, card=OLD)
    desk.merge(ana, old)
    refs = (MemberRef(id=old), MemberRef(card=OLD), MemberRef(phone="+4930901820"), MemberRef(external_id="crm-7"))
    for ref in refs:
        assert desk.service.member(ref).member_id == ana
    found = desk.service.member(MemberRef(id=ana))
    assert (found.cards, found.phones, found.merged_ids) == ([ANA, OLD], ["+4930901820"], [old])
    assert found.external_id == "crm-7"  # Ana has none of her own
    assert desk.service.balance(old).member_id == ana
    assert desk.service.purchase(first["purchase_id"]).member_id == ana
    assert desk.buy("r2", 1000, member=MemberRef(id=old))["member_id"] == ana


def test_the_statements_say_what_came_and_what_went(desk):
    ana, old = desk.two()
    desk.buy("r1", 1000, card=OLD)
    desk.merge(ana, old)
    came, gone = desk.service.statement(ana).entries[0], desk.service.statement(old).entries[0]
    assert (came.kind, came.member_id, came.actor, came.reason) == ("merge", old, "kim", "two cards")
    assert (came.points, gone.points) == ({"beans": 153}, {"beans": -163})
    assert [(one.points, one.why) for one in gone.changes] == [(-163, "went to another card of yours")]
    assert [one.points for one in came.changes if one.rule == ""] == [163]
    assert "purchase" in [entry.kind for entry in desk.service.statement(old).entries]


def test_a_purchase_of_the_old_member_is_told_as_before_and_can_be_returned(desk):
    ana, old = desk.two()
    lines = (line("1", amount=1000), line("2", amount=500))
    bought = desk.buy("r1", card=OLD, lines=lines)
    desk.ask(desk.give_back("b1", of="r1", lines={"2": 1}))
    desk.merge(ana, old)
    told = desk.service.purchase(bought["purchase_id"])
    assert told.purchase_id == bought["purchase_id"]
    assert [award.points for award in told.awards] == [award["points"] for award in bought["awards"]]
    assert [entry.return_id for entry in told.adjustments] == ["b1"]
    back = desk.ask(desk.give_back("b2", of="r1"))
    assert back["purchase_id"] == bought["purchase_id"]
    assert back["refund_due_minor"] == 1000
    assert desk.has(ana)["beans"] == 10  # for joining; the first purchase is undone
    assert [entry.return_id for entry in desk.service.purchase(bought["purchase_id"]).adjustments] == ["b1", "b2"]
    with pytest.raises(Conflict, match="nothing of this purchase is left"):
        desk.ask(desk.give_back("b3", of=ReturnOf(purchase_id=bought["purchase_id"])))


def test_what_was_recorded_is_answered_as_the_first_time(desk):
    ana, old = desk.two()
    bought = desk.buy("r1", 1000, card=OLD)
    back = desk.ask(desk.give_back("b1", of="r1", lines={"1": 1}))
    desk.merge(ana, old)
    before = counts(desk.service)
    assert desk.buy("r1", 1000, card=OLD) == bought
    assert desk.buy("r1", 1000, member=MemberRef(id=old)) == bought
    assert desk.ask(desk.give_back("b1", of="r1", lines={"1": 1})) == back
    with pytest.raises(Conflict) as error:
        desk.buy("r1", 1100, card=OLD)
    assert error.value.facts["differs"] == ["/lines/0/amount_minor"]
    assert counts(desk.service) == before


def test_merging_twice_is_answered_as_the_first_time(desk):
    ana, old = desk.two()
    desk.buy("r1", 1000, card=OLD)
    first = desk.merge(ana, old, key="k1")
    before = counts(desk.service)
    assert desk.merge(ana, old, key="k1") == first
    assert desk.merge(ana, old) == first
    assert counts(desk.service) == before


def test_what_can_not_be_merged(desk):
    ana, old = desk.two()
    ben = desk.enrol(BEN)["member_id"]
    assert desk.refused(ana, ana).code == "same-member"
    assert desk.refused(ana, ANA).code == "same-member"
    assert desk.refused("mem_nobody", ANA).code == "unknown-member"
    assert desk.refused(ana, "2600000000000").code == "unknown-member"
    desk.ask(ChangeMember(member_id=ben, state="blocked"))
    assert (desk.refused(ana, BEN).code, desk.refused(ana, BEN).pointer) == ("member-blocked", "/member")
    assert (desk.refused(ben, ANA).code, desk.refused(ben, ANA).pointer) == ("member-blocked", "/member_id")
    desk.ask(ChangeMember(member_id=ben, state="active"))
    desk.merge(ana, old)
    assert desk.refused(ana, OLD).code == "same-member"  # by its card it is Ana's already
    assert (desk.refused(old, ANA).code, desk.refused(old, ANA).facts) == ("member-merged", {"member_id": ana})
    assert (desk.refused(ben, old).code, desk.refused(ben, old).facts) == ("member-merged", {"member_id": ana})


def test_a_merged_member_can_be_merged_on(desk):
    ana, old = desk.two()
    ben = desk.enrol(BEN)["member_id"]
    bought = desk.buy("r1", 1000, card=OLD)
    desk.buy("r2", 500)
    desk.merge(ana, old)
    desk.buy("r3", 2000, card=BEN)
    desk.merge(ben, ana)
    assert desk.service.member(MemberRef(card=OLD)).merged_ids == [ana, old]
    assert desk.has(ben)["beans"] == 10 + 100 + 5 * 35 + 6
    assert desk.service.purchase(bought["purchase_id"]).awards[0].points == 50
    desk.ask(desk.give_back("b1", of="r1"))
    assert desk.has(old)["beans"] == 10 + 100 + 5 * 25 + 6
    assert desk.refused(ben, old).code == "same-member"
    assert desk.refused(ana, BEN).code == "member-merged"


def test_points_spent_on_the_old_card_come_back_to_the_person(desk):
    ana, old = desk.two()
    desk.buy("r1", 10000, card=OLD)
    desk.clock.now += DAY
    paid = (BasketTender(kind="points", wallet="beans", points=200), ("cash", 800))
    desk.buy("r2", 1000, card=OLD, tenders=paid)
    desk.merge(ana, old)
    had = desk.has(ana)["beans"]
    back = desk.ask(desk.give_back("b1", of="r2"))
    assert back["refund"][0]["points"] == 200
    assert desk.has(ana)["beans"] == had + 200 - 40


def test_limits_count_what_both_used(desk):
    ana, old = desk.two()
    assert desk.buy("r1", 1000, codes=("ONCE",))["totals"]["discount_minor"] == 500
    assert desk.buy("r2", 1000, card=OLD, codes=("ONCE",))["totals"]["discount_minor"] == 500
    desk.ask(RecordActivity(member=MemberRef(card=OLD), name="review", occurred_at=desk.clock.now))
    desk.ask(RecordActivity(member=MemberRef(card=ANA), name="review", occurred_at=desk.clock.now))
    desk.merge(ana, old)
    assert desk.buy("r3", 1000, codes=("ONCE",))["totals"]["discount_minor"] == 0
    review = desk.ask(RecordActivity(member=MemberRef(card=OLD), name="review", occurred_at=desk.clock.now))
    assert review["earned"] == {}
    desk.ask(desk.give_back("b1", of="r2"))
    assert desk.buy("r4", 1000, codes=("ONCE",))["totals"]["discount_minor"] == 500


def test_the_higher_level_stays_and_spend_adds_up(desk):
    ana, old = desk.two()
    desk.buy("r1", 8000)
    desk.buy("r2", 8000, card=OLD)
    desk.clock.now += DAY
    assert desk.service.balance(ana).tier.name == "plain"
    desk.merge(ana, old)
    assert desk.service.balance(ana).tier.name == "gold"


def test_gift_cards_of_the_old_member_are_the_persons(desk):
    ana, old = desk.two()
    voucher = desk.ask(IssueGiftCard(product="treat", member=MemberRef(card=OLD)))
    money = desk.ask(IssueGiftCard(product="thanks", member=MemberRef(card=OLD)))
    desk.merge(ana, old)
    balance = desk.service.balance(ana)
    assert [one.gift_card_id for one in balance.vouchers] == [voucher["gift_card_id"]]
    assert [one.balance_minor for one in balance.gift_cards] == [500]
    bought = desk.buy(
        "r1",
        1000,
        codes=(voucher["code"],),
        tenders=(BasketTender(kind="gift_card", code=money["code"], amount_minor=500), ("cash", 400)),
    )
    assert bought["totals"]["discount_minor"] == 100
    assert desk.service.gift_card(money["code"]).member_id == ana


def test_what_is_personal_is_kept_ours_first(desk):
    ana = desk.enrol(ANA, name="Ana", attributes={"city": "Bonn"}, metadata={"a": "1"})["member_id"]
    old = desk.enrol(
        OLD,
        name="A. Old",
        language="ka",
        birthday="03-27",
        attributes={"city": "Jena", "student": True},
        metadata={"a": "2", "b": "3"},
    )["member_id"]
    desk.merge(ana, old)
    found = desk.service.member(MemberRef(id=old))
    assert (found.name, found.language, found.birthday) == ("Ana", "ka", "03-27")
    assert found.attributes == {"city": "Bonn", "student": True}
    assert desk.books("SELECT count(*) FROM profile") == [(1,)]


def test_a_birthday_comes_once_a_year(desk):
    ana = desk.enrol(ANA, birthday="12-03")["member_id"]
    old = desk.enrol(OLD, birthday="12-03")["member_id"]
    desk.clock.now += 2 * DAY
    assert (desk.has(ana)["beans"], desk.has(old)["beans"]) == (60, 60)
    desk.merge(ana, old)
    assert desk.has(ana)["beans"] == 60
    desk.clock.now += timedelta(days=365)
    assert desk.service.due() == {"birthday": 1}
    assert desk.has(ana)["beans"] == 50  # those of the year before have ended


def test_a_birthday_told_by_the_other_brings_nothing_for_the_past(desk):
    ana = desk.enrol(ANA)["member_id"]
    desk.clock.now += timedelta(days=400)
    old = desk.enrol(OLD, birthday="06-01")["member_id"]
    desk.merge(ana, old)
    desk.service.due()
    assert desk.has(ana)["beans"] == 0  # what came for joining has ended, and comes once


def test_a_lost_card_of_the_old_member_stays_lost(desk):
    ana, old = desk.two()
    desk.ask(ChangeContacts(member_id=old, remove=(Contact(card=OLD),), issue_card=True))
    desk.merge(ana, old)
    with pytest.raises(Conflict) as error:
        desk.buy("r1", card=OLD)
    assert (error.value.code, error.value.facts["member_id"]) == ("card-replaced", ana)
    assert desk.service.member(MemberRef(id=ana)).replaced_cards == [OLD]


def test_an_adjustment_of_the_old_member_is_known_again(desk):
    ana, old = desk.two()
    give = Adjust(member=MemberRef(card=OLD), wallet="beans", points=5, reason="sorry", actor="kim", adjustment_id="a1")
    first = desk.ask(give)
    desk.merge(ana, old)
    assert desk.ask(give) == first
    assert desk.has(ana)["beans"] == 15


def test_nobody_brings_themselves(desk):
    ana = desk.enrol(ANA)["member_id"]
    old = desk.enrol(OLD, referred_by=MemberRef(card=ANA))["member_id"]
    desk.buy("r1", 1000, card=OLD)
    assert desk.has(ana)["beans"] == 10 + 30
    desk.merge(ana, old)
    assert desk.has(ana)["beans"] == 10 + 100 + 50 + 3


def test_who_was_brought_by_the_old_member_counts_for_the_person(desk):
    ana, old = desk.two()
    desk.enrol(BEN, referred_by=MemberRef(card=OLD))
    desk.merge(ana, old)
    desk.buy("r1", 1000, card=BEN)
    assert desk.has(ana)["beans"] == 10 + 30
    desk.ask(desk.give_back("b1", of="r1"))
    assert desk.has(ana)["beans"] == 10


def test_who_brought_the_old_member_keeps_it_while_the_purchase_stands(desk):
    ben = desk.enrol(BEN)["member_id"]
    ana = desk.enrol(ANA)["member_id"]
    old = desk.enrol(OLD, referred_by=MemberRef(card=BEN))["member_id"]
    desk.buy("r1", 1000, card=OLD)
    desk.merge(ana, old)
    assert desk.has(ben)["beans"] == 10 + 30
    desk.ask(desk.give_back("b1", of="r1"))
    assert desk.has(ben)["beans"] == 10


def test_debts_move_too(desk):
    ana, old = desk.two()
    take = Adjust(member=MemberRef(card=OLD), wallet="beans", points=-200, reason="opening", actor="kim", may_owe=True)
    desk.ask(take)
    desk.buy("r1", 1000)
    merged = desk.merge(ana, old)
    assert merged["moved"] == {"beans": -190}
    assert desk.has(ana)["beans"] == 10 + 100 + 50 + 3 - 200
    assert desk.service.balance(old).wallets["beans"].debt == 37


def test_a_receipt_that_waits_and_one_that_is_late_count_for_the_person(desk):
    ana, old = desk.two()
    parked = json.loads(desk.service.do(desk.give_back("b1", of="r1", lines={"1": 1})).body)
    assert parked["state"] == "parked"
    desk.buy("r2", 700)
    desk.merge(ana, old)
    desk.buy("r1", 1000, card=OLD, at=NOON - 5 * DAY)
    assert desk.has(ana)["beans"] == 10 + 100 + 35


BY_POINTS = (
    POLICY.replace(b"by: spend, measure: year, levels: {plain: 0.00, gold: 150.00}", b"by: stamps, measure: year, levels: {plain: 0, gold: 100 stamps}")
    .replace(b"  month: {", b"  back: {when: {no_visit_for: 30 days}, give: 100 stamps}\n  month: {")
)  # fmt: skip


def test_a_level_that_was_promised_is_kept_where_one_history_gives_less(clock):
    desk = opened("sqlite://", clock, BY_POINTS, Desk)
    ana, old = desk.two()
    clock.now = clock.now.replace(month=2)
    desk.buy("r1", 1000, at=NOON.replace(month=1))
    desk.buy("r2", 1000, at=NOON.replace(month=2))  # after a month away
    desk.buy("r3", 1000, at=NOON.replace(month=1, day=20), card=OLD)
    clock.now += DAY
    assert (desk.service.balance(ana).tier.name, desk.service.balance(old).tier.name) == ("gold", "plain")
    promised = desk.service.balance(ana).tier
    desk.merge(old, ana)
    assert desk.service.balance(old).wallets["stamps"].available == 0  # there was no month away
    assert desk.service.balance(old).tier == promised
    desk.buy("r4", 500, at=NOON.replace(month=1, day=25), card=OLD)  # late: the days are judged anew
    assert desk.service.balance(old).tier.name == "gold"
    clock.now += timedelta(days=340)
    assert desk.service.balance(old).tier.name == "plain"
    assert desk.service.verify() == []
    before = states(desk.service)
    desk.service.rebuild()
    assert states(desk.service) == before
    desk.service.close()


def test_every_part_of_the_state_has_been_thought_of():
    """A merge takes over what a state holds, field by field: whoever adds one says in `ledger.merging` how it moves."""
    assert Near.__struct_fields__ == (
        *("joined", "clock", "last", "carry", "purses", "uses", "told", "drawn", "since", "booked", "referrer"),
        *("holds", "known_as", "merged", "merged_into"),
    )
    assert DayRow.__struct_fields__ == (
        *("day", "carry", "rows", "points", "granted", "spent", "paid", "credited", "holds", "promised"),
    )


def test_points_that_are_held_are_no_part_of_a_merge_until_that_has_ended(desk):
    ana, old = desk.two()
    desk.buy("r1", 10000, card=OLD)
    hold = {"store_id": "S1", "kind": "points", "wallet": "beans", "member": MemberRef(card=OLD)}
    desk.ask(OpenHold(hold_id="h1", points=200, expires_in_seconds=900, **hold))
    refused = desk.refused(ana, old)
    assert (refused.code, refused.pointer, refused.facts) == ("holds-open", "/member", {"holds": ["h1"]})
    paid = (BasketTender(kind="hold", hold_id="h1", amount_minor=200), ("cash", 800))
    desk.buy("r2", 1000, card=OLD, tenders=paid)
    desk.ask(OpenHold(hold_id="h2", points=100, expires_in_seconds=60, **hold))
    hold["member"] = MemberRef(card=ANA)
    desk.ask(OpenHold(hold_id="h3", points=5, expires_in_seconds=90000, **hold))
    desk.clock.now += timedelta(minutes=2)  # the second has run out; what this member holds stays held
    desk.merge(ana, old)
    had = desk.has(ana)["beans"]
    desk.ask(desk.give_back("b1", of="r2"))
    assert desk.has(ana)["beans"] == had + 200 - 40
    desk.ask(VoidHold(hold_id="h3"))
    assert desk.has(ana)["beans"] == had + 200 - 40 + 5


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM event WHERE kind = 'merge' AND owner_id = 2",
        "UPDATE event SET fingerprint = zeroblob(32) WHERE owner_id = 2 AND kind = 'purchase'",
        "UPDATE owner SET state = 'active' WHERE id = 2",
        "UPDATE owner SET state = 'merged' WHERE id = 1",
    ],
)
def test_verify_finds_a_merge_with_one_side(clock, damage):
    desk = opened("sqlite://", clock, POLICY, Desk)
    ana, old = desk.two()
    desk.buy("r1", 1000, card=OLD)
    desk.merge(ana, old)
    assert desk.service.verify() == []
    desk.damage(damage)
    assert desk.service.verify()
    desk.service.close()


def test_what_the_old_member_redeemed_can_be_taken_back_and_counts(desk):
    ana, old = desk.two()
    desk.buy("r1", 10000, card=OLD)
    redeem = Redeem(member=MemberRef(id=old), reward="present", occurred_at=desk.clock.now)
    bought = desk.ask(redeem)
    desk.buy("r2", 10000)
    desk.merge(ana, old)
    had = desk.has(ana)["beans"]
    assert [one.balance_minor for one in desk.service.balance(ana).gift_cards] == [500]
    desk.ask(Redeem(member=MemberRef(id=ana), reward="present", occurred_at=desk.clock.now))
    with pytest.raises(Conflict) as error:
        desk.ask(Redeem(member=MemberRef(id=ana), reward="present", occurred_at=desk.clock.now))
    assert error.value.code == "reward-limit"
    back = CancelRedemption(member_id=old, redemption_id=bought["redemption_id"], reason="no", actor="kim")
    cancelled = desk.ask(back)
    assert desk.has(ana)["beans"] == had
    assert len(cancelled["gift_cards_voided"]) == 1
    assert desk.ask(back) == cancelled
