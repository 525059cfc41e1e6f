"""The best combination of offers for one basket.

Run `python -m bench.offers`. Target: at most 1 ms median at 12 offers and 10 lines.
Each row is the median over 200 baskets of ten lines of their medians; the worst basket stands beside it.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence

from bench.table import machine, show
from rewards.engine.offers import Claim, OfferBook
from rewards.policy.model import (
    AmountOff,
    Eligible,
    FixedPrice,
    Free,
    Match,
    Offer,
    OfferGroup,
    PercentOff,
    Selection,
    UseLimit,
)
from rewards.receipt import Line

GROUPS = {
    "coupon": OfferGroup("coupon", "receipt"),
    "event": OfferGroup("event", "receipt"),
    "third": OfferGroup("third", "receipt"),
    "fourth": OfferGroup("fourth", "receipt"),
    "line": OfferGroup("line", "line"),
}
CATEGORIES = [f"category-{i}" for i in range(6)]
ROUNDS = 9


def on(*categories: int) -> Selection:
    return Selection((Match(categories=frozenset(CATEGORIES[i] for i in categories)),))


Gives = PercentOff | AmountOff | FixedPrice | Free


def offer(name: str, gives: Gives, **more: object) -> Offer:
    return Offer(id=name, gives=gives, meaning=name, **more)  # type: ignore[arg-type]


def mixed() -> list[Offer]:
    """A shop's twelve: item and basket, a coupon of two, an event of three, a group of line, caps and a limit."""
    return [
        offer("happy-hour", PercentOff(1, 5), on=on(0)),
        offer("three-for-two", Free(1, 3), on=on(1)),
        offer("second-half", Free(1, 2, off=(1, 2)), on=on(2)),
        offer("member-price", FixedPrice(350), on=on(3), limits=(UseLimit("units", 6, "receipt"),), choose="line"),
        offer("dear-off", PercentOff(1, 10), on=on(3, 4), choose="line"),
        offer("per-unit", AmountOff(50, per_unit=True), on=on(4), choose="line"),
        offer("five-off", AmountOff(500), on=on(0, 1, 5), choose="coupon"),
        offer("ten-percent", PercentOff(1, 10), on=on(0, 1, 5), at_most=700, choose="coupon"),
        offer("student", PercentOff(1, 20), stage="basket"),
        offer("vip", PercentOff(3, 20), stage="basket", choose="event"),
        offer("rouge", PercentOff(1, 5), stage="basket", choose="event", at_most=2000),
        offer("welcome", AmountOff(1000), stage="basket", choose="event"),
    ]


def stacking() -> list[Offer]:
    """Twelve percentages and amounts that all apply: one combination."""
    return [
        offer(f"off-{i}", PercentOff(i + 1, 100) if i % 2 else AmountOff(20 + i, per_unit=True), on=on(i % 6, i // 2))
        for i in range(10)
    ] + [offer("basket", PercentOff(1, 20), stage="basket"), offer("ten", AmountOff(1000), stage="basket")]


def free() -> list[Offer]:
    """Four `free` offers that meet in a group of line, so that 24 orders are tried, among eight others."""
    return [
        *(offer(f"free-{i}", Free(1, 2 + i), on=on(i, i + 1, i + 2), choose="line") for i in range(4)),
        *(offer(f"price-{i}", FixedPrice(300 + 100 * i), on=on(i), choose="line") for i in range(3)),
        *(offer(f"off-{i}", PercentOff(1, 10 + i), on=on(i), at_most=400) for i in range(3)),
        *(offer(f"basket-{i}", PercentOff(1, 15 + i), stage="basket", choose="event") for i in range(2)),
    ]


def widest() -> list[Offer]:
    """Four groups of three members of receipt: 81 combinations."""
    return [
        offer(
            f"{name}-{i}",
            (PercentOff(1, 7 + i + n), AmountOff(200 + 50 * n), FixedPrice(200 + 50 * n))[i],
            on=on(n, n + 1, n + 2),
            choose=name,
        )
        for n, name in enumerate(["coupon", "event", "third", "fourth"])
        for i in range(3)
    ]


def drawn(chance: random.Random) -> list[Offer]:
    """Twelve of the kinds that shops have, by chance: most stand alone, some compete, two are off the basket."""
    found = []
    for i in range(10):
        kinds: list[Gives] = [
            PercentOff(chance.randrange(5, 40), 100),
            PercentOff(chance.randrange(5, 40), 100),
            AmountOff(chance.choice([20, 50]), per_unit=True),
            AmountOff(chance.choice([100, 500])),
            FixedPrice(chance.choice([199, 350])),
            Free(1, chance.choice([2, 3]), off=chance.choice([(1, 1), (1, 2)])),
        ]
        gives = chance.choice(kinds)
        group = "line" if isinstance(gives, Free) else chance.choice([None, None, "line", "coupon", "event"])
        categories = chance.sample(range(6), chance.choice([1, 1, 2]))
        at_most = chance.choice([None, None, 700])
        found.append(offer(f"offer-{i}", gives, on=on(*categories), choose=group, at_most=at_most))
    shares: list[Gives] = [PercentOff(1, 20), AmountOff(500)]
    return [*found, *(offer(f"basket-{i}", gives, stage="basket") for i, gives in enumerate(shares))]


def basket(chance: random.Random) -> list[Line]:
    lines = []
    for i in range(10):
        quantity, price = chance.choice([1, 1, 2, 3, 6]), chance.choice([99, 249, 250, 399, 1000, 1749])
        lines.append(
            Line(
                line_id=str(i),
                sku=f"sku-{chance.randrange(40)}",
                categories=(chance.choice(CATEGORIES),),
                quantity=quantity,
                gross_minor=quantity * price,
                net_minor=quantity * price,
            )
        )
    return lines


def measured(sets: Sequence[list[Offer]]) -> tuple[float, float]:
    """Return the median and the worst basket, microseconds; the sets of offers take turns."""
    chance = random.Random(7)
    taken = []
    shops = [(OfferBook({one.id: one for one in offers}, GROUPS, Eligible()), offers) for offers in sets]
    for i, lines in enumerate([basket(chance) for _ in range(200)]):
        book, offers = shops[i % len(shops)]
        claims = [Claim(offer=one) for one in offers]
        book.best(lines, claims)
        rounds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            book.best(lines, claims)
            rounds.append((time.perf_counter() - start) * 1e6)
        taken.append(statistics.median(rounds))
    return statistics.median(taken), max(taken)


def main() -> None:
    chance = random.Random(11)
    sets: dict[str, list[list[Offer]]] = {
        "drawn, 200 sets": [drawn(chance) for _ in range(200)],
        "a shop's mix, 6 combinations": [mixed()],
        "all stack, 1 combination": [stacking()],
        "4 `free` in a group of line, 24 orders x 2": [free()],
        "4 groups of 3, 81 combinations": [widest()],
    }
    rows = []
    for name, found in sets.items():
        median, worst = measured(found)
        rows.append([name, len(found[0]), f"{median:.0f}", f"{worst:.0f}"])
    show(f"Best combination, 10 lines ({machine()})", ["offers", "number", "median µs", "worst µs"], rows)


if __name__ == "__main__":
    main()
