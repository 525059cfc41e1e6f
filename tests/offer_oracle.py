"""The best legal combination by brute force: every legal subset, unit by unit, in exact fractions.

Shares no code with the engine. It knows only baskets that `check` accepts: basket
offers are of all eligible lines, and no line is left out by `eligible`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations, permutations, product
from math import floor, prod

from rewards.engine.offers import Claim
from rewards.policy.model import AmountOff, FixedPrice, Free, OfferGroup, PercentOff
from rewards.receipt import Line

ZERO = Fraction(0)


@dataclass(frozen=True)
class Unit:
    kind: int
    price: Fraction


class Oracle:
    def __init__(self, lines: list[Line], claims: list[Claim], groups: dict[str, OfferGroup]) -> None:
        self.claims = sorted(claims, key=lambda claim: (claim.offer.meaning, claim.offer.id))
        self.groups = groups
        keys = sorted({self.key(line) for line in lines}, key=repr)
        self.examples = [next(line for line in lines if self.key(line) == key) for key in keys]
        self.units = [
            Unit(keys.index(self.key(line)), Fraction(line.net_minor, line.quantity))
            for line in lines
            for _ in range(line.quantity)
        ]
        self.kinds = range(len(keys))
        self.net = [sum((u.price for u in self.units if u.kind == k), ZERO) for k in self.kinds]
        self.room = [
            sum((Fraction(max(0, x.net_minor - (x.lowest_minor or 0))) for x in lines if self.key(x) == key), ZERO)
            for key in keys
        ]
        self.alone = [x.lowest_minor is not None or x.stored_value is not None for x in self.examples]

    @staticmethod
    def key(line: Line) -> tuple[object, ...]:
        a_unit = [None if x is None else Fraction(x, line.quantity) for x in (line.net_minor, line.lowest_minor)]
        net, lowest = [None if x is None else (x.numerator, x.denominator) for x in a_unit]
        return (line.stored_value, line.sku, line.categories, (), line.gross_minor // line.quantity, net, lowest)

    def selected(self, claim: Claim, kind: int) -> bool:
        line = self.examples[kind]
        if claim.offer.on is None:
            return line.stored_value is None
        (match,) = claim.offer.on.any_of
        return (
            (line.stored_value in match.stored_value if match.stored_value else line.stored_value is None)
            and (match.skus is None or line.sku in match.skus)
            and (match.categories is None or bool(match.categories & set(line.categories)))
        )

    # which subsets

    def legal(self, seed: int, most: int = 64) -> Iterator[list[Claim]]:
        """All legal subsets; if the ungrouped have too many, those with at most one left out, and some by chance."""
        by_group: dict[str, list[Claim]] = defaultdict(list)
        free_to_stack = []
        for claim in self.claims:
            group = self.groups.get(claim.offer.choose or "")
            if group is not None and group.of == "receipt":
                by_group[group.name].append(claim)
            else:
                free_to_stack.append(claim)
        n = len(free_to_stack)
        if 2**n <= most:
            subsets = list(chain.from_iterable(combinations(free_to_stack, size) for size in range(n + 1)))
        else:
            chance = random.Random(seed)
            subsets = [tuple(free_to_stack), *combinations(free_to_stack, n - 1)]
            subsets += [tuple(c for c in free_to_stack if chance.random() < 0.7) for _ in range(most // 4)]
        for subset in subsets:
            for members in product(*([None, *group] for group in by_group.values())):
                yield [*subset, *(one for one in members if one is not None)]

    def best(self, seed: int = 0) -> int:
        return max((self.total(active) for active in self.legal(seed)), default=0)

    def total(self, active: list[Claim]) -> int:
        item = [claim for claim in active if claim.offer.stage == "item"]
        basket = [claim for claim in active if claim.offer.stage == "basket"]
        free = [claim for claim in item if isinstance(claim.offer.gives, Free)]
        meet = len(free) > 1 and any(sum(self.selected(c, k) for c in free) > 1 for k in self.kinds)
        return max(self.in_order(item, basket, order) for order in (permutations(free) if meet else [tuple(free)]))

    # one combination

    def in_order(self, item: list[Claim], basket: list[Claim], order: tuple[Claim, ...]) -> int:
        taken: set[int] = set()
        picks = {id(claim): self.pick(claim, taken) for claim in order}
        alone = [(claim, self.by_kind(claim, picks.get(id(claim)))) for claim in item if not is_once(claim)]
        in_group = {
            id(claim): self.by_kind(claim, None)
            for claim in item
            if is_once(claim) and self.groups.get(claim.offer.choose or "") is not None and self.of_line(claim)
        }
        alone += [(claim, in_group[id(claim)]) for claim in item if id(claim) in in_group]
        once = [claim for claim in item if is_once(claim) and id(claim) not in in_group]
        return max(self.cents([*off], once, basket) for off in self.choices(alone))

    def of_line(self, claim: Claim) -> bool:
        group = self.groups.get(claim.offer.choose or "")
        return group is not None and group.of == "line"

    def choices(self, alone: list[tuple[Claim, list[Fraction]]]) -> Iterator[list[Fraction]]:
        """Every way in which each kind of line can have one member of each group of line."""
        fixed = [sum((off[k] for claim, off in alone if not self.of_line(claim)), ZERO) for k in self.kinds]
        grouped: dict[str, list[list[Fraction]]] = defaultdict(list)
        for claim, off in alone:
            if self.of_line(claim):
                grouped[claim.offer.choose or ""].append(off)
        options = [
            sorted({off[k] for off in members}, reverse=True) for members in grouped.values() for k in self.kinds
        ]
        while prod(map(len, options)) > 64:  # too many to try: the line that has the widest choice keeps its best
            widest = max(range(len(options)), key=lambda i: len(options[i]))
            options[widest] = options[widest][:1]
        for chosen in product(*options):
            yield [
                fixed[k] + sum((chosen[g * len(self.kinds) + k] for g in range(len(grouped))), ZERO) for k in self.kinds
            ]

    def pick(self, claim: Claim, taken: set[int]) -> list[int]:
        gives = claim.offer.gives
        assert isinstance(gives, Free)
        mine = [i for i, unit in enumerate(self.units) if i not in taken and self.selected(claim, unit.kind)]
        count = gives.units * claim.times
        if gives.of_every is not None:
            count *= len(mine) // gives.of_every
        count = min([count, *unit_bounds(claim)])
        sign = 1 if gives.pick == "cheapest" else -1
        picked = sorted(mine, key=lambda i: (sign * self.units[i].price, self.units[i].kind))[: max(0, count)]
        taken.update(mine if gives.of_every is not None and picked else picked)
        return picked

    def by_kind(self, claim: Claim, picked: list[int] | None) -> list[Fraction]:
        gives = claim.offer.gives
        mine = [i for i, unit in enumerate(self.units) if self.selected(claim, unit.kind)]
        if picked is not None:
            mine = picked
        elif unit_bounds(claim) and not is_once(claim):
            mine = sorted(mine, key=lambda i: (-self.units[i].price, self.units[i].kind))[: min(unit_bounds(claim))]
        off = [ZERO for _ in self.kinds]
        if is_once(claim):
            off = [self.room[k] if self.selected(claim, k) else ZERO for k in self.kinds]
            mine = []
        for i in mine:
            unit = self.units[i]
            off[unit.kind] += a_unit(gives, claim.times, unit.price)
        off = [min(amount, room) for amount, room in zip(off, self.room, strict=True)]
        whole, bounds = sum(off), money_bounds(claim)
        if bounds and whole > min(bounds):
            off = [amount * min(bounds) / whole for amount in off]
        return off

    def cents(self, off: list[Fraction], once: list[Claim], basket: list[Claim]) -> int:
        off = [min(amount, room) for amount, room in zip(off, self.room, strict=True)]
        once = sorted(
            once,
            key=lambda c: (
                sum(self.selected(c, k) for k in self.kinds),
                [k for k in self.kinds if self.selected(c, k)],
                min(money_bounds(c)),
            ),
        )
        for claim in once:
            off = lay_once(claim, off, self.room, [self.selected(claim, k) for k in self.kinds])
        together = half_up(sum((off[k] for k in self.kinds if not self.alone[k]), ZERO))
        singly = {k: floor(off[k]) for k in self.kinds if self.alone[k]}
        return together + sum(singly.values()) + self.basket(basket, together, singly)

    def basket(self, basket: list[Claim], together: int, singly: dict[int, int]) -> int:
        """All lines that stand together as one pile, beside those with a lowest price."""
        pile = sum((self.net[k] for k in self.kinds if not self.alone[k]), ZERO) - together
        mine = [k for k in singly if self.examples[k].stored_value is None]
        rest = [pile, *(self.net[k] - singly[k] for k in mine)]
        room = [pile, *(self.room[k] - singly[k] for k in mine)]
        off = [ZERO for _ in rest]
        for claim in basket:
            if isinstance(claim.offer.gives, PercentOff):
                share = Fraction(claim.offer.gives.numerator * claim.times, claim.offer.gives.denominator)
                more = [min(share * r, m) for r, m in zip(rest, room, strict=True)]
                bounds = money_bounds(claim)
                if bounds and sum(more) > min(bounds):
                    more = [amount * min(bounds) / sum(more) for amount in more]
                off = [a + b for a, b in zip(off, more, strict=True)]
        off = [min(a, m) for a, m in zip(off, room, strict=True)]
        for claim in basket:
            if is_once(claim):
                off = lay_once(claim, off, room, [True] * len(rest))
        return half_up(sum(off, ZERO))


def is_once(claim: Claim) -> bool:
    return isinstance(claim.offer.gives, AmountOff) and not claim.offer.gives.per_unit


def a_unit(gives: PercentOff | AmountOff | FixedPrice | Free, times: int, price: Fraction) -> Fraction:
    match gives:
        case PercentOff(a, b):
            return price * a * times / b
        case AmountOff(minor, _):
            return min(price, Fraction(minor * times))
        case FixedPrice(minor):
            return max(ZERO, price - minor)
        case Free(off=(a, b)):
            return price * a / b


def unit_bounds(claim: Claim) -> list[int]:
    found = [limit.amount for limit in claim.offer.limits if (limit.what, limit.per) == ("units", "receipt")]
    return found if claim.units_left is None else [*found, claim.units_left]


def money_bounds(claim: Claim) -> list[int]:
    found = [limit.amount for limit in claim.offer.limits if (limit.what, limit.per) == ("money", "receipt")]
    found += [] if claim.offer.at_most is None else [claim.offer.at_most * claim.times]
    found += [] if claim.money_left is None else [claim.money_left]
    return [*found, claim.offer.gives.minor * claim.times] if is_once(claim) else found  # type: ignore[union-attr]


def lay_once(claim: Claim, off: list[Fraction], room: list[Fraction], mine: list[bool]) -> list[Fraction]:
    left = [(m - a) if is_mine else ZERO for a, m, is_mine in zip(off, room, mine, strict=True)]
    whole, amount = sum(left, ZERO), Fraction(min(money_bounds(claim)))
    if not whole:
        return off
    return [a + part * min(Fraction(1), amount / whole) for a, part in zip(off, left, strict=True)]


def half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))
