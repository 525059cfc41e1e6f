"""Draws the offers of a policy: what the till takes off; their conditions join the plan of the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from rewards.days import WINDOWS, Duration
from rewards.policy.meaning import Meanings
from rewards.policy.model import (
    ALL,
    AmountIs,
    AmountOff,
    Condition,
    Expiry,
    FixedPrice,
    Free,
    GiftCard,
    Loads,
    Match,
    Not,
    Offer,
    OfferGroup,
    PercentOff,
    Policy,
    Reward,
    Selection,
    UseLimit,
)
from tests.strategies import catalogue
from tests.strategies.members import no_tiers
from tests.strategies.rules import GATES, TITLES, condition, name_of, schedule, selection
from tests.strategies.words import Draw, chance, pick, some, whole

RIVALS = ("rivals", "pair")
CONDITIONS = ("spend", "units", *GATES, "not")


def with_offers(draw: Draw, policy: Policy, anchor: int) -> Policy:
    """Return the policy with up to three offers, two of them perhaps rivals."""
    names = ("apple", "berry", "cherry")[: whole(draw, 0, 3)]
    offers = {name: offer(draw, name, anchor) for name in names}
    groups: dict[str, OfferGroup] = {}
    if len(offers) > 1 and chance(draw, 2):
        of = pick(draw, ("receipt", "line"))
        if of == "receipt" or all(one.stage == "item" for one in offers.values()):
            group = pick(draw, RIVALS)
            groups = {group: OfferGroup(group, of)}
            offers = {name: replace(one, choose=group) for name, one in offers.items()}
    given = pick(draw, sorted(offers)) if offers and chance(draw, 3) else None
    if given is not None:
        offers[given] = replace(offers[given], only_by="voucher")
    more = draw.region(40, 8)
    bought = pick(more, sorted(offers)) if offers and policy.wallets and chance(more, 3) else None
    if bought is not None and bought != given:
        offers[bought] = replace(offers[bought], only_by="reward")
    rewards = _rewards(more, bought, policy) if bought is not None and bought != given else {}
    cards = (_vouchers(draw, given) if given else {}) | _money_cards(draw.region(48, 12))
    policy = replace(policy, gift_cards=cards)
    policy = replace(policy, rewards=catalogue.rewards(draw.region(100, 40), policy, rewards))
    return _of_these(policy, offers, groups)


def _rewards(draw: Draw, offer_id: str, policy: Policy) -> dict[str, Reward]:
    """Draw one or two rewards of an offer."""
    wallet, points = pick(draw, sorted(policy.wallets)), pick(draw, (9, 1, 100))
    return {
        name: Reward(id=name, title=pick(draw, TITLES), wallet=wallet, points=points, offer=offer_id)
        for name in ("treat", "treasure")[: whole(draw, 1, 2)]
    }


def _money_cards(draw: Draw) -> dict[str, GiftCard]:
    """Draw none to two gift cards that hold money."""
    kinds = pick(draw, ((), ("paid",), ("promotional",), ("paid", "promotional")))
    return {kind: _money_card(draw, kind) for kind in kinds}


def _money_card(draw: Draw, kind: Literal["paid", "promotional"]) -> GiftCard:
    load = pick(draw, (Loads(500, 25_000), Loads(1000, 5000, (1000, 2500, 5000)), None)) if kind == "paid" else None
    return GiftCard(
        id=kind,
        kind=kind,
        load=load,
        value=pick(draw, (500, None)) if kind == "promotional" else None,
        max_balance=pick(draw, (None, 50_000)),
        not_on=pick(draw, (None, Selection((Match(categories=frozenset({"book"})),)))),
        vat=pick(draw, (None, "single_purpose", "multi_purpose")),
        expires=pick(draw, (None, Expiry(after=Duration(12, "months")))),
        to=pick(draw, ("bearer", "member")),
    )


def _vouchers(draw: Draw, offer_id: str) -> dict[str, GiftCard]:
    """Draw one or two vouchers of an offer."""
    ends: tuple[Expiry | None, ...] = (
        *(None, Expiry(after=Duration(7, "days"))),
        *(Expiry(at="end_of_month"), Expiry(at="end_of_quarter"), Expiry(at="end_of_year")),
    )
    return {
        name: GiftCard(
            id=name,
            kind="voucher",
            offer=offer_id,
            expires=pick(draw, ends),
            to=pick(draw, ("bearer", "member")),
        )
        for name in ("sorry", "flyer")[: whole(draw, 1, 2)]
    }


def amended_offers(draw: Draw, policy: Policy, anchor: int) -> Policy:
    """Return the policy with the limits of its offers changed, or with other offers of the same names."""
    if not policy.offers or chance(draw, 2):
        return with_offers(draw, policy, anchor)
    kept = {name: replace(one, limits=_amended(draw, one.limits)) for name, one in policy.offers.items()}
    return _of_these(policy, kept, policy.offer_groups)


def with_fitting_offers(policy: Policy) -> Policy:
    """Return the policy with its offers fit to the rest of it: without tiers there are no conditions on them."""
    return _of_these(policy, policy.offers, policy.offer_groups)


def _amended(draw: Draw, limits: tuple[UseLimit, ...]) -> tuple[UseLimit, ...]:
    if not limits or chance(draw, 4):
        return _limits(draw, units=False)
    return tuple(replace(limit, amount=limit.amount + 1) for limit in limits)


def _of_these(policy: Policy, offers: Mapping[str, Offer], groups: Mapping[str, OfferGroup]) -> Policy:
    if policy.tiers is None:
        offers = {name: replace(one, when=no_tiers(one.when)) for name, one in offers.items()}
    meanings = Meanings(policy.wallets, dict(policy.rules))
    told = {
        name: replace(one, meaning=meanings.of_offer(one, groups[one.choose].of if one.choose else ""))
        for name, one in offers.items()
    }
    rewards = catalogue.fitting(policy.rewards, policy)
    return replace(policy, offers=told, offer_groups=dict(groups), rewards=rewards)


def offer(draw: Draw, name: str, anchor: int) -> Offer:
    """Draw one offer; of several `free` ones each is on a category of its own, so that none need share a group."""
    gives = pick(
        draw,
        (
            PercentOff(1, 5),
            PercentOff(21, 200),
            AmountOff(200),
            AmountOff(50, per_unit=True),
            FixedPrice(pick(draw, (99, 150))),
            AmountOff(25),
        ),
    )
    if name == "apple" and chance(draw, 3):
        off = pick(draw, ((1, 1), (1, 2)))
        gives = Free(pick(draw, (1, 2)), pick(draw, (None, 2, 3)), pick(draw, ("cheapest", "dearest")), off)
    units = isinstance(gives, Free | FixedPrice) or (isinstance(gives, AmountOff) and gives.per_unit)
    on = selection(draw) if units or chance(draw, 2) else None
    kinds = some(draw, CONDITIONS) if chance(draw, 2) else []
    kinds = list({kind.removesuffix("_within"): kind for kind in kinds}.values())  # a key stands once
    selected = on if on is not None else ALL
    return Offer(
        id=name,
        title=pick(draw, TITLES),
        on=selected,
        on_name=name_of(draw, name, selected),
        stage="item" if units or on is not None else pick(draw, ("basket", "basket", "item")),
        gives=gives,
        schedule=schedule(draw, anchor) if chance(draw, 4) else None,
        when=tuple(_condition(draw, kind) for kind in kinds),
        at_most=pick(draw, (None, None, 300)) if isinstance(gives, PercentOff | Free) else None,
        limits=_limits(draw, units=units),
        budgets=_limits(draw, units=units, shared=True),
        funded_by=pick(draw, ("", "", "Acme")),
        meaning="",
    )


def _condition(draw: Draw, kind: str) -> Condition:
    """Draw a condition; what a receipt's own amounts must be may have an upper end too, and stand under `not`."""
    if kind == "not" and chance(draw, 2):
        return Not((_condition(draw, pick(draw, ("spend", "units"))),))
    found = condition(draw, kind, "day")
    if kind not in ("spend", "units") or not isinstance(found, AmountIs) or not chance(draw, 2):
        return found
    assert found.at_least is not None
    return replace(found, at_least=pick(draw, (None, found.at_least)), at_most=found.at_least * pick(draw, (1, 3)))


def _limits(draw: Draw, *, units: bool, shared: bool = False) -> tuple[UseLimit, ...]:
    """Draw none to two limits; those that all buyers share are of no receipt."""
    whats = ("times", "money", "units") if units else ("times", "money")
    pers = some(draw, ("day", *WINDOWS[2:]) if shared else ("day", "receipt", *WINDOWS[2:])) if chance(draw, 2) else []
    return tuple(UseLimit(pick(draw, whats), pick(draw, (1, 2, 500)), per) for per in pers)
