"""Activities: by call, and by themselves; once each, explained, and the same in any order."""

import random
from datetime import date, timedelta

import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, KeyReused, NotFound
from rewards.service.commands import BookDue, ChangeMember, RecordActivity
from tests.service.conftest import DAY, NOON, POLICY, counts, opened

CARD = "2600000001236"
WITH_ACTIVITIES = POLICY.replace(
    b"returns:",
    b"""activities:
  joined: {give: 25 beans}
  anniversary: {give: 50 beans}
  review: {title: Thank you for your words, give: 10 beans, limit: {times: 2, per: month}}
  survey: {give: 7 beans, when: {visits: {at_least: 1, within: 30 days}}}
returns:""",
)


@pytest.fixture
def shop(clock):
    shop = opened("sqlite://", clock, WITH_ACTIVITIES)
    yield shop
    shop.close()


def did(name, at, **facts):
    return RecordActivity(member=MemberRef(card=CARD), name=name, occurred_at=at, **facts)


def test_what_it_gives_and_why(shop):
    member = shop.enrol(joined=date(2026, 1, 1))["member_id"]
    answer = shop.ask(did("review", NOON, score=5, metadata={"sku": "TEA"}), key="k1")
    (award,) = answer["awards"]
    assert (answer["earned"], award["rule"], award["points"]) == ({"beans": 10}, "review", 10)
    assert award["why"] == "for `review`"
    assert answer["balance"]["beans"]["available"] == 10
    assert answer["not_given"] == []
    (entry,) = shop.service.statement(member).entries
    assert (entry.kind, entry.activity, entry.score, entry.points) == ("activity", "review", 5, {"beans": 10})
    assert entry.changes[0].title == "Thank you for your words"


def test_the_limit_is_used_up_and_says_so(shop):
    member = shop.enrol(joined=date(2026, 1, 1))["member_id"]
    shop.clock.now += 5 * DAY
    whys = [shop.ask(did("review", NOON + n * DAY), key=f"k{n}")["awards"] for n in range(2)]
    assert [len(awards) for awards in whys] == [1, 1]
    answer = shop.ask(did("review", NOON + 3 * DAY), key="k9")
    assert answer["awards"] == []
    assert answer["not_given"] == [
        {"rule": "review", "condition": "limit", "why": "the limit of 20 per month is used up"}
    ]
    assert shop.beans(member).available == 20
    newest = shop.service.statement(member).entries[0]
    assert (newest.activity, newest.points, newest.changes) == ("review", {}, [])


def test_a_condition_that_does_not_hold_says_so(shop):
    shop.enrol(joined=date(2026, 1, 1))
    (miss,) = shop.ask(did("survey", NOON), key="k1")["not_given"]
    assert (miss["rule"], miss["condition"], miss["why"]) == ("survey", "visits", "1 short of 1 visits")
    bought = shop.buy()  # on the same day: now it holds, and the purchase's own entry says so
    assert {"rule": "survey", "points": 7}.items() <= bought["awards"][1].items()


def test_an_activity_is_no_visit_and_no_spend(shop):
    shop.enrol(joined=date(2026, 1, 1))
    shop.ask(did("review", NOON), key="k1")
    assert "welcome" in {award["rule"] for award in shop.buy()["awards"]}


def test_sent_again_it_is_answered_again(shop):
    shop.enrol(joined=date(2026, 1, 1))
    first = shop.service.do(did("review", NOON), key="k1")
    before = counts(shop.service)
    again = shop.service.do(did("review", NOON), key="k1")
    assert (again.body, again.replayed) == (first.body, True)
    assert counts(shop.service) == before
    with pytest.raises(KeyReused):
        shop.service.do(did("survey", NOON), key="k1")


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("reviews", "unknown-activity", "the policy has no activity `reviews`; it has `review` and `survey`"),
        ("anniversary", "activity-by-itself", "`anniversary` comes by itself on its day"),
    ],
)
def test_names_that_cannot_be_sent(shop, name, code, says):
    shop.enrol()
    with pytest.raises(InvalidRequest) as refused:
        shop.service.do(did(name, NOON))
    assert (refused.value.code, refused.value.message, refused.value.pointer) == (code, says, "/name")


def test_of_whom_nobody_knows(shop):
    with pytest.raises(NotFound):
        shop.service.do(did("review", NOON))
    shop.enrol()
    with pytest.raises(InvalidRequest, match="45 days"):
        shop.service.do(did("review", NOON - 50 * DAY))


def test_a_blocked_member_gets_nothing(shop):
    member = shop.enrol(joined=date(2026, 1, 1))["member_id"]
    shop.ask(ChangeMember(member_id=member, state="blocked"))
    with pytest.raises(Conflict) as refused:
        shop.service.do(did("review", NOON))
    assert refused.value.code == "member-blocked"
    shop.clock.now += 400 * DAY
    assert shop.service.due() == {}
    assert shop.beans(member).available == 0


def test_the_limit_picks_by_the_time_of_day_not_of_arrival(shop, clock):
    """The first two of a month give, whichever came in first; what a later one had is moved, not lost."""
    member = shop.enrol(joined=date(2026, 1, 1))["member_id"]
    clock.now += 10 * DAY
    times = [NOON + n * DAY for n in (6, 8, 2, 4)]
    for number, at in enumerate(times):
        shop.ask(did("review", at), key=f"k{number}")
    lots = {e.expires_at[:10]: e.points for e in shop.beans(member).expiries}
    assert lots == {"2027-12-04": 10, "2027-12-06": 10}
    changes = [change for entry in shop.service.statement(member).entries for change in entry.changes]
    assert "for `review`; 10 without the limit of 20 per month: 0, not 10" in {change.why for change in changes}


# by themselves


def test_joined_gives_at_once_to_who_joins_today(shop):
    today, earlier = shop.enrol(), shop.enrol("2600000002042", joined=date(2026, 12, 1))
    assert shop.beans(today["member_id"]).available == 25
    assert shop.beans(earlier["member_id"]).available == 0


def test_an_anniversary_comes_at_its_midnight_whoever_asks_first(shop):
    member = shop.enrol(joined=date(2024, 12, 10))["member_id"]
    shop.clock.now = NOON + timedelta(days=7, hours=11, minutes=59)  # 23:59 in Berlin
    assert shop.beans(member).available == 0
    shop.clock.now += timedelta(minutes=1)
    before = counts(shop.service)
    assert shop.beans(member).available == 50  # a read knows it too,
    (entry,) = shop.service.statement(member).entries
    assert (entry.entry, entry.activity, entry.changes[0].day) == (0, "anniversary", "2026-12-10")
    assert counts(shop.service) == before  # and writes nothing
    shop.buy()
    assert shop.beans(member).available == 50 + 50 + 100
    assert shop.service.due() == {}


def test_what_was_before_the_enrolment_is_no_gift(shop):
    member = shop.enrol(joined=date(2016, 3, 1))["member_id"]
    assert shop.service.due() == {}
    shop.clock.now += 365 * DAY
    assert shop.service.due() == {"anniversary": 1}
    assert shop.beans(member).available == 50


def test_due_is_booked_once_whichever_comes_first(clock):
    def story(seed):
        shop = opened("sqlite://", clock, WITH_ACTIVITIES)
        clock.now = NOON
        member = shop.enrol(joined=date(2024, 2, 29))["member_id"]
        choices = random.Random(seed)
        for number in range(40):
            clock.now += timedelta(days=choices.choice((5, 20, 60)))
            match choices.choice(("due", "buy", "read", "late", "review")):
                case "due":
                    shop.service.due()
                case "buy":
                    shop.buy(f"r{number}", 100)
                case "late":
                    shop.buy(f"r{number}", 100, at=clock.now - 40 * DAY)
                case "review":
                    shop.ask(did("survey", clock.now), key=f"k{number}")
                case "read":
                    shop.service.balance(member)
        clock.now = NOON + 3000 * DAY
        shop.service.due()
        page = shop.service.statement(member, limit=200)
        shop.close()
        return sorted(e.occurred_at[:10] for e in page.entries if e.activity == "anniversary")

    found = {tuple(story(seed)) for seed in range(4)}
    assert found == {("2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29",
                      "2033-02-28", "2034-02-28")}  # fmt: skip


def test_due_up_to_a_day(shop):
    shop.enrol(joined=date(2025, 12, 20))
    shop.clock.now += 30 * DAY
    early = (int((NOON + 10 * DAY).timestamp())) * 1_000_000
    assert shop.service.due(early) == {}
    assert shop.service.due() == {"anniversary": 1}
    with pytest.raises(InvalidRequest, match="to come"):
        shop.service.due(int((NOON + 90 * DAY).timestamp()) * 1_000_000)


def test_due_can_be_sent_by_several_at_once(shop):
    shop.enrol(joined=date(2025, 12, 20))
    shop.clock.now += 30 * DAY
    futures = shop.service.submit_all([BookDue((1,), shop.clock()) for _ in range(5)])
    assert [future.result().body for future in futures] == [b'{"anniversary":1}', *[b"{}"] * 4]


def test_on_the_first_day_of_the_month(clock):
    data = WITH_ACTIVITIES.replace(b"anniversary: {", b"anniversary: {on: first_day_of_month, ")
    shop = opened("sqlite://", clock, data)
    shop.enrol(joined=date(2025, 12, 20))
    shop.enrol("2600000002042", joined=date(2025, 1, 1))
    clock.now += 30 * DAY  # 1 January: one is due, the December of the other began before the enrolment
    assert shop.service.due() == {"anniversary": 1}
    clock.now += 340 * DAY
    assert shop.service.due() == {"anniversary": 1}
    shop.close()


def _born(clock, on="day"):
    data = WITH_ACTIVITIES.replace(
        b"anniversary: {", b"birthday: {" + (b"on: first_day_of_month, " if on != "day" else b"")
    )
    return opened("sqlite://", clock, data)


def _birthdays(shop, member):
    found = [e.occurred_at[:10] for e in shop.service.statement(member, limit=200).entries if e.activity == "birthday"]
    assert shop.service.verify() == []
    return found[::-1]


def test_a_birthday_a_year(clock):
    shop = _born(clock)
    member = shop.enrol(birthday="02-29")["member_id"]
    other = shop.enrol("2600000002042")["member_id"]
    clock.now += 365 * 4 * DAY
    assert shop.service.due() == {"birthday": 4}
    assert _birthdays(shop, member) == ["2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28"]
    assert _birthdays(shop, other) == []


def test_on_the_first_of_the_birthdays_month(clock):
    shop = _born(clock, "month")
    member = shop.enrol(birthday="1990-03-15")["member_id"]
    first = shop.enrol("2600000002042", birthday="03-01")["member_id"]
    clock.now += 365 * DAY
    assert shop.service.due() == {"birthday": 2}
    assert _birthdays(shop, member) == _birthdays(shop, first) == ["2027-03-01"]


def test_another_birthday_does_not_pay_twice_a_year(clock):
    shop = _born(clock)
    member = shop.enrol(birthday="12-10")["member_id"]
    clock.now = NOON + 9 * DAY  # 11 December: the birthday of this year has come
    shop.ask(ChangeMember(member_id=member, birthday="12-20"), key="k1")
    clock.now = NOON + 20 * DAY
    assert _birthdays(shop, member) == ["2026-12-10"]
    clock.now = NOON + 400 * DAY
    assert _birthdays(shop, member) == ["2026-12-10", "2027-12-20"]


def test_a_birthday_that_is_told_late_is_none_of_the_days_before(clock):
    shop = _born(clock)
    member = shop.enrol()["member_id"]
    clock.now = NOON + 2 * 365 * DAY
    shop.ask(ChangeMember(member_id=member, birthday="03-01"), key="k1")
    clock.now += 30 * DAY
    assert _birthdays(shop, member) == []
    clock.now += 90 * DAY
    assert _birthdays(shop, member) == ["2029-03-01"]


def test_a_birthday_that_was_taken_away_does_not_come(clock):
    shop = _born(clock)
    member = shop.enrol(birthday="12-10")["member_id"]
    shop.ask(ChangeMember(member_id=member, birthday=None), key="k1")
    clock.now = NOON + 700 * DAY
    assert _birthdays(shop, member) == []
