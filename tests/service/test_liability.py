"""The liability report: exact at every month's end, explained by what moved it, and never changed afterwards."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.basket import Basket, BasketLine, BasketTender, MemberRef
from rewards.days import instant, midnight
from rewards.errors import Conflict, InvalidRequest
from rewards.service.commands import Adjust, Enrol, Publish, RecordPurchase, RecordReturn, ReturnLine, ReturnOf
from rewards.service.liability import LiabilityRow
from rewards.service.service import Service
from rewards.store.database import Store

ZONE = ZoneInfo("Asia/Tbilisi")
HEAD = """policy: rewards/v1
program: finance
title: Finance
currency: EUR
timezone: Asia/Tbilisi
eligible: {amount: after_discounts, tax: included, paid_by_points: does_not_count}
returns: {accept_within: 365 days, spent_points: debt}
"""
POLICY = (
    HEAD
    + """
points:
  beans:
    one: bean
    expires: {after: 1 month, at: end_of_month}
    pays: {points: 10 beans, buys: 1.00, minimum: 1 bean, step: 1 bean, at_most: 100%}
    liability: {points: 100 beans, worth: 0.85}
  stars: {one: star, pending: 20 days, expires: {after: 45 days}}
  leaves: {one: leaf, expires: {after: 40 days, since: last_visit}, liability: {points: 3 leaves, worth: 1.00}}
earn:
  beans: {every: 1.00, give: 5 beans}
  stars: {every: 1.00, give: 1 star}
  leaves: {on: {categories: [tea]}, every: 2.00, give: 1 leaf}
  away: {when: {no_visit_for: 10 days}, give: 7 beans}
"""
)
START = datetime(2027, 1, 10, 9, tzinfo=ZONE)
DAY = timedelta(days=1)


class Books:
    """A shop whose clock the test sets."""

    def __init__(self, policy: str = POLICY) -> None:
        self.now = START
        self.service = Service(Store.open("sqlite://"), clock=lambda: instant(self.now))
        self.service.do(Publish(policy.encode()))
        self.count = 0

    def enrol(self) -> str:
        self.count += 1
        self.service.do(Enrol(external_id=f"m{self.count}", joined=date(2026, 1, 1)))
        return f"m{self.count}"

    def buy(
        self, member: str, amount: int = 1000, *, late: timedelta = timedelta(), category: str = "tea", beans: int = 0
    ) -> str:
        self.count += 1
        line = BasketLine(line_id="1", sku="X", categories=(category,), quantity=2, unit_price_minor=amount)
        basket = Basket(
            receipt_id=f"r{self.count}",
            store_id="S",
            occurred_at=self.now - late,
            currency="EUR",
            member=MemberRef(external_id=member),
            lines=(line,),
            tenders=(BasketTender(kind="points", wallet="beans", points=beans),) if beans else (),
        )
        self.service.do(RecordPurchase(basket), caller="scenario")
        return f"r{self.count}"

    def give_back(self, receipt: str, units: int = 2) -> None:
        self.count += 1
        of = ReturnOf(store_id="S", receipt_id=receipt)
        lines = (ReturnLine(line_id="1", quantity=units),)
        command = RecordReturn(return_id=f"b{self.count}", store_id="S", occurred_at=self.now, of=of, lines=lines)
        self.service.do(command, caller="scenario")

    def adjust(self, member: str, points: int, wallet: str = "beans", *, may_owe: bool = True) -> None:
        who = MemberRef(external_id=member)
        reason = {"reason": "a mistake", "actor": "kim"}
        self.service.do(Adjust(member=who, wallet=wallet, points=points, may_owe=may_owe, **reason), caller="scenario")

    def row(self, month: str, wallet: str = "beans") -> LiabilityRow:
        (found,) = [row for row in self.service.liability(month, month).rows if row.unit == wallet]
        return found

    def outstanding(self, members: list[str]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for member in members:
            answer = self.service.balance(
                self.service.member(MemberRef(external_id=member)).member_id, instant(self.now)
            )
            for wallet, held in answer.wallets.items():
                sums[wallet] = sums.get(wallet, 0) + held.available + held.pending - held.debt
        return sums


@pytest.fixture
def books():
    opened = Books()
    yield opened
    assert opened.service.verify() == []
    opened.service.close()


def at(month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2027, month, day, hour, tzinfo=ZONE)


def test_the_worked_example_of_ifrs_15():
    """Goods for 2,000 bring 2,000 points, of which 85 % are expected to be used for 0.10 each: 170 beside 2,000."""
    terms = "points: {points: {one: point, liability: {points: 2170 points, worth: 170.00}}}\n"
    books = Books(HEAD + terms + "earn: {points: {every: 1.00, give: 1 point}}\n")
    books.buy(books.enrol(), 100_000)
    row = books.row("2027-01", "points")
    assert (row.issued, row.closing, row.value_minor, row.unvalued) == (2000, 2000, 156_68, 0)
    books.service.close()


def test_an_expiry_counts_in_the_month_that_it_ends_without_anybody_touching_the_member(books):
    books.buy(books.enrol())
    books.now = at(2, 28, 23)
    before = books.row("2027-02")
    assert (before.closing, before.expired, before.closed) == (100, 0, False)
    books.now = at(3, 1, 0)
    after = books.row("2027-02")
    assert (after.opening, after.expired, after.closing, after.value_minor, after.closed) == (100, 100, 0, 0, True)


def test_a_late_receipt_of_a_closed_month_is_booked_when_it_is_recorded(books):
    member = books.enrol()
    books.buy(member)
    books.now = at(3, 2)
    closed = books.service.liability("2027-01", "2027-02")
    books.buy(member, 500, late=timedelta(days=45))
    books.now = at(4, 2)
    assert books.service.liability("2027-01", "2027-02") == closed
    march = books.row("2027-03")
    assert (march.opening, march.issued, march.expired, march.closing) == (0, 50, 50, 0)


def test_goods_brought_back_after_their_points_ended_change_no_closed_month(books):
    member = books.enrol()
    receipt = books.buy(member)
    books.now = at(3, 2)
    closed = books.service.liability("2027-01", "2027-02").rows
    books.give_back(receipt, 1)
    assert books.service.liability("2027-01", "2027-02").rows == closed
    march = books.row("2027-03")
    assert (march.opening, march.taken_back, march.expired, march.closing) == (0, 50, -50, 0)


def test_what_is_owed_lowers_the_closing_and_pending_points_pay_it_without_a_movement(books):
    member = books.enrol()
    books.adjust(member, -6, "stars")
    books.buy(member, 1000)
    january = books.row("2027-01", "stars")
    assert (january.adjusted, january.issued, january.owed, january.closing) == (-6, 20, 6, 14)
    books.now = at(2, 1)
    february = books.row("2027-02", "stars")
    assert (february.owed, february.closing, february.difference) == (0, 14, 0)
    books.now = at(3, 1)
    assert books.row("2027-02", "stars").expired == 14


def test_an_end_that_moves_with_visits_is_as_it_was_known(books):
    member = books.enrol()
    books.buy(member)
    books.now = at(2, 10)
    books.buy(member, 10, category="cake")  # earns no leaf, and keeps the others alive until 22 March
    books.now = at(3, 1)
    assert (books.row("2027-02", "leaves").closing, books.row("2027-02", "leaves").expired) == (10, 0)
    books.now = at(4, 1)
    closed = books.row("2027-03", "leaves")
    assert (closed.expired, closed.closing) == (10, 0)
    books.buy(member, 10, late=timedelta(days=12), category="cake")  # 20 March: it had kept them alive, as is known now
    assert books.row("2027-03", "leaves") == closed
    april = books.row("2027-04", "leaves")
    assert (april.opening, april.expired, april.closing, april.difference) == (0, -10, 10, 0)


def test_the_estimate_is_that_of_the_lots_own_day(books):
    member = books.enrol()
    books.buy(member)
    books.service.do(Publish(POLICY.replace("worth: 0.85", "worth: 9.00").encode(), from_day=date(2027, 1, 12)))
    assert books.row("2027-01").value_minor == 85
    books.now = at(1, 13)
    books.buy(member)
    assert books.row("2027-01").value_minor == 85 + 900
    assert books.row("2027-01", "stars").unvalued == 40


@pytest.mark.parametrize(
    ("months", "code", "pointer"),
    [
        (("2027-13", None), "bad-parameter", "/from"),
        ((None, "0000-01"), "month-out-of-range", "/until"),
        ((None, "2027-02"), "month-out-of-range", "/until"),
        (("2027-02", None), "month-out-of-range", "/from"),
        (("2016-01", "2027-01"), "month-out-of-range", "/from"),
        (("9999-12", "9999-12"), "month-out-of-range", "/until"),
    ],
)
def test_months_that_cannot_be_reported(books, months, code, pointer):
    with pytest.raises(InvalidRequest) as refused:
        books.service.liability(*months)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_without_months_the_last_twelve(books):
    rows = books.service.liability().rows
    assert [row.month for row in rows][:: len(rows) // 12] == [f"2026-{m:02}" for m in range(2, 13)] + ["2027-01"]
    assert books.service.liability(None, "0001-01").rows[0].month == "0001-01"


def test_points_that_paid_and_came_back(books):
    member = books.enrol()
    books.buy(member)
    books.now = at(2, 27)
    receipt = books.buy(member, 100, category="cake", beans=20)  # earns nothing: points paid for it
    books.now = at(3, 2)
    february = books.row("2027-02")
    assert (february.opening, february.spent, february.expired, february.closing) == (100, 20, 80, 0)
    books.give_back(receipt)
    assert books.row("2027-02") == february
    march = books.row("2027-03")
    assert (march.restored, march.settled, march.expired) == (20, 20, 20)
    assert (march.closing, march.difference) == (20, 0)
    books.now = at(4, 2)
    assert (books.row("2027-03").expired, books.row("2027-03").closing) == (40, 0)
    books.buy(member)
    told = books.service.member(MemberRef(external_id=member)).member_id
    assert any(
        "2027-03-02" in change.day for entry in books.service.statement(told).entries for change in entry.changes
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "pay", "late", "return", "return", "give", "take", "rest"]),
        st.integers(0, 1),
        st.integers(0, 25),
        st.sampled_from(["tea", "cake"]),
    ),
    min_size=4,
    max_size=25,
)


@given(STEPS)
def test_the_roll_forward_is_what_balances_were(steps):
    """At each month's end the closing is the sum of all balances then, and stays so whatever is recorded later."""
    books = Books()
    members = [books.enrol(), books.enrol()]
    receipts: list[str] = []
    ends: dict[str, dict[str, int]] = {}
    told: dict[str, list[LiabilityRow]] = {}

    def pass_days(days: int) -> None:
        until = books.now + days * DAY
        while (books.now.year, books.now.month) < (until.year, until.month):
            month = books.now.strftime("%Y-%m")
            following = (books.now.replace(day=1) + 32 * DAY).replace(day=1)
            books.now = datetime.fromtimestamp(midnight(following.toordinal(), ZONE) / 1_000_000, ZONE)
            ends[month] = books.outstanding(members)
            told[month] = books.service.liability(month, month).rows
            books.now += timedelta(seconds=1)
        books.now = max(books.now, until)

    for step, who, number, category in steps:
        member = members[who]
        try:
            match step:
                case "rest":
                    pass_days(2 * number)
                case "buy":
                    receipts.append(books.buy(member, 100 * number + 50, category=category))
                case "pay":
                    beans = 10 * (1 + number % 4)
                    receipts.append(books.buy(member, 5 * beans, category="cake", beans=beans))
                case "late":
                    receipts.append(books.buy(member, 100 * number + 50, late=2 * number * DAY, category=category))
                case "return" if receipts:
                    books.give_back(receipts[number % len(receipts)], 1)
                case "give":
                    books.adjust(member, number + 1, "stars")
                case "take":
                    books.adjust(member, -5 * number - 1, "leaves" if number % 2 else "beans")
        except Conflict:
            pass
        pass_days(number % 9)
    pass_days(70)
    rows = books.service.liability("2027-01").rows
    assert [row for row in rows if row.difference] == []
    for month, sums in ends.items():
        mine = [row for row in rows if row.month == month]
        assert {row.unit: row.closing for row in mine} == sums
        assert mine == told[month]
    for before, after in zip(rows, rows[3:], strict=False):
        assert after.opening == before.closing
    books.service.close()
