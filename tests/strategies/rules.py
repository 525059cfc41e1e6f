"""Draws selections, schedules, conditions and earning rules that `check` would accept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from rewards.days import WINDOWS, Window
from rewards.policy.activity_model import FOR_REFERRER, REFERRAL, Activity, EachTime
from rewards.policy.meaning import Meanings
from rewards.policy.model import (
    ALL,
    AmountIs,
    Condition,
    EarningRule,
    FirstPurchase,
    Flat,
    HasCode,
    Limit,
    Match,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Policy,
    Rate,
    Referred,
    Schedule,
    Selection,
    Text,
    Times,
    Wallet,
)
from tests.strategies import members, words
from tests.strategies.words import Draw, chance, duration, pick, some, whole

NESTS: dict[Window, tuple[Window, ...]] = {  # which limits may stand over a measure
    "receipt": WINDOWS,
    "day": WINDOWS[1:],
    "week": ("week", "ever"),
    "month": ("month", "quarter", "year", "ever"),
    "quarter": ("quarter", "year", "ever"),
    "year": ("year", "ever"),
    "ever": ("ever",),
}


def match(draw: Draw, *, depth: int = 1, stored: bool = False) -> Match:
    parts: dict[str, object] = {}
    kinds = ["categories", "skus", "attributes", "price_at_least", "price_at_most", *["excluding"] * depth]
    if not stored or chance(draw, 2):
        for kind in some(draw, kinds, 1 if chance(draw, 2) else 2):
            parts[kind] = _match_part(draw, kind, depth)
    if stored:
        parts["stored_value"] = frozenset(some(draw, words.PRODUCTS))
    low, high = parts.get("price_at_least"), parts.get("price_at_most")
    if isinstance(low, int) and isinstance(high, int):
        parts["price_at_least"], parts["price_at_most"] = sorted((low, high))
    return Match(**parts)  # type: ignore[arg-type]


def _match_part(draw: Draw, kind: str, depth: int) -> object:
    if kind == "attributes":
        names = some(draw, sorted(words.LINE_ATTRIBUTES))
        return tuple((name, frozenset(some(draw, words.LINE_ATTRIBUTES[name]))) for name in names)
    if kind == "excluding":
        return selection(draw, depth=depth - 1)
    if kind.startswith("price"):
        return pick(draw, words.PRICES)
    return frozenset(some(draw, words.CATEGORIES if kind == "categories" else words.SKUS))


def selection(draw: Draw, *, depth: int = 1, stored: bool = False) -> Selection:
    """Draw a selection that names lines, never all of them; `stored` reaches lines that sell stored value."""
    return Selection(tuple(match(draw, depth=depth, stored=stored) for _ in range(whole(draw, 1, 2))))


def schedule(draw: Draw, anchor: int, only: str | None = None) -> Schedule:
    keys = ("hours", "starts", "ends", "days", "dates", "stores")
    parts = {key: _schedule_part(draw, anchor, key) for key in ([only] if only else some(draw, keys))}
    start, end = parts.get("starts"), parts.get("ends")
    if isinstance(start, int) and isinstance(end, int):
        parts["starts"], parts["ends"] = sorted((start, end))
    return Schedule(**parts)  # type: ignore[arg-type]


def _schedule_part(draw: Draw, anchor: int, key: str) -> object:
    match key:
        case "hours":
            return pick(draw, words.HOURS)
        case "days":
            return frozenset(some(draw, range(7), 5))
        case "dates":
            return frozenset(some(draw, range(anchor - 1, anchor + 4), 5))
        case "stores":
            return frozenset({pick(draw, words.STORES)})
    return anchor + whole(draw, -5, 10)


TITLES: tuple[Text, ...] = ({}, {}, {}, {"": "Treat"}, {"en": "Treat", "ka": "საჩუქარი"})
MEASURES: tuple[Window, ...] = ("day", *WINDOWS)
SHORT = ("receipt", "day")
GATES = (
    *("first_purchase", "nth_visit", "no_visit_for", "member_for", "visits", "spend_within", "units_within", "code"),
    *members.KINDS,
)
CONDITIONS = (*GATES, "spend", "units", "not")


def condition(
    draw: Draw, kind: str, measure: Window = "ever", *, negated: bool = False, stored: bool = False
) -> Condition:
    """Draw a condition of a kind for a rule of a measure.

    What a later purchase could take back is left out, as `check` would refuse it, and so are more visits than days.
    """
    match kind:
        case "first_purchase":
            return FirstPurchase(duration(draw) if chance(draw, 2) else None)
        case "nth_visit":
            return NthVisit(whole(draw, 2, 3), chance(draw, 2))
        case "no_visit_for":
            return NoVisitFor(duration(draw))
        case "member_for":
            return MemberFor(duration(draw))
        case "code":
            return HasCode(pick(draw, words.CODES))
        case "attribute" | "birthday" | "anniversary" | "tier":
            return members.condition(draw, kind)
        case "visits":
            return _visit_count(draw, measure, negated=negated, stored=stored)
        case "not":
            kinds = [k for k in GATES if "within" not in k and not (stored and k in ("nth_visit", "visits"))]
            inner = [pick(draw, kinds)]
            if inner[0] != "code" and chance(draw, 2):  # a code speaks of receipts and stands alone
                inner = some(draw, [k for k in kinds if k != "code"])
            return Not(tuple(condition(draw, k, measure, negated=True, stored=stored) for k in inner))
    within = duration(draw) if kind.endswith("_within") else None
    of = _of(draw)
    if kind.startswith("spend"):
        return AmountIs(what="spend", at_least=pick(draw, words.THRESHOLDS), within=within, of=of)
    return AmountIs(what="units", at_least=whole(draw, 1, 5), within=within, of=of)


def _of(draw: Draw) -> Selection | None:
    return pick(draw, (None, None, ALL, selection(draw) if chance(draw, 2) else None))


def _visit_count(draw: Draw, measure: Window, *, negated: bool, stored: bool) -> AmountIs:
    within = duration(draw) if chance(draw, 2) else None
    days = within.count if within and within.unit == "days" else 1 if measure in SHORT and not within else 31
    at_most = whole(draw, 1, 3) if not stored and chance(draw, 2) else None
    at_least = whole(draw, 1, min(days, at_most or 3)) if at_most is None or chance(draw, 2) else None
    of = pick(draw, (None, ALL)) if negated or at_most is not None else _of(draw)
    return AmountIs(what="visits", at_least=at_least, at_most=at_most, within=within, of=of)


def rule(
    draw: Draw,
    rule_id: str,
    anchor: int,
    *,
    wallet: str | None = None,
    measure: Window | None = None,
    choose: str | None = None,
    plain: bool = False,
) -> EarningRule:
    """Draw a rule that is no multiplier; `plain` is one with an amount and nothing else."""
    measured = measure if measure is not None else pick(draw, MEASURES)
    found = EarningRule(
        id=rule_id,
        title=pick(draw, TITLES),
        wallet=wallet or pick(draw, sorted(words.WALLETS)),
        gives=gives(draw, measured),
        measure=measured,
        choose=choose,
        meaning="",
    )
    if isinstance(found.gives, Rate) and found.gives.what != "visits" and measured != "receipt" and chance(draw, 4):
        found = replace(found, remainder="drop")
    return found if plain else _narrowed(draw, found, anchor)


def _narrowed(draw: Draw, found: EarningRule, anchor: int) -> EarningRule:
    stored = chance(draw, 12)
    count = pick(draw, (0, 0, 1, 1, 2))
    kinds = {kind.removesuffix("_within"): kind for kind in (some(draw, CONDITIONS, count) if count else ())}
    on = selection(draw, depth=0, stored=True) if stored else selection(draw) if chance(draw, 3) else ALL
    return replace(
        found,
        on=on,
        on_name=name_of(draw, found.id, on),
        schedule=schedule(draw, anchor) if chance(draw, 6) else None,
        paid_with=frozenset(some(draw, words.KINDS)) if chance(draw, 8) else None,
        when=tuple(condition(draw, kind, found.measure, stored=stored) for _, kind in sorted(kinds.items())),
        limits=limits(draw, found.measure, own=found.choose is not None),
    )


def name_of(draw: Draw, entry: str, on: Selection) -> str:
    """Draw the name that the author gave what an entry selects, or none."""
    return f"for-{entry}" if on != ALL and chance(draw, 3) else ""


def activity(draw: Draw, name: str) -> EarningRule:
    """Draw what an activity gives; what a later visit could take back is left out, as `check` would refuse it."""
    found = EarningRule(
        id=name,
        title=pick(draw, TITLES),
        wallet=pick(draw, sorted(words.WALLETS)),
        gives=EachTime(name, pick(draw, (2, 1, 5))),
        meaning="",
    )
    kinds = some(draw, [*OF_ACTIVITIES, "not"], 2) if chance(draw, 2) else []
    return replace(
        found,
        when=tuple(_of_activity(draw, kind) for kind in sorted(kinds, key=lambda kind: kind.removesuffix("_within"))),
        limits=limits(draw, "day"),
    )


def friends_part(draw: Draw, rule: EarningRule) -> EarningRule:
    """Draw the rule of a referred member's first purchase."""
    more = (condition(draw, pick(draw, ("spend", "member_for", "code"))),) if chance(draw, 2) else ()
    return replace(rule, gives=Flat(pick(draw, (5, 20))), when=(FirstPurchase(), Referred(), *more), limits=())


OF_ACTIVITIES = ("member_for", "first_purchase", "no_visit_for", "nth_visit", "visits", "spend_within", "units_within")


def _of_activity(draw: Draw, kind: str) -> Condition:
    if kind == "not":
        return Not(tuple(condition(draw, one) for one in some(draw, OF_ACTIVITIES[:3])))
    if kind == "visits":
        within = duration(draw)
        return AmountIs(what="visits", at_least=whole(draw, 1, min(3, within.count)), within=within, of=_of(draw))
    return condition(draw, kind, "day")


def gives(draw: Draw, measure: Window) -> Rate | Flat:
    what = pick(draw, ("spend", "spend", "units", "flat", *([] if measure == "receipt" else ["visits"])))
    match what:
        case "spend":
            return Rate("spend", pick(draw, (50, 30, 100, 150, 300)), whole(draw, 1, 7))
        case "units":
            return Rate("units", whole(draw, 1, 3), whole(draw, 1, 7))
        case "visits":
            return Rate("visits", 1 if measure == "day" else whole(draw, 1, 3), whole(draw, 1, 7))
    return Flat(pick(draw, (5, 1, 20)))


def limits(draw: Draw, measure: Window, *, own: bool = False) -> tuple[Limit, ...]:
    """Draw none to two limits, with `own` of the measure itself."""
    count = whole(draw, 0, 2)
    windows = some(draw, (measure,) if own else NESTS[measure], count) if count else []
    return tuple(Limit(pick(draw, (5, 1, 3, 10, 20)), per) for per in windows)


def multiplier(draw: Draw, rule_id: str, anchor: int, others: Mapping[str, EarningRule]) -> EarningRule | None:
    """Draw a multiplier of one or two of the rules, or None where none of them can be multiplied.

    It carries its remainder: what it gives is rounded once for all its bases and its window.
    """
    bases = [one for one in others.values() if isinstance(one.gives, Rate) and one.gives.what != "visits"]
    if not bases:
        return None
    first = pick(draw, bases)
    mates = [r for r in bases if r.wallet == first.wallet and r.id != first.id and r.measure == first.measure]
    chosen = [first, pick(draw, mates)] if mates and chance(draw, 2) else [first]
    found = rule(draw, rule_id, anchor, wallet=first.wallet, measure=first.measure)
    factor = pick(draw, ((2, 1), (5, 4), (3, 2), (3, 1)))
    return replace(found, gives=Times(*factor, tuple(sorted(r.id for r in chosen))), remainder="carry")


def with_rules(policy: Policy, found: Mapping[str, EarningRule]) -> Policy:
    """Return the policy with these rules, each with its meaning."""
    meanings = Meanings(policy.wallets, dict(found))
    return replace(
        policy,
        rules={key: replace(one, meaning=meanings.of(one)) for key, one in found.items()},
        activities={key: one for key, one in policy.activities.items() if key in found},
    )


def with_activities(draw: Draw, policy: Policy, most: int = 2) -> Policy:
    """Draw up to so many activities."""
    names = some(draw, words.ACTIVITIES, most) if chance(draw, 2) else []
    found = {name: Activity(name, pick(draw, ON) if name == "birthday" else "day") for name in names}
    rules = {**policy.rules, **{name: activity(draw, name) for name in names}}
    if REFERRAL in found:
        rules[FOR_REFERRER] = replace(activity(draw, REFERRAL), id=FOR_REFERRER, when=(), title=rules[REFERRAL].title)
        rules[REFERRAL] = friends_part(draw, rules[REFERRAL])
    return with_rules(replace(policy, activities=found), rules)


ON: tuple[Literal["day", "first_day_of_month"], ...] = ("day", "first_day_of_month")


def with_wallets(policy: Policy, found: Mapping[str, Wallet]) -> Policy:
    """Return the policy with these wallets; their rounding is part of what rules mean."""
    return with_rules(replace(policy, wallets=dict(found)), policy.rules)
