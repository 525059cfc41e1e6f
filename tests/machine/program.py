"""The program of the shop in which everything happens, and its calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PROGRAM = """policy: rewards/v1
program: everything
title: Everything
currency: EUR
timezone: Europe/Berlin
points:
  beans: {one: bean, expires: {after: 30 days}, pays: {points: 1 bean, buys: 0.10, at_most: 50%}}
  stamps: {one: stamp, pending: 2 days}
selections: {deposit: {categories: [deposit]}}
eligible: {except: deposit, amount: after_discounts, tax: included, paid_by_points: does_not_count}
tiers: {by: spend, measure: 30 days, levels: {basic: 0.00, silver: 60.00}}
earn:
  beans: {every: 1.00, give: RATE beans}
  silver: {when: {tier: [silver]}, every: 10.00, give: 4 beans}
  big: {when: {spend: {at_least: 20.00}}, give: 25 beans, limit: {times: 2, per: month}}
  third: {when: {nth_visit: {every: 3}}, give: 10 beans}
  stamp: {on: {categories: [coffee]}, every: 1 unit, give: 1 stamp}
  present: {when: {spend: {at_least: 40.00}}, give: {gift_card: gift, value: 5.00}, limit: {times: 1, per: month}}
offers:
  cakes: {on: {categories: [cake]}, amount_off: 0.50 per unit, limit: {units: 4, per: ever}}
  coupon:
    when: {code: TWO}
    amount_off: 2.00
    stage: basket
    limit: {times: 1, per: week}
    budget: {times: 3, per: month}
  cup: {on: {categories: [coffee]}, only_by: reward, free: {units: 1, pick: cheapest}}
  euro: {only_by: voucher, amount_off: 1.00, stage: basket}
rewards:
  cup: {cost: 3 stamps, gives: {offer: cup}}
  mug: {cost: 20 beans, gives: {item: mug}, limit: {times: 2, per: month}}
  thanks: {cost: 30 beans, gives: {gift_card: gift, value: 4.00}}
gift_cards:
  plain: {kind: paid, load: 1.00-100.00, max_balance: 110.00}
  ending: {kind: paid, expires: {after: 5 days}}
  gift: {kind: promotional, expires: {after: 3 days}}
  flyer: {kind: voucher, offer: euro, expires: {after: 7 days}}
returns: {accept_within: 365 days, spent_points: debt, restored_points_last: 14 days}
"""
ZONE = ZoneInfo("Europe/Berlin")
FOREVER, NEVER = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
LASTS = {"plain": None, "ending": 5, "gift": 3, "flyer": 7}  # days
GRACE = 14  # days that what is given back lasts at least
WALLETS = {"beans": (0, 30), "stamps": (2, None)}  # days after which points are ready, and have ended


def midnight(day: date, days: int | None = 0) -> datetime:
    """When a day begins, so many days later; None: never."""
    return FOREVER if days is None else datetime.combine(day + timedelta(days=days), time(), ZONE).astimezone(UTC)


def day_of(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def month(day: date) -> tuple[int, int]:
    return day.year, day.month


def week(day: date) -> int:
    return (day.toordinal() - 1) // 7
