"""What the cases of other engines asked of codes: a code that does nothing is refused aloud, with its reason."""

import pytest

from .conftest import DAY, POLICY, line, opened

OFFERS = b"""offers:
  ten: {when: {code: TEN, units: {at_least: 2 units}}, schedule: {from: 2026-12-02, until: 2026-12-03}, amount_off: 1.00}
  once: {when: {code: ONCE}, percent_off: 10%, limit: {times: 1, per: ever}}
  plain: {when: {not: {code: PLAIN}}, on: {skus: [BREAD]}, percent_off: 10%}
  five: {when: {code: GROUP}, amount_off: 0.05, choose: one}
  six: {when: {code: GROUP}, amount_off: 0.06, choose: one}
  small: {when: {code: SMALL}, amount_off: 0.01, choose: one}
  soon: {when: {code: SOON}, schedule: {from: 2026-12-24}, percent_off: 10%}
  later: {when: {code: SOON, units: {at_least: 5 units}}, percent_off: 10%}
choose:
  one: {keep: best, of: receipt}
"""
EARN = b"""  sweet: {when: {code: SWEET}, schedule: {from: 2026-12-02, until: 2026-12-03}, give: 5 beans}
"""
NOW, NEXT_WEEK = 0 * DAY, 7 * DAY


@pytest.fixture
def till(clock):
    till = opened("sqlite://", clock, POLICY.replace(b"returns:", EARN + OFFERS + b"returns:"))
    till.enrol()
    yield till
    till.close()


def refused(answer):
    return {one["code"]: one["reason"] for one in answer["codes_refused"]}


@pytest.mark.parametrize(
    ("code", "units", "later", "reason"),
    [
        ("TEN", 2, NOW, None),
        ("TEN", 1, NOW, "condition"),
        ("TEN", 2, NEXT_WEEK, "not-now"),
        ("PLAIN", 1, NOW, None),  # it keeps an offer away, as the policy says
        ("GROUP", 1, NOW, None),  # one of its offers was taken
        ("SOON", 1, NOW, "condition"),  # of two offers, the one that came nearer
        ("SWEET", 1, NOW, None),
        ("SWEET", 1, NEXT_WEEK, "not-now"),
        ("NEVER", 1, NOW, "unknown-code"),
    ],
)
def test_a_code_that_does_nothing_is_told_with_its_reason(till, clock, code, units, later, reason):
    clock.now += later
    answer = till.buy(lines=(line("1", amount=100, quantity=units),), codes=(code,))
    assert refused(answer) == ({code: reason} if reason else {})


def test_a_code_used_up_gave_nothing(till):
    assert refused(till.buy("r1", codes=("ONCE",))) == {}
    assert refused(till.buy("r2", codes=("ONCE",))) == {"ONCE": "gave-nothing"}


def test_a_guest_is_told_that_the_code_needs_a_member(till):
    assert refused(till.buy(card=None, codes=("ONCE", "GROUP"))) == {"ONCE": "needs-member"}


def test_a_code_whose_offer_was_beaten_gave_nothing(till):
    assert refused(till.buy(codes=("GROUP", "SMALL"))) == {"SMALL": "gave-nothing"}


def test_a_purchase_read_again_tells_the_same_of_its_codes(till, clock):
    first = till.buy("r1", codes=("ONCE", "TEN", "SOON", "NOPE"))
    assert refused(first) == {"TEN": "condition", "SOON": "condition", "NOPE": "unknown-code"}
    clock.now += 40 * DAY
    again = till.service.purchase(first["purchase_id"])
    assert {one.code: one.reason for one in again.codes_refused} == refused(first)
