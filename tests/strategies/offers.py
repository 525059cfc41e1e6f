"""Baskets and sets of offers, with groups, `free`, caps and limits; few prices, so that ties are common."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from rewards.engine.offers import Claim, OfferBook, Outcome
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
    "one": OfferGroup("one", "receipt"),
    "two": OfferGroup("two", "receipt"),
    "three": OfferGroup("three", "receipt"),
    "each": OfferGroup("each", "line"),
    "every": OfferGroup("every", "line"),
}
CATEGORIES = ("bread", "fish", "tea")
PRICES = (1, 3, 10, 25, 99, 100, 250, 333, 1000)


@dataclass(frozen=True)
class OfferCase:
    lines: list[Line]
    claims: list[Claim]

    def best(self) -> Outcome:
        return OfferBook({c.offer.id: c.offer for c in self.claims}, GROUPS, Eligible()).best(self.lines, self.claims)


def selection(**keys: frozenset[str]) -> Selection:
    return Selection((Match(**keys),))


@st.composite
def offer_lines(draw: st.DrawFn, most: int = 10, *, evenly: bool = False) -> list[Line]:
    lines = []
    for i in range(draw(st.integers(1, most))):
        quantity = draw(st.sampled_from([1, 1, 1, 2, 3, 4]))
        price = draw(st.sampled_from(PRICES))
        discount = draw(st.sampled_from([0, 0, 0, 1, 7]))
        discount = min(discount * (quantity if evenly else 1), price * quantity)
        net = price * quantity - discount
        lowest = draw(st.sampled_from([None, None, None, None, net // quantity, net // quantity // 2]))
        lines.append(
            Line(
                line_id=str(i),
                sku=draw(st.sampled_from("AB")),
                categories=draw(st.sampled_from([("bread",), ("fish",), ("tea",), ("bread", "fish")])),
                quantity=quantity,
                gross_minor=price * quantity,
                discount_minor=discount,
                net_minor=net,
                stored_value=draw(st.sampled_from([None] * 9 + ["card"])),
                lowest_minor=None if lowest is None else lowest * quantity,
            )
        )
    return lines


PERCENTS = st.sampled_from([(1, 20), (1, 10), (21, 200), (1, 5), (1, 3), (1, 2), (1, 1)])


def gives() -> st.SearchStrategy[PercentOff | AmountOff | FixedPrice | Free]:
    return st.one_of(
        PERCENTS.map(lambda share: PercentOff(*share)),
        st.builds(AmountOff, st.sampled_from([1, 5, 50, 500, 1500])),
        st.builds(AmountOff, st.sampled_from([1, 5, 50]), st.just(True)),
        st.builds(FixedPrice, st.sampled_from([0, 2, 9, 80, 300])),
        st.builds(
            Free,
            st.integers(1, 2),
            st.sampled_from([None, 2, 3]),
            st.sampled_from(["cheapest", "dearest"]),
            st.sampled_from([(1, 1), (1, 2)]),
        ),
    )


@st.composite
def claims(draw: st.DrawFn, number: int, *, narrow: bool = False, rivals: bool = False) -> Claim:
    """A claim; a basket offer of only some lines if `narrow`, in a group of receipt if `rivals`."""
    what = draw(gives())
    once = isinstance(what, AmountOff) and not what.per_unit
    basket = (once or isinstance(what, PercentOff)) and draw(st.integers(0, 2)) == 0
    on = None
    if not basket or narrow:
        on = draw(
            st.sampled_from(
                [None]
                + [selection(categories=frozenset([name])) for name in CATEGORIES]
                + [selection(skus=frozenset("A")), selection(stored_value=frozenset(["card"]))]
            )
        )
    limits = [
        UseLimit(kind, amount, "receipt")
        for kind, amount in draw(
            st.lists(st.sampled_from([("units", 1), ("units", 3), ("money", 60), ("money", 700)]), max_size=1)
        )
        if kind == "money" or not (basket or once)
    ]
    groups = ["one", "two"] if basket else ["one", "two", "each", "every"]
    chosen = st.sampled_from(["one", "two", "three"] if rivals else [None, None, *groups])
    offer = Offer(
        id=f"offer-{number}",
        on=on,
        stage="basket" if basket else "item",
        gives=what,
        at_most=draw(st.sampled_from([None, None, None, 40, 333])),
        limits=tuple(limits),
        choose=draw(chosen),
        meaning="",
    )
    return Claim(
        offer=replace(offer, meaning=repr((offer.on and on_text(offer.on), offer.gives, offer.at_most, offer.limits))),
        times=draw(st.sampled_from([1, 1, 1, 1, 2])),
        money_left=draw(st.sampled_from([None, None, None, None, 100, 0])),
        units_left=None if basket or once else draw(st.sampled_from([None, None, None, None, 2, 0])),
    )


def on_text(on: Selection) -> str:
    (match,) = on.any_of
    return repr([sorted(x or ()) for x in (match.skus, match.categories, match.stored_value)])


@st.composite
def offer_cases(
    draw: st.DrawFn,
    most: int = 12,
    most_free: int = 3,
    *,
    least: int = 1,
    evenly: bool = False,
    narrow: bool = False,
    rivals: bool = False,
) -> OfferCase:
    found: list[Claim] = []
    for number in range(draw(st.integers(least, most))):
        claim = draw(claims(number, narrow=narrow, rivals=rivals))
        if not isinstance(claim.offer.gives, Free) or sum(isinstance(c.offer.gives, Free) for c in found) < most_free:
            found.append(claim)
    return OfferCase(draw(offer_lines(evenly=evenly)), found)
