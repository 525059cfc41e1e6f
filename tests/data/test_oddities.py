"""Made-up oddities: each is booked, parked or refused with a reason, and counted, in any order of arrival."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rewards import importer
from rewards.basket import MemberRef
from rewards.errors import InvalidRequest
from tests.data.conftest import Shopkeeper

Event = dict[str, Any]
Open = Callable[[str], Shopkeeper]


def row(sku: str, quantity: int = 1, price: int = 100, **more: object) -> Event:
    return {"sku": sku, "category": "range-22", "quantity": quantity, "unit_price_minor": price, **more}


def event(name: str, lines: list[Event], member: str | None = "ann", day: int = 1, **more: object) -> Event:
    return {
        "purchase_id": name,
        "member_id": member,
        "store_id": "web",
        "occurred_at": f"2011-03-{day:02}T12:00:00Z",
        "currency": "GBP",
        "kind": "purchase",
        "lines": lines,
        **more,
    }


def back(name: str, of: str | None, lines: list[Event], member: str | None = "ann", day: int = 9) -> Event:
    origin = {} if of is None else {"original_purchase_id": of}
    return event(name, lines, member, day, kind="return", **origin)


ODD = [
    back("r-early", "p-late", [row("cup", 2)], day=1),
    event("p-late", [row("cup", 5)], day=2),
    event("p-long", [row(f"sku-{i}", 1, 10) for i in range(1_500)], day=3, order_discount_minor=1_234),
    event("p-large", [row("paper", 80_995, 208)], "bob", day=4),
    back("r-large", "p-large", [row("paper", 80_995, 208)], "bob", day=4),
    event("p-repeated", [row("tin", 2), row("tin", 3), row("tin", 1, 90)], day=5),
    back("r-most", "p-repeated", [row("tin", 4)], day=6),
    back("r-more", "p-repeated", [row("tin", 2)], day=7),
    back("r-last", "p-repeated", [row("tin", 1), row("tin", 1, 90)], day=8),
    back("r-stranger", None, [row("cup")], "cay"),
    back("r-unseen", "p-before-the-data", [row("cup")], "cay"),
    back("r-other-price", "p-late", [row("cup", 1, 101)]),
    event("p-several", [row("cup", 3)], day=10),
    {
        **back("r-several", None, [], day=11),
        "lines": [
            row("cup", 1, original_purchase_id="p-several"),
            row("cup", 1, original_purchase_id="p-late"),
            row("mug"),
        ],
    },
    event("p-guest", [row("cup", 3)], None, day=12),
    back("r-guest", "p-guest", [row("cup", 3)], None, day=13),
    event("p-free", [row("gift", 1, 0)], "dee", day=14),
]
BROKEN = [b"{", b'{"purchase_id": 1}', b"\xff\xfe", b"[" * 100_000, b'{"purchase_id":"\\u0000"}']


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    file = tmp_path / "odd.jsonl.gz"
    lines = [json.dumps(each).encode() for each in ODD]
    file.write_bytes(gzip.compress(b"\n".join([*lines[:3], b"", *BROKEN, *lines[3:]])))
    return file


def points(keeper: Shopkeeper, member: str) -> dict[str, tuple[int, int]]:
    answer = keeper.service.member(MemberRef(external_id=member))
    return {
        wallet: (detail.available + detail.pending, detail.debt)
        for wallet, detail in keeper.service.balance(answer.member_id, 1_301_000_000_000_000).wallets.items()
    }


def test_oddities_are_booked_parked_or_refused_and_counted(odd: Path, open_shop: Open) -> None:
    keeper = open_shop("gift-house.yaml")
    result = keeper.take(odd)

    assert result.events == len(ODD) + len(BROKEN)
    assert dict(result.outcomes) == {
        ("member", "recorded"): 4,
        ("purchase", "recorded"): 7,
        ("return", "recorded"): 6,
        ("return", "parked"): 2,  # one is booked when its purchase comes, one waits for ever
        ("return", "money only"): 2,
        ("return", "return-exceeds"): 2,
        ("line", "line-invalid"): len(BROKEN),
    }
    assert {refusal.name for refusal in result.refusals if refusal.kind == "return"} == {"r-more", "r-other-price"}
    assert keeper.service.verify() == []
    assert points(keeper, "bob").get("points", (0, 0)) == (0, 0)
    assert points(keeper, "cay").get("points", (0, 0)) == (0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_oddities_in_any_order_leave_the_same_balances(seed: int, odd: Path, open_shop: Open) -> None:
    keeper, other = open_shop("gift-house.yaml"), open_shop("gift-house.yaml")
    in_order, shuffled = keeper.take(odd), other.take(odd, shuffle=seed)

    assert {r.name for r in in_order.refusals} == {r.name for r in shuffled.refusals}
    assert [points(other, member) for member in ("ann", "bob", "cay", "dee")] == [
        points(keeper, member) for member in ("ann", "bob", "cay", "dee")
    ]
    assert other.service.verify() == []


def test_importing_again_changes_nothing(odd: Path, open_shop: Open) -> None:
    keeper = open_shop("gift-house.yaml")
    keeper.take(odd)
    before = keeper.sums()
    again = keeper.take(odd, shuffle=3)

    assert keeper.sums() == before
    assert not [key for key in again.outcomes if key[1] in {"recorded", "parked", "money only"}]


def test_a_file_that_is_cut_off_is_refused_in_words(odd: Path, open_shop: Open) -> None:
    odd.write_bytes(odd.read_bytes()[:-20])
    with pytest.raises(InvalidRequest, match="cannot be read"):
        open_shop("gift-house.yaml").take(odd)


def test_a_plain_file_is_read_as_well(tmp_path: Path, open_shop: Open) -> None:
    file = tmp_path / "plain.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in ODD[:2]))
    result = open_shop("gift-house.yaml").take(file)
    assert result.outcomes == {("member", "recorded"): 1, ("return", "parked"): 1, ("purchase", "recorded"): 1}


def test_progress_ends_at_the_whole(odd: Path, open_shop: Open) -> None:
    keeper = open_shop("gift-house.yaml")
    heard: list[tuple[int, int]] = []
    importer.run(keeper.service, odd, zone=keeper.zone, progress=lambda done, whole: heard.append((done, whole)))
    assert heard[-1][0] == heard[-1][1]
