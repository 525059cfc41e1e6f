"""The three programs, written down a second time by hand as queries; `programs/*.yaml` are what the engine runs."""

from __future__ import annotations

from typing import Any

from tests.data.independent import Expiry, Shop, after_month, months, slide, windowed

# A flat award on days of a condition: the day's own sums decide, nothing accumulates.
DAY = "SELECT member, day, {x} x FROM day d WHERE {where}"
VISIT = "SELECT v.member, v.day, {x} x FROM visit v JOIN day d USING (member, day) WHERE {where}"


def capped(query: str, per: str, most: int) -> str:
    """Cut a day's points by what is left of a limit."""
    return (
        f"SELECT member, day, m - LAG(m, 1, 0) OVER (PARTITION BY member, {per} ORDER BY day) x FROM ("
        f"SELECT q.member, q.day, d.{per}, MIN({most}, SUM(q.x) OVER (PARTITION BY q.member, d.{per} ORDER BY q.day)) m"
        f" FROM ({query}) q JOIN day d USING (member, day))"
    )


# Visits of the last 30 days, spend of the last six months, visits of the last three, as scans.
VISITS_30 = "(SELECT COUNT(*) FROM visit o WHERE o.member = d.member AND o.day BETWEEN d.day - 29 AND d.day)"
VISITS_3M = "(SELECT COUNT(*) FROM visit o WHERE o.member = d.member AND o.day > d.m3 AND o.day <= d.day)"
SPEND_6M = "(SELECT SUM(o.spend) FROM day o WHERE o.member = d.member AND o.day > d.m6 AND o.day <= d.day)"


def record_amounts(_row: dict[str, Any], spend: int, units: int) -> dict[str, int]:
    return {"spend": spend, "units": units}


RECORD_CLUB = Shop(
    file="cdnow.jsonl.gz",
    program="record-club.yaml",
    zone="America/New_York",
    amounts=record_amounts,
    columns=["spend", "units"],
    wallets={
        "points": Expiry(14, lambda day, _: after_month(months(day, 12))),
        "stamps": Expiry(0, lambda day, _: months(day, 6)),
    },
    rules=[
        ("points", windowed("SELECT *, spend s, 0 t FROM day", "s / 100", "month")),
        ("stamps", capped(DAY.format(x="units", where="units > 0"), "week", 10)),
        ("points", VISIT.format(x="50", where="v.n = 1")),
        ("points", capped(VISIT.format(x="100", where="v.before + 180 <= v.day"), "year", 100)),
        ("points", VISIT.format(x="40", where="v.n % 5 = 0")),
        ("points", capped(DAY.format(x="25", where="spend >= 5000"), "month", 50)),
        ("points", windowed("SELECT *, spend s, spend t FROM day", "150 * (t >= 15000)", "month")),
        ("stamps", windowed("SELECT *, spend > 0 s, 0 t FROM day", "s / 3", "quarter")),
        ("points", capped(DAY.format(x="spend / 200", where=f"{VISITS_30} >= 3"), "quarter", 40)),
        (
            "points",
            windowed(f"SELECT *, spend * ({SPEND_6M} >= 20000) s, 0 t FROM day d", "s * (3 - 2) / (100 * 2)", "month"),
        ),
    ],
)


def grocery_amounts(row: dict[str, Any], spend: int, units: int) -> dict[str, int]:
    names = {row["category"], row.get("subcategory")}
    if names & {"COUPON", "SPIRITS", "UNKNOWN"}:
        return {}
    food = spend * ("FUEL" not in names)
    return {
        "spend": spend,
        "food": food,
        "fuel": spend * ("FUEL" in names),
        "own": food * (row.get("private_label") is True),
        "fresh": food * bool(names & {"PRODUCE", "MEAT", "SEAFOOD"}),
        "greens": spend * ("PRODUCE" in names),
        "butcher": spend * bool(names & {"MEAT", "MEAT-PCKGD"}),
        "pastry": units * ("PASTRY" in names),
    }


_EVENING = (
    "SELECT member, day, SUM(CASE WHEN minute >= 1200 OR minute < 120 THEN spend ELSE 0 END) / 500 x"
    " FROM receipt GROUP BY member, day"
)
_BASKETS = "SELECT member, day, SUM(20 * (food >= 6000)) x FROM receipt GROUP BY member, day"
_GREENS = windowed("SELECT *, greens s, 0 t FROM day", "s / 100 * 3", "week")
_BUTCHER = windowed("SELECT *, butcher s, 0 t FROM day", "s / 100 * 2", "week")
_BEST = (
    "SELECT member, day, b - LAG(b, 1, 0) OVER (PARTITION BY member, week ORDER BY day) x FROM ("
    "SELECT member, day, week, MAX(SUM(g.x) OVER w, SUM(h.x) OVER w) b"
    f" FROM ({_GREENS}) g JOIN ({_BUTCHER}) h USING (member, day, week)"
    " WINDOW w AS (PARTITION BY member, week ORDER BY day))"
)

GROCERY_CARD = Shop(
    file="complete_journey.part-a.jsonl.gz",
    program="grocery-card.yaml",
    zone="America/New_York",
    amounts=grocery_amounts,
    columns=["spend", "food", "fuel", "own", "fresh", "greens", "butcher", "pastry"],
    wallets={"points": Expiry(0, slide), "gallons": Expiry(2, lambda day, _: after_month(months(day, 1)))},
    rules=[
        ("points", windowed("SELECT *, food s, 0 t FROM day", "s / 100", "week")),
        ("points", windowed("SELECT *, own s, 0 t FROM day", "s / 100", "week")),
        ("points", windowed("SELECT *, fresh * (weekday IN (1, 3)) s, 0 t FROM day", "s / 200", "week")),
        ("points", _EVENING),
        ("points", capped(_BASKETS, "week", 40)),
        ("points", windowed("SELECT *, spend > 0 s, 0 t FROM day", "15 * (s >= 3)", "week")),
        ("points", VISIT.format(x="100", where="v.n = 1 AND d.spend >= 2000")),
        ("points", capped(VISIT.format(x="75", where="v.before + 30 <= v.day"), "year", 150)),
        ("points", _BEST),
        ("gallons", capped(DAY.format(x="(2 * fuel + 200) / 400", where="fuel > 0"), "month", 30)),
        ("gallons", windowed("SELECT *, pastry s, 0 t FROM day", "(2 * s + 4) / 8", "month")),
    ],
)

NOTHING = {"shipping", "gift-voucher", "discount-adjustment", "manual-adjustment", "fee", "samples"}


def gift_amounts(row: dict[str, Any], spend: int, units: int) -> dict[str, int]:
    if row["category"] in NOTHING or row["unit_price_minor"] >= 100_000:
        return {}
    return {"spend": spend, "units": units, "kitchen": units * (row["category"] in {"range-21", "range-22"})}


_ORDERS = "SELECT member, day, SUM(30 * (spend >= 25000)) x FROM receipt GROUP BY member, day"
_FLOORS = "SELECT member, day, SUM(spend / 100 * 2) x FROM receipt GROUP BY member, day"  # remainder: drop

GIFT_HOUSE = Shop(
    file="online_retail.part-a.jsonl.gz",
    program="gift-house.yaml",
    zone="Europe/London",
    amounts=gift_amounts,
    columns=["spend", "units", "kitchen"],
    wallets={"points": Expiry(30, lambda day, _: months(day, 9)), "tokens": Expiry(0, lambda _day, _visits: None)},
    rules=[
        ("points", _FLOORS),
        ("tokens", windowed("SELECT *, kitchen s, 0 t FROM day", "s / 12", "month", "quarter", 100)),
        ("points", _ORDERS),
        ("points", windowed("SELECT *, spend s, spend t FROM day", "500 * (t >= 100000)", "quarter")),
        ("points", DAY.format(x="40", where="units >= 300")),
        ("points", VISIT.format(x="MIN(100, d.spend / 1000)", where="v.n = 1")),
        ("points", capped(VISIT.format(x="100", where="v.before + 60 <= v.day"), "year", 100)),
        (
            "points",
            windowed(f"SELECT *, spend * ({VISITS_3M} >= 3) s, 0 t FROM day d", "s * 2 * (5 - 4) / (100 * 4)", "month"),
        ),
        ("points", VISIT.format(x="75", where="v.n = 3")),
    ],
)

SHOPS = [RECORD_CLUB, GROCERY_CARD, GIFT_HOUSE]
