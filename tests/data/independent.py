"""What the three histories earn, worked out a second time by another method, sharing no code with the engine.

Receipts become rows of sums in SQLite; each rule is one query that runs over whole windows at once
(window functions), where the engine goes day by day and event by event. The programs are written down here again
by hand, as `programs/*.yaml` say them. Nothing of `rewards` is imported.
"""

from __future__ import annotations

import calendar
import gzip
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Amounts = Callable[[dict[str, Any], int, int], dict[str, int]]  # of a row: the row, spend left, units left
Query = tuple[str, str]  # the wallet, and a SELECT of member, day, points


@dataclass
class Expiry:
    """A wallet's terms: days until points are there, and the first day on which they are gone."""

    pending: int
    ends: Callable[[date, list[date]], date | None]  # of the day earned and the member's days of visit


@dataclass
class Shop:
    """A program, written down by hand."""

    file: str
    program: str
    zone: str
    amounts: Amounts
    columns: list[str]
    rules: list[Query]
    wallets: dict[str, Expiry]


@dataclass
class Booked:
    """A purchase with the net of each row, or what a return takes from one purchase."""

    member: str | None
    purchase: str
    event: dict[str, Any]
    nets: list[int] = field(default_factory=list)
    back: dict[int, int] = field(default_factory=dict)  # row -> units


@dataclass
class Outcome:
    """Counts by what became of each part of the file."""

    purchases: int = 0
    returns: int = 0
    money_only: int = 0
    refused: int = 0
    waiting: int = 0


def read(path: Path) -> list[dict[str, Any]]:
    with (gzip.open if path.suffix == ".gz" else open)(path) as file:
        return [json.loads(line) for line in file]


def nets(event: dict[str, Any]) -> list[int]:
    """Return what each row cost, the receipt's coupon shared by largest remainder over rows of equal content."""
    rows = event["lines"]
    net = [row["quantity"] * row["unit_price_minor"] - row.get("discount_minor", 0) for row in rows]
    coupon = event.get("order_discount_minor", 0)
    if not coupon:
        return net
    alike: dict[Any, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        categories = (row["category"], row["subcategory"]) if "subcategory" in row else (row["category"],)
        alike[categories, row["sku"], row["unit_price_minor"]].append(i)
    order = sorted(alike)
    for key, part in zip(order, apportion(coupon, [sum(net[i] for i in alike[key]) for key in order]), strict=True):
        members = sorted(alike[key], key=lambda i: -net[i])
        for i, cents in zip(members, apportion(part, [net[i] for i in members]), strict=True):
            net[i] -= cents
    return net


def apportion(total: int, weights: list[int]) -> list[int]:
    whole = sum(weights) or 1
    parts = [total * weight // whole for weight in weights]
    for i in sorted(range(len(weights)), key=lambda i: -((total * weights[i]) % whole))[: total - sum(parts)]:
        parts[i] += 1
    return parts


def booked(events: Iterable[dict[str, Any]]) -> tuple[list[Booked], Outcome]:
    """Return what is booked, in order of booking: a return before its purchase waits for it."""
    done: list[Booked] = []
    said = Outcome()
    here: dict[str, Booked] = {}
    left: dict[str, list[int]] = {}
    waiting: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)

    def take_back(purchase: str, rows: list[dict[str, Any]]) -> None:
        sold = here[purchase]
        units = list(left[purchase])
        back: Counter[int] = Counter()
        for row in rows:
            wanted = row["quantity"]
            for i, other in enumerate(sold.event["lines"]):
                if other["sku"] == row["sku"] and other["unit_price_minor"] == row["unit_price_minor"]:
                    part = min(wanted, units[i])
                    units[i] -= part
                    back[i] += part
                    wanted -= part
            if wanted:
                said.refused += 1
                return
        left[purchase] = units
        said.returns += 1
        done.append(Booked(sold.member, purchase, sold.event, back={i: n for i, n in back.items() if n}))

    for event in events:
        if event["kind"] == "purchase":
            name = event["purchase_id"]
            here[name] = Booked(event["member_id"], name, event, nets(event))
            left[name] = [row["quantity"] for row in event["lines"]]
            done.append(here[name])
            said.purchases += 1
            for rows in waiting.pop(name, []):
                take_back(name, rows)
            continue
        parts: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
        for row in event["lines"]:
            parts[row.get("original_purchase_id") or event.get("original_purchase_id")].append(row)
        for purchase, rows in parts.items():
            if purchase is None:
                said.money_only += 1
            elif purchase in here:
                take_back(purchase, rows)
            else:
                waiting[purchase].append(rows)
    said.waiting = sum(len(parts) for parts in waiting.values())
    return done, said


class Figures:
    """The awards of a shop's rules over what was booked, in SQLite."""

    def __init__(self, shop: Shop, entries: Iterable[Booked]) -> None:
        self.shop = shop
        self.db = sqlite3.connect(":memory:")
        names = ", ".join(f"{column} INT" for column in shop.columns)
        self.db.execute(
            "CREATE TABLE receipt (member TEXT, name TEXT, day INT, weekday INT, minute INT, week INT, month INT,"
            f" quarter INT, year INT, m3 INT, m6 INT, ever INT, {names})"
        )
        self._fill(list(entries))
        sums = ", ".join(f"SUM({column}) {column}" for column in shop.columns)
        self.db.executescript(
            "CREATE TABLE day AS SELECT member, day, weekday, week, month, quarter, year, m3, m6, ever,"
            f" {sums} FROM receipt GROUP BY member, day; CREATE INDEX by_member ON day (member, day);"
            "CREATE TABLE visit AS SELECT member, day, ROW_NUMBER() OVER (PARTITION BY member ORDER BY day) n,"
            " LAG(day) OVER (PARTITION BY member ORDER BY day) before FROM day WHERE spend > 0;"
            "CREATE INDEX by_visit ON visit (member, day); CREATE TABLE award (member, wallet, day, points);"
        )
        for wallet, query in shop.rules:
            self.db.execute(f"INSERT INTO award SELECT member, '{wallet}', day, x FROM ({query}) WHERE x <> 0")

    def _fill(self, entries: list[Booked]) -> None:
        back: dict[str, Counter[int]] = defaultdict(Counter)
        for entry in entries:
            if not entry.nets:
                back[entry.purchase].update(entry.back)
        zone = ZoneInfo(self.shop.zone)
        for entry in entries:
            if entry.member is not None and entry.nets:
                self._insert(entry, back[entry.purchase], zone)

    def _insert(self, entry: Booked, back: Counter[int], zone: ZoneInfo) -> None:
        sums = dict.fromkeys(self.shop.columns, 0)
        for i, (row, net) in enumerate(zip(entry.event["lines"], entry.nets, strict=True)):
            bought = row["quantity"]
            spend = net * (bought - back[i]) // bought
            for name, amount in self.shop.amounts(row, spend, (bought - back[i]) if spend else 0).items():
                sums[name] += amount
        at = datetime.fromisoformat(entry.event["occurred_at"]).astimezone(zone)
        day = at.date()
        month = day.year * 12 + day.month - 1
        when = [day.toordinal(), day.weekday(), at.hour * 60 + at.minute, (day.toordinal() - 1) // 7, month]
        when += [month // 3, day.year, months(day, -3).toordinal(), months(day, -6).toordinal(), 0]
        row = [entry.member, entry.purchase, *when, *sums.values()]
        self.db.execute(f"INSERT INTO receipt VALUES ({', '.join('?' * len(row))})", row)

    def totals(self) -> dict[str, int]:
        """Return the points given by wallet, whether or not they have ended since."""
        return dict(self.db.execute("SELECT wallet, SUM(points) FROM award GROUP BY wallet"))

    def balances(self, at: datetime) -> dict[tuple[str, str], tuple[int, int]]:
        """Return (available, pending) by member and wallet at an instant; zeros are left out."""
        visits: dict[str, list[date]] = defaultdict(list)
        for member, day in self.db.execute("SELECT member, day FROM visit ORDER BY day"):
            visits[member].append(date.fromordinal(day))
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        lots = "SELECT member, wallet, day, SUM(points) FROM award GROUP BY member, wallet, day"
        zone = ZoneInfo(self.shop.zone)
        for member, wallet, ordinal, points in self.db.execute(lots):
            terms, day = self.shop.wallets[wallet], date.fromordinal(ordinal)
            end = terms.ends(day, visits[member])
            if end is None or at < datetime.combine(end, time(), zone):
                ready = datetime.combine(day + timedelta(days=terms.pending), time(), zone)
                found[member, wallet][at < ready] += points
        return {key: (available, pending) for key, (available, pending) in found.items() if available or pending}


def earned_and_taken_back(shop: Shop, entries: list[Booked]) -> tuple[Counter[str], Counter[str]]:
    """Return what purchases gave and what returns took, in the order of booking.

    What a return took is the difference of two whole computations, just before and just after it.
    """
    given: Counter[str] = Counter(Figures(shop, entries).totals())
    taken: Counter[str] = Counter()
    by_member: dict[str, list[Booked]] = defaultdict(list)
    for entry in entries:
        if entry.member is not None:
            by_member[entry.member].append(entry)
    for own in by_member.values():
        for i, entry in enumerate(own):
            if not entry.nets:
                difference = Counter(Figures(shop, own[:i]).totals())
                difference.subtract(Figures(shop, own[: i + 1]).totals())
                taken.update(difference)
    given.update(taken)
    return given, taken


def months(day: date, count: int) -> date:
    """Return the day so many months away, the month's last where it is shorter."""
    index = day.year * 12 + day.month - 1 + count
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def after_month(day: date) -> date:
    """Return the first day of the next month."""
    return months(day.replace(day=1), 1)


def slide(day: date, visits: list[date]) -> date:
    """Return the end of points that live three months from the last visit."""
    end = months(day, 3)
    for visit in visits:
        if day < visit < end:
            end = months(visit, 3)
    return end


def windowed(rows: str, value: str, window: str, per: str | None = None, most: int = 0) -> str:
    """Return the query of a rule: its value of the window to date, less that of the day before.

    `rows` has member, day, the windows, `s` (what the rule counts) and `t` (what its threshold reads);
    `value` says what the sums `s` and `t` of the window to date are worth. `most` in each `per`.
    """
    keys = f"member, day, {window}" + (f", {per}" if per and per != window else "")
    query = (
        f"SELECT {keys}, v - LAG(v, 1, 0) OVER (PARTITION BY member, {window} ORDER BY day) x FROM ("
        f"SELECT {keys}, {value} v FROM (SELECT {keys}, SUM(s) OVER w s, SUM(t) OVER w t"
        f" FROM ({rows}) WINDOW w AS (PARTITION BY member, {window} ORDER BY day)))"
    )
    if per is None:
        return query
    return (
        f"SELECT member, day, m - LAG(m, 1, 0) OVER (PARTITION BY member, {per} ORDER BY day) x FROM ("
        f"SELECT member, day, {per}, MIN({most}, SUM(x) OVER (PARTITION BY member, {per} ORDER BY day)) m"
        f" FROM ({query}))"
    )
