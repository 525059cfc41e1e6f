"""Records of the compiled policy about terms: of points, of tiers, of gift cards, of returns, of what staff do alone.

What does not live here: rules and offers (`model`, which hands these on).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rewards.days import Duration, Window

if TYPE_CHECKING:
    from rewards.policy.model import Condition, Selection

Text = dict[str, str]  # by language tag; a text without languages stands under ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """When a lot ends; at least one of `after` and `at`."""

    after: Duration | None = None
    at: Literal["end_of_month", "end_of_quarter", "end_of_year"] | None = None
    since: Literal["earned", "available", "last_visit"] = "earned"


@dataclass(frozen=True, slots=True)
class Liability:
    """Finance's estimate: so many points are worth so much (minor units)."""

    points: int
    worth_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pays:
    """How points pay at the till: `points` of them buy `buys_minor`, and every whole `step` buys whole minor units."""

    points: int
    buys_minor: int
    minimum: int  # the least a receipt takes; a whole number of steps
    step: int
    at_most: tuple[int, int] = (1, 1)  # numerator and denominator of the share of a receipt's net

    def most(self, available: int, net_minor: int, due_minor: int) -> int:
        """Return the most points that a receipt takes of those available; 0 if that is below the minimum."""
        numerator, denominator = self.at_most
        room = min(net_minor * numerator // denominator, due_minor)
        points = min(available, room * self.points // self.buys_minor) // self.step * self.step
        return points if points >= self.minimum else 0

    def worth_minor(self, points: int) -> int:
        """Return what points buy in minor units, floored; exact for whole steps."""
        return points * self.buys_minor // self.points


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """One kind of points."""

    key: str  # the plural
    one: str
    title: Text = field(default_factory=dict)
    round: Literal["down", "half_up", "up"] = "down"
    pending: Duration | None = None
    expires: Expiry | None = None
    pays: Pays | None = None
    liability: Liability | None = None

    @property
    def value(self) -> tuple[int, int] | None:
        """So many points are worth so much in minor units: what they buy, else finance's estimate; None if neither."""
        if self.pays is not None:
            return self.pays.points, self.pays.buys_minor
        return (self.liability.points, self.liability.worth_minor) if self.liability is not None else None

    def __hash__(self) -> int:
        """Hash by the key alone: wallets are looked up with every lot."""
        return hash(self.key)


@dataclass(frozen=True, slots=True)
class RewardLimit:
    """At most so often, or for so many points, in each `per` window: of one member."""

    what: Literal["times", "points"]
    amount: int
    per: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What points buy: an offer, an item or a gift card, exactly one of them.

    A fixed cost is `points` each time. An open one (`step` above 0) is any whole number of steps that is at least
    `points`, itself one.
    """

    id: str
    title: Text = field(default_factory=dict)
    wallet: str
    points: int
    step: int = 0
    offer: str = ""
    item: str = ""
    gift_card: str = ""  # the product
    value: tuple[int, int] | None = None  # so many minor units for each so many points; None: as the product says
    when: tuple[Condition, ...] = ()
    limits: tuple[RewardLimit, ...] = ()
    automatic: Literal["end_of_month", "end_of_quarter", "end_of_year"] | None = None  # comes by itself then

    def value_minor(self, points: int) -> int | None:
        """Return what so many points give in minor units; None if nothing says so."""
        return None if self.value is None else points * self.value[0] // self.value[1]


@dataclass(frozen=True, slots=True)
class GivenCard:
    """A gift card that a rule gives each time: the product, and what is on it (minor units; 0 for a voucher)."""

    product: str
    value_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """What the shop promises about goods that come back."""

    accept_within: Duration = Duration(90, "days")  # noqa: RUF009  frozen
    spent_points: Literal["debt", "deduct_from_refund"] = "debt"
    restored_points_last: Duration = Duration(14, "days")  # noqa: RUF009  frozen


@dataclass(frozen=True, slots=True)
class AloneLimit:
    """The most that one member of staff gives or takes without a second person."""

    wallet: str  # empty: money on gift cards, in minor units
    most: int
    per: Literal["adjustment", "day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """Levels by what a member spent, how often they came, or what points they earned.

    The level of a day is decided by what is measured up to and with the day before, and by what was promised to be
    kept; it is held all day.
    """

    by: str  # spend, visits, or a wallet: points that rules gave in it
    measure: Window | Duration  # week or longer
    levels: tuple[tuple[str, int], ...]  # name and least amount (minor units, visits or points), lowest first, from 0
    keep: Duration | Literal["until_end_of_year", "until_end_of_next_year"] | None = None
    fall: Literal["to_what_was_earned", "one_level"] = "to_what_was_earned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """How far a policy may fall short of fairness, with its owner's reason; which figure counts is the key's matter."""

    because: str
    points: int = 0
    wallet: str = ""  # of the points
    minor: int = 0
    share: tuple[int, int] = (0, 1)  # numerator, denominator
    names: tuple[str, ...] = ()  # facts about members, or rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """What the owner promises and accepts; it changes nothing of what the policy gives."""

    promise: tuple[str, ...] = ()
    accept: dict[str, Accepted] = field(default_factory=dict)  # by key: `cliff`, `dead_zone`, …


@dataclass(frozen=True, slots=True)
class Loads:
    """What one load of a paid card may be, in minor units: from `least` to `most`, or one of `amounts`."""

    least: int
    most: int
    amounts: tuple[int, ...] = ()

    def takes(self, minor: int) -> bool:
        """Return whether a card may be loaded with so much at once."""
        return minor in self.amounts if self.amounts else self.least <= minor <= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftCard:
    """A product that is issued card by card, each with a code of its own.

    A voucher gives an offer, once; a paid card holds money that was sold, a promotional one money that was given.
    """

    id: str
    kind: Literal["voucher", "paid", "promotional"]
    offer: str = ""  # of a voucher
    load: Loads | None = None  # paid; None: any amount
    value: int | None = None  # promotional, minor units; None: whoever gives it says how much
    max_balance: int | None = None  # minor units
    not_on: Selection | None = None  # lines that its money does not pay
    vat: Literal["single_purpose", "multi_purpose"] | None = None  # for the report; changes nothing here
    expires: Expiry | None = None  # counted from the day of issue; money from the day on which it was loaded
    to: Literal["bearer", "member"] = "bearer"  # who may use it
