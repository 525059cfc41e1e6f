"""Draws whole policies and successions of versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal
from zoneinfo import ZoneInfo

from rewards.days import Duration, Window
from rewards.engine.reference import Versions
from rewards.policy.activity_model import FOR_REFERRER, REFERRAL, EachTime
from rewards.policy.model import EarningRule, Eligible, Expiry, Liability, Pays, Policy, Returns, Wallet
from rewards.policy.terms import AloneLimit
from tests.strategies import words
from tests.strategies.cards import with_fairness, with_fitting_cards, with_given_cards
from tests.strategies.members import with_tiers, without_tiers
from tests.strategies.rules import (
    TITLES,
    activity,
    friends_part,
    multiplier,
    rule,
    selection,
    with_activities,
    with_rules,
    with_wallets,
)
from tests.strategies.till import amended_offers, with_fitting_offers, with_offers
from tests.strategies.words import Draw, chance, duration, pick, whole

GROUP = "best"
TILL, OFFERS = 800, 160  # where the offers of the first version are drawn
TIERS, SIZE = TILL + OFFERS, 12  # and the tiers of each version
BESIDES = TIERS + 4 * SIZE, 40  # and the activities of the first
CARDS = sum(BESIDES), 32  # and what of it gives cards, and its fairness
POLICY = sum(CARDS)  # bytes of choices
ENDS: tuple[Literal["end_of_month", "end_of_quarter", "end_of_year"] | None, ...]
ENDS = (None, None, "end_of_month", "end_of_quarter", "end_of_year")


def expiry(draw: Draw, pending: Duration | None) -> Expiry:
    """Draw a term after something longer than pending, or at an end, or both."""
    terms = [
        Duration(1, "months"),
        Duration(40, "days"),
        Duration(12, "months"),
        Duration(7, "days"),
        Duration(2, "days"),
    ]
    if pending is not None:
        terms = [Duration(12, "months"), Duration(400, "days")] if pending.unit == "months" else terms[:3]
    at = pick(draw, ENDS)
    after = None if at and not pending and chance(draw, 2) else pick(draw, terms)
    return Expiry(after=after, at=at, since=pick(draw, ("earned", "available", "last_visit")))


def wallet(draw: Draw, key: str) -> Wallet:
    pending = duration(draw, longest_days=14) if chance(draw, 3) else None
    if pending == Duration(12, "months"):
        pending = Duration(1, "months")
    return Wallet(
        key=key,
        one=words.WALLETS[key],
        title=pick(draw, TITLES),
        round=pick(draw, words.ROUNDINGS),
        pending=pending,
        expires=expiry(draw, pending) if chance(draw, 2) else None,
        pays=pays(draw) if chance(draw, 4) else None,
        liability=Liability(pick(draw, (100, 50)), pick(draw, (85, 90))) if chance(draw, 4) else None,
    )


def pays(draw: Draw) -> Pays:
    """Draw terms under which every step pays whole minor units."""
    points, step, at_most = pick(draw, (100, 1, 3)), pick(draw, (300, 600)), pick(draw, ((1, 2), (1, 1)))
    return Pays(points=points, buys_minor=pick(draw, (100, 5)), minimum=2 * step, step=step, at_most=at_most)


def eligible(draw: Draw) -> Eligible:
    return Eligible(
        excluding=selection(draw) if chance(draw, 3) else None,
        before_discounts=chance(draw, 2),
        tax_included=not chance(draw, 2),
        points_count=chance(draw, 2),
    )


def rule_map(
    draw: Draw, anchor: int, *, measures: tuple[Window, ...] = (), drop: bool = True
) -> dict[str, EarningRule]:
    """Draw one to three rules, perhaps a group of two or three, perhaps a multiplier or two."""
    names = ["dog", "ant", "fox", "bee", "elk", "cat", "gnu", "hen"]
    names = names[whole(draw, 0, 7) :] + names
    names = list(dict.fromkeys(names))
    found: dict[str, EarningRule] = {}

    def add(made: EarningRule | None) -> None:
        if made is not None:
            found[names.pop()] = made

    for _ in range(whole(draw, 1, 3)):
        add(rule(draw, names[-1], anchor, measure=pick(draw, measures or (None,))))
    if chance(draw, 3):
        purse, common = (
            pick(draw, sorted(words.WALLETS)),
            pick(draw, measures or ("day", "week", "month", "receipt", "ever")),
        )
        for _ in range(whole(draw, 2, 3)):
            add(rule(draw, names[-1], anchor, wallet=purse, measure=common, choose=GROUP))
    for _ in range(pick(draw, (0, 1, 1, 2))):
        add(multiplier(draw, names[-1], anchor, found))
    return found if drop else {name: replace(one, remainder="carry") for name, one in found.items()}


def policy_of(
    found: Mapping[str, EarningRule],
    *,
    kept: Mapping[str, Wallet] | None = None,
    zone: ZoneInfo = words.ANCHORS[0][0],
    version: str = "sha256:1",
    **parts: object,
) -> Policy:
    """Return a policy of these rules, with plain wallets unless given."""
    plain = {key: Wallet(key=key, one=one) for key, one in words.WALLETS.items()}
    policy = Policy(
        version=version,
        program="corner-cafe",
        title={"": "Corner Cafe"},
        currency="EUR",
        decimals=2,
        timezone=zone.key,
        zone=zone,
        line_attributes=dict(words.LINE_ATTRIBUTE_TYPES),  # type: ignore[arg-type]
        member_attributes=dict(words.MEMBER_ATTRIBUTE_TYPES),  # type: ignore[arg-type]
        wallets=dict(kept or plain),
        rules={},
        groups=(GROUP,) if any(rule.choose for rule in found.values()) else (),
    )
    return with_rules(replace(policy, **parts), found)  # type: ignore[arg-type]


def policy(draw: Draw, zone: ZoneInfo, anchor: int, *, measures: tuple[Window, ...] = (), drop: bool = True) -> Policy:
    """Draw a policy over the whole vocabulary; `measures` and `drop` narrow what its rules may do."""
    currency, decimals = pick(draw, (("EUR", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)))
    return policy_of(
        rule_map(draw, anchor, measures=measures, drop=drop),
        kept={key: wallet(draw, key) for key in words.WALLETS},
        zone=zone,
        eligible=eligible(draw),
        currency=currency,
        decimals=decimals,
        program=pick(draw, ("corner-cafe", "book-shop")),
        title=pick(draw, ({"": "Corner Cafe"}, {"en": "Cafe", "ka": "კაფე"})),
        country=pick(draw, (None, "DE")),
        effective=pick(draw, (None, anchor)),
        line_attributes={**words.LINE_ATTRIBUTE_TYPES, **pick(draw, ({}, {"halal": "boolean"}))},
        member_attributes={**words.MEMBER_ATTRIBUTE_TYPES, **pick(draw, ({}, {"vegan": "boolean"}))},
        returns=Returns(
            accept_within=duration(draw),
            spent_points=pick(draw, ("debt", "deduct_from_refund")),
            restored_points_last=duration(draw),
        ),
        adjustments=tuple(alone(draw) for _ in range(whole(draw, 0, 2))),
    )


def alone(draw: Draw) -> AloneLimit:
    """Draw a limit of what staff give and take alone."""
    return AloneLimit(pick(draw, ("", *sorted(words.WALLETS))), whole(draw, 1, 500), pick(draw, ("adjustment", "day")))


def amended(draw: Draw, before: Policy, anchor: int, number: int) -> Policy:
    """Draw the next version: a corrected text, other terms, a changed, added or dropped rule, other eligibility, other offers."""
    found, version = dict(before.rules), f"sha256:{number}"
    name = pick(draw, sorted(found))
    one = found[name]
    is_base = any(name in getattr(r.gives, "of", ()) for r in found.values())
    match pick(draw, ("text", "rule", "limit", "drop", "add", "eligible", "wallets", "offers", "offers")):
        case "rule" if name == FOR_REFERRER:
            found[name] = replace(activity(draw, REFERRAL), id=name, when=(), title=one.title)
        case "rule" if isinstance(one.gives, EachTime):
            found[name] = activity(draw, name)
        case "rule" if name == REFERRAL:
            found[name] = friends_part(draw, one)
        case "drop" if name in (REFERRAL, FOR_REFERRER) and len(found) > 2:
            found.pop(REFERRAL)
            found.pop(FOR_REFERRER, None)
        case "rule" if not is_base:
            found[name] = rule(draw, name, anchor, wallet=one.wallet, measure=one.measure, choose=one.choose)
        case "limit":
            found[name] = replace(one, limits=tuple(replace(limit, points=limit.points + 2) for limit in one.limits))
        case "drop" if one.choose is None and len(found) > 1 and not is_base:
            del found[name]
        case "add":
            found["zebra"] = rule(draw, "zebra", anchor, measure=one.measure)
        case "eligible":
            return replace(before, version=version, eligible=eligible(draw))
        case "wallets":
            return with_wallets(replace(before, version=version), {key: wallet(draw, key) for key in words.WALLETS})
        case "offers":
            return amended_offers(draw, replace(before, version=version), anchor)
        case _:
            found[name] = replace(one, title={"": "Corrected"})
    return with_rules(replace(before, version=version), found if before.tiers is not None else without_tiers(found))


def succession(
    draw: Draw, zone: ZoneInfo, anchor: int, *, measures: tuple[Window, ...] = (), drop: bool = True
) -> Versions:
    """Draw one to three versions with their first days; a third may be the first again."""
    first = policy(draw.region(0, 256), zone, anchor, measures=measures, drop=drop)
    first = with_activities(draw.region(*BESIDES), _with_tiers(draw.region(TIERS, SIZE), first))
    first = with_given_cards(draw.region(CARDS[0], 14), with_offers(draw.region(TILL, OFFERS), first, anchor))
    versions = [(anchor - 400, with_fairness(draw.region(CARDS[0] + 14, 14), first))]
    for number in range(2, 2 + pick(draw.region(256, 1), (0, 1, 1, 2))):
        own = draw.region(256 * number - 250, 250)
        cut = max(versions[-1][0] + 1, anchor + pick(own, (0, 1, 2, 7, 30, -1, -7)))
        following = versions[0][1] if number > 2 and chance(own, 3) else amended(own, versions[-1][1], anchor, number)
        if not drop:
            carried = {key: replace(one, remainder="carry") for key, one in following.rules.items()}
            following = with_rules(following, carried)
        following = _with_tiers(draw.region(TIERS + (number - 1) * SIZE, SIZE), following)
        versions.append((cut, with_fitting_cards(following)))
    return versions


def _with_tiers(draw: Draw, policy: Policy) -> Policy:
    """Draw other tiers, none, or leave them; without any there are no conditions on them."""
    what = pick(draw, ("leave", "leave", "draw", "draw", "none"))
    if what == "draw" or (what == "leave" and policy.tiers is None and chance(draw, 2)):
        return with_tiers(draw, policy)
    policy = policy if what == "leave" else replace(policy, tiers=None)
    return fitting(policy)


def fitting(policy: Policy) -> Policy:
    """Return the policy without conditions on tiers if it has none."""
    if policy.tiers is not None:
        return policy
    return with_fitting_offers(with_rules(policy, without_tiers(policy.rules)))
