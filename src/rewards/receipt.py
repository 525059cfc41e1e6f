"""Facts from the till, as they are recorded: receipts, their lines and tenders.

What does not live here: the JSON that callers send (`api.wire`), and any
judgement of what a line earns (`engine`). A receipt never changes once it is
recorded; what came back later is a map of returned quantities beside it.

>>> line = Line(line_id="1", sku="CAKE", gross_minor=2400, net_minor=1920, quantity=3)
>>> line.net_left_minor(1)
1280
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rewards.money import left_of, webster

MICROSECONDS = 1_000_000


class Tender(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One way a receipt was paid."""

    kind: str  # `cash`, `card`, … as the till calls it; `points`, `gift_card` and `promotional` (money given) are ours
    amount_minor: int
    wallet: str = ""  # of points
    points: int = 0  # that the amount cost; 0 where another system kept the points
    card: str = ""  # the id of the gift card that paid
    last_four: str = ""  # of its code
    hold: str = ""  # the id of the hold that it captured
    shortfall_minor: int = 0  # of the amount: what was not there when a till that was offline took it on trust


class Line(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """One row of a receipt, with what was decided at the till for ever."""

    line_id: str
    sku: str
    categories: tuple[str, ...] = ()
    quantity: int = 1  # whole units; a line of a decimal quantity is one unit
    gross_minor: int
    discount_minor: int = 0  # the till's own, the line's share of the receipt's included
    offers_minor: int = 0  # our discounts
    net_minor: int  # gross less both discounts
    tax_minor: int = 0
    tax_included: bool = True
    stored_value: str | None = None  # the gift card product that this line sells
    attributes: dict[str, str | int | bool] = {}
    tenders_minor: tuple[int, ...] = ()  # the line's share of each tender, in the receipt's order; () if none was sent
    name: str = ""
    lowest_minor: int | None = None  # the whole line is never sold below this: where the law sets a price
    free_units: int = 0  # that our offers gave for nothing
    card: str = ""  # the id of the gift card that it issued or loaded

    def units_left(self, returned: int) -> int:
        """Return the units paid for of what is left after `returned` units went back."""
        paid = self.quantity - self.free_units
        return left_of(paid, self.quantity, returned) if returned else paid

    def net_left_minor(self, returned: int) -> int:
        """Return the net of what is left after `returned` units went back, in minor units."""
        return self.net_minor if not returned else left_of(self.net_minor, self.quantity, returned)

    def tenders_left_minor(self, returned: int) -> list[int]:
        """Return what each tender has left on the line after `returned` units went back: no part ever grows."""
        return webster(left_of(sum(self.tenders_minor), self.quantity, returned), self.tenders_minor)


class Discount(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one of our offers took off a receipt: a fact ever after."""

    offer: str
    amount_minor: int
    units: int  # that it served
    lines_minor: tuple[int, ...]  # the share of each line, in the receipt's order
    reward: str = ""
    rest: bool = False  # it took all that a limit or a budget of money had left
    voucher: str = ""  # the id of the gift card that gave the offer
    wallet: str = ""  # of the points that the reward cost
    lines_points: tuple[int, ...] = ()  # what each line's share of the reward cost
    lines_free: tuple[int, ...] = ()  # units that it gave for nothing
    hold: str = ""  # the id of the hold that kept the reward, or the voucher


class Bought(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What points bought with a receipt, and takes nothing off it: a redemption of its own, at a cost of that day."""

    reward: str
    times: int
    wallet: str
    points: int  # for all of them


class Shown(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A code of a gift card that the customer showed; the code itself is never kept."""

    gift_card_id: str  # empty: it leads to none
    last_four: str
    reason: str = ""  # why it did nothing; empty if it gave its offer


class Receipt(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What a till reports about one purchase.

    `day` and `minute` are local to the program's time zone and are worked out
    once, when the receipt is recorded; a day is the date of `occurred_at`.
    """

    store_id: str
    receipt_id: str  # unique within its store
    occurred_at: int  # microseconds since 1970, UTC
    day: int  # proleptic ordinal of the local date, as `date.toordinal`
    minute: int  # local minutes since midnight, 0 to 1439
    currency: str
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...] = ()
    codes: tuple[str, ...] = ()  # upper case, stripped, no repeats
    till_id: str = ""
    operator_id: str = ""
    discounts: tuple[Discount, ...] = ()  # ours
    shown: tuple[Shown, ...] = ()  # codes of gift cards, by last four and id
    rewards: tuple[tuple[str, int], ...] = ()  # that were asked for, with how many times
    first_owner: int = 0  # on whose timeline it was recorded first, if it counts on another: claimed, or merged
    first_number: int = 1  # its number there
    bought: tuple[Bought, ...] = ()  # by rewards that take nothing off
    unplaced: tuple[str, ...] = ()  # lines whose stored value went on no card: a till sold it offline


Returned = dict[str, int]  # line_id -> units returned so far; lines of which nothing came back are left out


def points_left(receipt: Receipt, returned: Returned, *, of_holds: bool = True) -> dict[str, int]:
    """Return the points that a receipt has taken, by wallet, less those given back; wallets of none are left out.

    What is left of a tender's points is floored from what is left of its amount, so it depends on the units
    returned alone: returns in any order sum to the whole, and none takes points. `of_holds=False` leaves out what
    was held before. What was `bought` is taken and given back by redemptions of its own.
    """
    found: dict[str, int] = {}
    for wallet, hold, left in _points(receipt, returned):
        if left and (of_holds or not hold):
            found[wallet] = found.get(wallet, 0) + left
    return found


def held_left(receipt: Receipt, returned: Returned) -> dict[str, int]:
    """Return the points that a receipt has taken out of holds, by hold, less those given back; zeros stay."""
    return {hold: left for _, hold, left in _points(receipt, returned) if hold}


def _points(receipt: Receipt, returned: Returned) -> Iterator[tuple[str, str, int]]:
    """Yield wallet, hold and points left of each tender of points and each reward."""
    for i, tender in enumerate(receipt.tenders):
        if tender.points:
            kept = sum(line.tenders_left_minor(returned.get(line.line_id, 0))[i] for line in receipt.lines)
            yield tender.wallet, tender.hold, tender.points * kept // tender.amount_minor
    for discount in receipt.discounts:
        if discount.lines_points:
            yield discount.wallet, discount.hold, rewarded_left(receipt, discount, returned)


def rewarded_left(receipt: Receipt, discount: Discount, returned: Returned) -> int:
    """Return the points that a discount's reward has taken, less those of the units that came back."""
    shares = zip(receipt.lines, discount.lines_points, strict=False)  # an offer that no reward gave has none
    return sum(left_of(points, line.quantity, returned.get(line.line_id, 0)) for line, points in shares if points)


def all_back(receipt: Receipt, returned: Returned) -> bool:
    """Return whether every unit of the receipt came back."""
    return all(returned.get(line.line_id, 0) == line.quantity for line in receipt.lines)
