"""The README says what is so: its commands, its policy and receipt, its links."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from rewards.basket import Basket, MemberRef
from rewards.service.answers import PurchaseAnswer
from rewards.service.commands import Enrol, Publish, RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)


def block(language: str, holding: str) -> str:
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if holding in text]
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("word", ["rewards demo", "pytest"])
def test_each_command_is_one_line_that_sets_up_and_runs(word: str) -> None:
    command = block("sh", word).strip()
    assert "\n" not in command
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e ")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    assert "readme_command '/pytest'" in ci
    assert sum("/pytest" in line for line in README.splitlines() if line.startswith("python3 -m venv")) == 1


def test_the_receipt_is_what_the_policy_gives() -> None:
    said = block("text", "cheesecake")
    service = Service(Store.open())
    service.do(Publish(block("yaml", "program: corner-cafe").encode()))
    service.do(Enrol(external_id="ana"), caller="import")
    rows = [("FLATWHITE", "coffee", 2, 380), ("CHEESECAKE", "cake", 1, 420), ("BOTTLE", "deposit", 1, 25)]
    lines = [
        {"line_id": sku, "sku": sku, "categories": [category], "quantity": units, "unit_price_minor": price}
        for sku, category, units, price in rows
    ]
    basket = {
        "receipt_id": "1",
        "store_id": "mitte",
        "occurred_at": "2027-03-03T15:40:00+01:00",
        "currency": "EUR",
        "member": {"external_id": "ana"},
        "lines": lines,
    }
    outcome = service.do(RecordPurchase(msgspec.convert(basket, Basket, strict=False)), caller="scenario")
    answer = msgspec.json.decode(outcome.body, type=PurchaseAnswer)
    member = service.member(MemberRef(external_id="ana"))
    balance = service.balance(member.member_id, 1_804_100_000_000_000)
    service.close()

    told = [f"{f'+{award.points} {award.wallet}':12}{award.why}" for award in answer.awards]
    missed = [f"{missed.rule:12}{missed.why}" for missed in answer.not_applied]
    has = [
        f"{name:12}{wallet.available}, of which {wallet.expiries[0].points} end on {wallet.expiries[0].expires_at[:10]}"
        for name, wallet in balance.wallets.items()
    ]
    assert said.split("\n\n")[1:] == ["\n".join(told), "\n".join(missed), "\n".join(has) + "\n"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_are_there(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / link).exists(), link
    for name in re.findall(r"`((?:tests|bench|docs|rules|src)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name


def test_decisions_are_numbered_from_one_without_a_gap() -> None:
    names = sorted(page.name for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [name[:4] for name in names] == [f"{i:04}" for i in range(1, len(names) + 1)]


def test_nothing_is_left_to_fill_in() -> None:
    assert "FIGURES" not in README
