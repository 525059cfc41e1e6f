"""What a good file is compiled into, and that the loader starts fast."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from rewards.days import Duration
from rewards.policy.compile import compile_policy, load_policy
from rewards.policy.model import (
    ALL,
    AmountIs,
    Expiry,
    FirstPurchase,
    Flat,
    HasCode,
    Liability,
    Limit,
    Match,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Policy,
    Rate,
    Returns,
    Schedule,
    Selection,
    Times,
)

HERE = Path(__file__).parent
GOOD = sorted((HERE / "good").glob("*.yaml"))


@pytest.fixture(scope="module")
def stars() -> Policy:
    return load_policy((HERE / "good" / "stars.yaml").read_bytes())


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_good_files_have_no_findings_but_notes(file: Path) -> None:
    policy, problems = compile_policy(file.read_bytes(), file.name)
    assert policy is not None
    assert {problem.severity for problem in problems} <= {"note"}
    assert policy.version == "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_head(stars: Policy) -> None:
    assert (stars.program, stars.title, stars.currency, stars.decimals) == (
        "star-coffee",
        {"": "Star Coffee Rewards"},
        "USD",
        2,
    )
    assert (stars.timezone, stars.zone.key, stars.country) == ("America/Los_Angeles", "America/Los_Angeles", "US")
    assert stars.line_attributes == {
        "organic": "boolean",
        "size": frozenset({"small", "large"}),
        "shelf": "integer",
        "brand": "text",
    }
    assert stars.member_attributes == {"student": "boolean"}
    assert stars.groups == ("boost",)
    assert stars.returns == Returns()
    assert (stars.eligible.before_discounts, stars.eligible.tax_included, stars.eligible.points_count) == (
        True,
        False,
        True,
    )


def test_wallets(stars: Policy) -> None:
    wallet = stars.wallets["stars"]
    assert (wallet.one, wallet.round, wallet.pending) == ("star", "half_up", Duration(14, "days"))
    assert wallet.expires == Expiry(after=Duration(6, "months"), at="end_of_month", since="available")
    assert wallet.liability == Liability(100, 320)
    assert stars.wallets["hearts"].expires is None


def test_selections(stars: Policy) -> None:
    drinks = (
        Match(categories=frozenset({"espresso", "tea"})),
        Match(skus=frozenset({"COLD-1", "010", "NO"})),  # what is written, not what YAML makes of it
    )
    food = Match(categories=frozenset({"bakery", "sandwich"}))
    assert stars.rules["meal"].on == Selection((food, *drinks))
    assert stars.rules["meal"].on_name == "meal"
    large = Match(attributes=(("size", frozenset({"large"})),))
    excluding = Selection((*drinks, large))
    assert stars.rules["coupon"].on == Selection((Match(categories=frozenset({"bakery"}), excluding=excluding),))
    cheap = stars.rules["boosted"].on.any_of[0]
    assert (cheap.price_at_least, cheap.price_at_most) == (50, 2000)
    assert cheap.attributes == (
        ("brand", frozenset({"acme"})),
        ("organic", frozenset({True})),
        ("shelf", frozenset({3, 4})),
    )
    assert stars.rules["base"].on == ALL
    cafe = load_policy((HERE / "good" / "cafe.yaml").read_bytes())
    assert cafe.rules["top-up"].on == Selection((Match(stored_value=frozenset({"cafe-card"})),))


def test_what_rules_give(stars: Policy) -> None:
    rules = stars.rules
    assert rules["base"].gives == Rate("spend", 100, 1)
    assert rules["afternoons"].gives == Rate("visits", 3, 40)
    assert rules["rare"].gives == Rate("units", 2, 1)
    assert rules["coupon"].gives == Flat(300)
    assert rules["double"].gives == Times(5, 4, ("base", "meal"))
    assert rules["double"].wallet == "stars"
    assert rules["back"].limits == (Limit(100, "year"), Limit(300, "ever"))
    assert (rules["meal"].remainder, rules["rare"].measure, rules["boosted"].choose) == ("drop", "month", "boost")
    assert rules["preloaded"].paid_with == frozenset({"gift_card"})


def test_conditions(stars: Policy) -> None:
    rules = stars.rules
    assert rules["welcome"].when == (FirstPurchase(Duration(30, "days")),)
    assert rules["fifth"].when == (MemberFor(Duration(7, "days")), NthVisit(5, every=True))
    assert rules["back"].when == (NoVisitFor(Duration(180, "days")), AmountIs(what="spend", at_least=3000))
    assert rules["coupon"].when == (
        HasCode("AUTUMN300"),
        Not((HasCode("STAFF"),)),
        AmountIs(what="units", at_least=2),
    )
    assert rules["rare"].when == (AmountIs(what="visits", at_most=3, within=Duration(30, "days")),)


def test_schedules(stars: Policy) -> None:
    assert stars.rules["afternoons"].schedule == Schedule(
        starts=date(2026, 12, 7).toordinal(),
        ends=date(2026, 12, 20).toordinal(),
        days=frozenset({0, 1}),
        hours=(14 * 60, 18 * 60),
        stores=frozenset({"la-1", "7"}),
    )


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("JPY", "100", 100), ("KWD", "1.005", 1005), ("EUR", "7", 700)]
)
def test_amounts_follow_the_currency(currency: str, amount: str, minor: int) -> None:
    text = (HERE / "good" / "cafe.yaml").read_text().replace("EUR", currency).replace("worth: 0.85", "worth: 1")
    policy, problems = compile_policy(text.replace("1.00", amount).replace("50.00", "50").encode())
    assert policy is not None, problems
    assert policy.rules["beans"].gives == Rate("spend", minor, 5)


def test_line_ends_and_a_byte_order_mark_are_no_matter() -> None:
    data = (HERE / "good" / "stars.yaml").read_bytes()
    policy = load_policy(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))
    assert policy.rules == load_policy(data).rules


def test_the_loader_imports_neither_framework_nor_database() -> None:
    heavy = "litestar sqlmodel sqlalchemy pydantic hypothesis msgspec rich alembic uvicorn phonenumbers"
    code = f"import sys, rewards.policy.compile; print([m for m in {heavy.split()} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"
