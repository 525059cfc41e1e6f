"""The engine and ledger beside a bare step, and one basket beside two expression engines.

Run `python -m bench.engine`; the second table needs the `bench` extra. Targets: an event in order at
most 3 times the bare step (the state is decoded; what decoding and encoding add is shown too), 45 days
late at most 15 times and a return after 180 days at most 35 times the event in order; one basket
faster than both engines at 3, 30 and 300 rules.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from importlib.util import find_spec
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

from bench.table import interleaved, machine, show
from rewards.days import Duration, instant, periods
from rewards.engine import member as known
from rewards.engine.explain import why
from rewards.engine.program import Program, compiled
from rewards.ledger.timeline import (
    Booking,
    DayRow,
    Near,
    Purchase,
    Return,
    book,
    decode_day,
    decode_near,
    encode,
    needs,
    open_near,
)
from rewards.policy.model import (
    AmountIs,
    EarningRule,
    Expiry,
    FirstPurchase,
    Flat,
    Limit,
    Match,
    NoVisitFor,
    NthVisit,
    Policy,
    Rate,
    Selection,
    Times,
    Wallet,
)
from rewards.receipt import Line, Receipt

MEMBER = known.Member(joined=1)
ZONE = ZoneInfo("Europe/Berlin")
CATEGORIES = [f"category-{i}" for i in range(10)]


def on(*categories: str) -> Selection:
    return Selection((Match(categories=frozenset(categories)),))


def policy(rules: list[EarningRule], version: str) -> Policy:
    return Policy(
        version=version,
        program="bench",
        title={},
        currency="EUR",
        decimals=2,
        timezone="Europe/Berlin",
        zone=ZONE,
        wallets={"points": Wallet(key="points", one="point", expires=Expiry(after=Duration(12, "months")))},
        rules={rule.id: rule for rule in rules},
    )


def rule(name: str, gives: Rate | Flat | Times, **more: object) -> EarningRule:
    return EarningRule(id=name, wallet="points", gives=gives, meaning=name, **more)  # type: ignore[arg-type]


def thirty() -> Policy:
    """Twelve rates, nine multipliers, nine rules about visits, absence and thresholds; half measured per day."""
    windows = ("day", "day", "week", "month")
    rules = [
        rule(f"rate-{i}", Rate("spend", 100, 1 + i % 3), on=on(CATEGORIES[i % 10]), measure=windows[i % 4])
        for i in range(12)
    ]
    rules += [
        rule(
            f"times-{i}",
            Times(3 + i % 2, 2, (f"rate-{i}",)),
            on=on(CATEGORIES[i % 10], CATEGORIES[(i + 1) % 10]),
            measure=windows[i % 4],
        )
        for i in range(9)
    ]
    rules += [
        rule("visits-a", Flat(10), when=(AmountIs(what="visits", at_least=2, within=Duration(30, "days")),)),
        rule("visits-b", Rate("visits", 1, 2), measure="month"),
        rule("nth", Flat(25), when=(NthVisit(10, every=True),)),
        rule("first", Flat(100), when=(FirstPurchase(),), limits=(Limit(100, "ever"),)),
        rule("away", Flat(50), when=(NoVisitFor(Duration(60, "days")),), limits=(Limit(50, "year"),)),
        rule("half-year", Flat(5), when=(AmountIs(what="spend", at_least=50_000, within=Duration(6, "months")),)),
        rule("basket", Flat(20), when=(AmountIs(what="spend", at_least=5_000),), measure="receipt"),
        rule("month", Flat(80), when=(AmountIs(what="spend", at_least=30_000),), measure="month"),
        rule("capped", Rate("units", 2, 1), limits=(Limit(30, "week"),)),
    ]
    return policy(rules, "sha256:thirty")


def receipt(rng: random.Random, day: date, number: int, categories: list[str] = CATEGORIES) -> Receipt:
    lines = []
    for i in range(8):
        quantity, price = rng.randint(1, 3), rng.randint(99, 1999)
        lines.append(
            Line(
                line_id=str(i),
                sku=f"sku-{rng.randint(1, 500)}",
                categories=(rng.choice(categories),),
                quantity=quantity,
                gross_minor=quantity * price,
                net_minor=quantity * price,
            )
        )
    at = datetime.combine(day, time(12), ZONE)
    return Receipt(
        store_id="north",
        receipt_id=str(number),
        occurred_at=instant(at),
        day=day.toordinal(),
        minute=720,
        currency="EUR",
        lines=tuple(lines),
    )


class Member:
    """A year of about fifty visits, kept as a store keeps it: encoded."""

    def __init__(self, program: Program, rng: random.Random) -> None:
        self.program = program
        self.today = date(2027, 6, 1)
        near: Near = open_near((self.today - timedelta(days=400)).toordinal())
        self.rows: dict[int, bytes] = {}
        self.receipts: dict[int, Receipt] = {}
        days = sorted(rng.sample(range(2, 366), 50), reverse=True)
        for key, back in enumerate(days):
            bought = receipt(rng, self.today - timedelta(days=back), key)
            self.receipts[key] = bought
            booking = book(program, near, Purchase(key, bought))
            near = booking.near
            self.rows.update({day: encode(row) for day, row in booking.days.items() if row is not None})
        self.near, self.decoded = encode(near), near
        self.decoded_days = self.days()

    def days(self) -> dict[int, DayRow]:
        return {day: decode_day(row) for day, row in self.rows.items()}

    def nearest(self, back: int) -> int:
        """Return the key of the purchase that lies about so many days back."""
        wanted = (self.today - timedelta(days=back)).toordinal()
        return min(self.receipts, key=lambda key: abs(self.receipts[key].day - wanted))

    def event(self, change: Purchase | Return) -> Booking:
        """Book one event with the numbers of its reasons, the state being at hand."""
        days = self.decoded_days if needs(self.program, self.decoded, change) else None
        return book(self.program, self.decoded, change, days)

    def coded(self, change: Purchase) -> list[bytes]:
        """Book one purchase from a state in bytes, and give back bytes."""
        near = decode_near(self.near)
        booking = book(self.program, near, change, self.days() if needs(self.program, near, change) else None)
        return [encode(booking.near), *[encode(row) for row in booking.days.values() if row is not None]]

    def said(self, change: Purchase) -> list[str]:
        """Book one purchase, and write out why."""
        version = self.program.on(change.day)
        return [
            why(version.policy, award.rule, award.points, award.facts, version)
            for entry in self.event(change).entries
            for award in entry.awards
        ]


def events() -> None:
    """Print an event in order, late, and a return, beside the bare step."""
    program = Program([(date(2020, 1, 1).toordinal(), thirty())])
    version = program.versions[0]
    members = [Member(program, random.Random(seed)) for seed in range(16)]
    rng = random.Random(7)
    todays = [receipt(rng, member.today, 1000) for member in members]
    lates = [receipt(rng, member.today - timedelta(days=45), 1000) for member in members]
    days_rows = sum(len(member.rows) for member in members) // len(members)

    def bare() -> int:
        for bought, (carry, when) in zip(todays, carries, strict=True):
            version.step(carry, when, bought.day, [version.reader.vector(bought, {})], MEMBER)
        return len(members)

    carries = [(decode_near(member.near).carry, periods(member.today.toordinal())) for member in members]

    def every(work: Callable[[Member, Any], object], changes: Sequence[Purchase | Return]) -> Callable[[], int]:
        pairs = list(zip(members, changes, strict=True))

        def run() -> int:
            for member, change in pairs:
                work(member, change)
            return len(pairs)

        return run

    def back(member: Member) -> Return:
        key = member.nearest(180)
        bought = member.receipts[key]
        at = instant(datetime.combine(member.today, time(15), ZONE))
        return Return(key, bought, {bought.lines[0].line_id: 1}, at)

    orders = [Purchase(1000, today) for today in todays]
    found = interleaved(
        {
            "bare": bare,
            "order": every(Member.event, orders),
            "said": every(Member.said, orders),
            "coded": every(Member.coded, orders),
            "late": every(Member.event, [Purchase(1000, late) for late in lates]),
            "return": every(Member.event, [back(member) for member in members]),
        }
    )

    def row(name: str, key: str, beside: str, target: str) -> tuple[object, ...]:
        return name, f"{found[key]:.0f}", f"{found[key] / found[beside]:.2f}", target

    show(
        f"Engine and ledger: 30 rules, 8 lines, 50 visits a year ({days_rows} rows of days); {machine()}",
        ["one event", "us", "ratio", "target"],
        [
            ("bare step: lines read, rules stepped", f"{found['bare']:.0f}", "", ""),
            row("in order: step, lots, postings, reasons", "order", "bare", "<= 3 x bare (aim 1.5)"),
            row("in order, the state decoded and encoded as well", "coded", "bare", ""),
            row("in order, every reason written as a sentence", "said", "bare", ""),
            row("45 days late", "late", "order", "<= 15 x in order"),
            row("a return after 180 days", "return", "order", "<= 35 x in order"),
        ],
    )


# one basket, no history: three ways to judge it


def wide(count: int) -> Policy:
    """Return `count` rules on `count / 3` categories: a rate, a threshold and a capped count of units on each."""
    rules = []
    for i in range(count // 3):
        of = on(f"category-{i}")
        rules.append(rule(f"rate-{i}", Rate("spend", 100, 1 + i % 3), on=of))
        rules.append(rule(f"flat-{i}", Flat(50), on=of, when=(AmountIs(what="spend", at_least=2_000),)))
        rules.append(rule(f"units-{i}", Rate("units", 1, 2), on=of, limits=(Limit(6, "day"),)))
    return policy(rules, f"sha256:wide-{count}")


def expressions(count: int, *, cel: bool) -> list[str]:
    """Return the same rules over `s` (spend) and `u` (units) by category, as each engine writes them."""
    found = []
    for i in range(count // 3):
        s, u = (f"s{i}", f"u{i}")
        whole = f"{s} / 100" if cel else f"floor({s} / 100)"
        found += [
            f"{whole} * {1 + i % 3}",
            f"{s} >= 2000 ? 50 : 0",
            f"{u} * 2 > 6 ? 6 : {u} * 2",
        ]
    return found


def sums(bought: Receipt, count: int) -> dict[str, int]:
    """Sum a basket by category, as a host of an expression engine has to."""
    found = dict.fromkeys([f"{kind}{i}" for i in range(count // 3) for kind in "su"], 0)
    for line in bought.lines:
        number = line.categories[0][9:]
        found["s" + number] += line.net_minor
        found["u" + number] += line.quantity
    return found


def ours(count: int) -> Callable[[Receipt], list[int]]:
    version = compiled(wide(count))
    start = Program([(1, version.policy)]).start(1)

    places = [version.rule_ids.index(name) for name in version.policy.rules]

    def judge(bought: Receipt) -> list[int]:
        points = version.step(start, periods(bought.day), bought.day, [version.reader.vector(bought, {})], MEMBER)[1]
        return [points[place] for place in places]

    return judge


def by_cel(count: int, *, together: bool) -> Callable[[Receipt], list[int]]:
    import cel  # noqa: PLC0415  of the `bench` extra

    texts = expressions(count, cel=True)
    if together:
        whole = cel.compile(f"[{', '.join(texts)}]")
        return lambda bought: whole.execute(cel.Context(variables=sums(bought, count)))
    programs = [cel.compile(text) for text in texts]

    def judge(bought: Receipt) -> list[int]:
        context = cel.Context(variables=sums(bought, count))
        return [program.execute(context) for program in programs]

    return judge


def by_zen(count: int, *, together: bool) -> Callable[[Receipt], list[int]]:
    import zen  # noqa: PLC0415  of the `bench` extra

    texts = expressions(count, cel=False)
    if together:
        whole = zen.compile_expression(f"[{', '.join(texts)}]")
        return lambda bought: whole.evaluate(sums(bought, count))
    node = {
        "id": "rules",
        "type": "expressionNode",
        "name": "rules",
        "content": {"expressions": [{"id": f"e{i}", "key": f"r{i}", "value": text} for i, text in enumerate(texts)]},
    }
    graph = {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in"},
            node,
            {"id": "out", "type": "outputNode", "name": "out"},
        ],
        "edges": [
            {"id": "1", "sourceId": "in", "targetId": "rules", "type": "edge"},
            {"id": "2", "sourceId": "rules", "targetId": "out", "type": "edge"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(graph))
    names = [f"r{i}" for i in range(len(texts))]

    def judge(bought: Receipt) -> list[int]:
        result = decision.evaluate(sums(bought, count))["result"]
        return [result[name] for name in names]

    return judge


def one_after_another(judge: Callable[[Receipt], list[int]], pool: list[Receipt]) -> Callable[[], int]:
    turn = cycle(pool)

    def run() -> int:
        for _ in range(10):
            judge(next(turn))
        return 10

    return run


def baskets() -> None:
    """Print one basket at 3, 30 and 300 rules beside both engines, each in its fastest way; points are equal."""
    rows = []
    for count in (3, 30, 300):
        rng = random.Random(count)
        names = [f"category-{i}" for i in range(count // 3)]
        pool = [receipt(rng, date(2027, 6, 1), i, names) for i in range(64)]
        ways = {
            "ours": ours(count),
            "cel": by_cel(count, together=False),
            "cel, one list": by_cel(count, together=True),
            "zen": by_zen(count, together=False),
            "zen, one list": by_zen(count, together=True),
        }
        for bought in pool:
            points = {name: [int(x) for x in judge(bought)] for name, judge in ways.items()}
            assert all(other == points["ours"] for other in points.values()), points
        works = {name: one_after_another(judge, pool) for name, judge in ways.items()}
        found = interleaved(works, rounds=5, seconds=0.2)
        best: dict[str, float] = defaultdict(lambda: float("inf"))
        for name, us in found.items():
            key = name.split(",")[0]
            best[key] = min(best[key], us)
        rows.append(
            (
                count,
                f"{best['ours']:.1f}",
                f"{best['cel']:.1f}",
                f"{best['zen']:.1f}",
                f"{best['cel'] / best['ours']:.1f}",
                f"{best['zen'] / best['ours']:.1f}",
            )
        )
    show(
        f"One basket of 8 lines without history, equal points, us; {machine()}",
        ["rules", "till-rewards", "common-expression-language", "zen-engine", "CEL / ours", "ZEN / ours"],
        rows,
    )


if __name__ == "__main__":
    events()
    if find_spec("cel") and find_spec("zen"):
        baskets()
    else:
        print("\nthe engines of the second table are not installed: pip install -e '.[bench]'")
