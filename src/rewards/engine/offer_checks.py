"""What can be said of a policy's offers before any basket: how many combinations, what meets, what is not exact.

What does not live here: diagnostics and where in the file they point (`policy`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations as pairs
from math import factorial, prod
from typing import Literal

from rewards.policy.model import ALL, AmountOff, FixedPrice, Free, Match, Offer, OfferGroup, Selection, UseLimit

Fault = Literal[
    "per_unit_in_basket_stage",
    "selection_in_basket_stage",
    "line_group_in_basket_stage",
    "units_limit_has_no_units",
    "percent_over_whole",
]


def combinations(offers: Mapping[str, Offer], groups: Mapping[str, OfferGroup]) -> int:
    """Return how many combinations a basket can need at most; over `offer_stage.MOST` is to be refused.

    A group of receipt has one for each member, a group of line one for each
    order of its `free` members. Offers that only a reward or voucher gives count in
    groups like others.
    """
    counts = []
    for name, group in groups.items():
        members = [offer for offer in offers.values() if offer.choose == name]
        if group.of == "receipt":
            counts.append(max(1, len(members)))
        else:
            counts.append(factorial(sum(isinstance(member.gives, Free) for member in members)))
    return prod(counts)


def overlapping_free(offers: Mapping[str, Offer]) -> list[tuple[str, str]]:
    """Return pairs of `free` offers that may meet on a line and share no group, ids in order.

    Of offers that apply by themselves only. Two selections are taken to be apart
    when their skus, categories, prices, attributes or products can not both be matched
    by what the file says; two different categories are apart, though a line may have both:
    a basket with such a line is decided exactly too.
    """
    free = [offer for _, offer in sorted(offers.items()) if isinstance(offer.gives, Free) and offer.only_by is None]
    return [
        (one.id, other.id)
        for one, other in pairs(free, 2)
        if (one.choose is None or one.choose != other.choose) and may_meet(one.on or ALL, other.on or ALL)
    ]


def may_meet(one: Selection, other: Selection) -> bool:
    """Return whether a line may be in both selections, as far as the file tells."""
    return any(not _apart(a, b) for a in one.any_of for b in other.any_of)


def _apart(a: Match, b: Match) -> bool:
    if (a.stored_value is None) != (b.stored_value is None):
        return True
    sets = [(a.stored_value, b.stored_value), (a.skus, b.skus), (a.categories, b.categories)]
    theirs = dict(b.attributes)
    sets += [(_typed(values), _typed(theirs[name])) for name, values in a.attributes if name in theirs]
    if any(x is not None and y is not None and x.isdisjoint(y) for x, y in sets):
        return True
    return _below(a, b) or _below(b, a) or _left_out(a, b) or _left_out(b, a)


def _typed(values: Collection[str | int | bool]) -> frozenset[str]:
    """`true` is not 1."""
    return frozenset(map(repr, values))


def _below(a: Match, b: Match) -> bool:
    return a.price_at_most is not None and b.price_at_least is not None and a.price_at_most < b.price_at_least


def _left_out(a: Match, b: Match) -> bool:
    """Return whether `a` leaves out all that `b` selects by skus or categories."""
    if a.excluding is None:
        return False
    plain = [match for match in a.excluding.any_of if match == Match(skus=match.skus, categories=match.categories)]
    return any(
        (match.skus is None or (b.skus is not None and b.skus <= match.skus))
        and (match.categories is None or (b.categories is not None and b.categories <= match.categories))
        for match in plain
    )


def faults(offers: Mapping[str, Offer], groups: Mapping[str, OfferGroup]) -> list[tuple[str, Fault]]:
    """Return (offer id, what is wrong) for offers that the laws of `offers` leave out."""
    found: list[tuple[str, Fault]] = []
    for _, offer in sorted(offers.items()):
        units = isinstance(offer.gives, Free | FixedPrice) or (
            isinstance(offer.gives, AmountOff) and offer.gives.per_unit
        )
        if offer.stage == "basket":
            if units or _of_units(offer.limits) or _of_units(offer.budgets):
                found.append((offer.id, "per_unit_in_basket_stage"))
            if offer.on is not None and offer.on != ALL:
                found.append((offer.id, "selection_in_basket_stage"))
            group = groups.get(offer.choose or "")
            if group is not None and group.of == "line":
                found.append((offer.id, "line_group_in_basket_stage"))
        elif isinstance(offer.gives, AmountOff) and not units and (_of_units(offer.limits) or _of_units(offer.budgets)):
            found.append((offer.id, "units_limit_has_no_units"))
        if _over_whole(offer):
            found.append((offer.id, "percent_over_whole"))
    return found


def _of_units(limits: Collection[UseLimit]) -> bool:
    return any(limit.what == "units" for limit in limits)


def _over_whole(offer: Offer) -> bool:
    match offer.gives:
        case Free(off=(numerator, denominator)):
            return numerator > denominator
        case AmountOff() | FixedPrice():
            return False
        case percent:
            return percent.numerator > percent.denominator
