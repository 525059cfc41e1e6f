"""The compiled policy: plain frozen records that the engine reads.

What does not live here: YAML, positions, diagnostics (`source`, `schema`,
`compile`), what a rule gives (`engine`), the terms of points and tiers (`terms`),
and conditions on members (`condition_model`). Money is in minor units, dates are
ordinals of the proleptic calendar, minutes are local minutes of a day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

from rewards.days import Duration, Window
from rewards.policy.activity_model import Activity, EachTime
from rewards.policy.condition_model import (
    Anniversary,
    Birthday,
    FirstPurchase,
    HasAttribute,
    HasCode,
    InTier,
    MemberFor,
    NoVisitFor,
    NthVisit,
    Referred,
)
from rewards.policy.terms import (
    Accepted,
    AloneLimit,
    Expiry,
    Fairness,
    GiftCard,
    GivenCard,
    Liability,
    Loads,
    Pays,
    Returns,
    Reward,
    RewardLimit,
    Text,
    Tiers,
    Wallet,
)

__all__ = [
    "ALL",
    "Accepted",
    "AmountIs",
    "AmountOff",
    "Amounts",
    "Anniversary",
    "Birthday",
    "Condition",
    "EarningRule",
    "Eligible",
    "Expiry",
    "Fairness",
    "FirstPurchase",
    "FixedPrice",
    "Flat",
    "Free",
    "GiftCard",
    "GivenCard",
    "HasAttribute",
    "HasCode",
    "InTier",
    "Liability",
    "Limit",
    "Loads",
    "Match",
    "MemberFor",
    "NoVisitFor",
    "Not",
    "NthVisit",
    "Offer",
    "OfferGroup",
    "Pays",
    "PercentOff",
    "Policy",
    "Rate",
    "Referred",
    "Returns",
    "Reward",
    "RewardLimit",
    "Schedule",
    "Selection",
    "Text",
    "Tiers",
    "Times",
    "UseLimit",
    "Wallet",
]

Amounts = Literal["spend", "units", "visits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A set of lines: each key that is given must hold."""

    skus: frozenset[str] | None = None
    categories: frozenset[str] | None = None  # any of the line's categories is one of these
    attributes: tuple[tuple[str, frozenset[str | int | bool]], ...] = ()  # declared line attributes, any of the values
    price_at_least: int | None = None  # of the unit: gross_minor // quantity; ends included
    price_at_most: int | None = None
    stored_value: frozenset[str] | None = None  # gift card products; None selects no stored value at all
    excluding: Selection | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Lines that any of the matches selects. `ALL` is every line that sells no stored value."""

    any_of: tuple[Match, ...]


ALL = Selection((Match(),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When and where a receipt counts; every part that is given must hold.

    With hours past midnight, a receipt after midnight belongs to the day on
    which the hours started: `days`, `dates`, `starts` and `ends` look at that day.
    """

    starts: int | None = None  # first day
    ends: int | None = None  # last day, included
    days: frozenset[int] | None = None  # 0 is Monday
    dates: frozenset[int] | None = None
    hours: tuple[int, int] | None = None  # minutes; start counts, end does not; start > end goes past midnight
    stores: frozenset[str] | None = None


# Conditions. `of` a condition on amounts is the selection it reads; None is the rule's own `on`.


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountIs:
    """Spend (minor units), units or visits within bounds, both ends included.

    With `within`: over the days up to and with today (days: the last so many;
    months: the days after the same day so many months ago); gates the day.
    Without: over the rule's measure window. `visits` always gates the day; `spend`
    and `units` without `within` are then part of what the rule measures
    (`at_least` only), per receipt if the rule measures receipts.
    """

    what: Amounts
    at_least: int | None = None
    at_most: int | None = None
    within: Duration | None = None
    of: Selection | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """Holds unless all of the conditions hold."""

    all_of: tuple[Condition, ...]


Condition = (
    FirstPurchase
    | NthVisit
    | NoVisitFor
    | MemberFor
    | AmountIs
    | HasCode
    | HasAttribute
    | Birthday
    | Anniversary
    | InTier
    | Referred
    | Not
)


@dataclass(frozen=True, slots=True)
class Rate:
    """`give` points for every `every` of spend (minor units), units or visits of the measure window."""

    what: Amounts
    every: int
    give: int


@dataclass(frozen=True, slots=True)
class Flat:
    """`give` points once for each measure window with selected spend above zero."""

    give: int


@dataclass(frozen=True, slots=True)
class Times:
    """`factor - 1` times what the base rules' rates give on lines that both select.

    The factor is `numerator / denominator`, above 1. Rounded once for the
    sum over all bases. Bases are rates by spend or units, of one wallet.
    """

    numerator: int
    denominator: int
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `points` by this rule in each `per` window (`times: k` is k times what the rule gives at once)."""

    points: int
    per: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRule:
    """A standing rule that gives points of one wallet, or gift cards: then its points are cards, and of no wallet."""

    id: str
    title: Text = field(default_factory=dict)
    wallet: str  # empty: it gives cards
    card: GivenCard | None = None
    gives: Rate | Flat | Times | EachTime
    on: Selection = ALL
    on_name: str = ""  # the name the author gave the selection, for explanations
    schedule: Schedule | None = None
    paid_with: frozenset[str] | None = None
    when: tuple[Condition, ...] = ()
    measure: Window = "day"
    remainder: Literal["carry", "drop"] = "carry"
    limits: tuple[Limit, ...] = ()
    choose: str | None = None
    meaning: str  # hash of everything but texts; for `Times` of its bases too; equal meaning carries progress over


@dataclass(frozen=True, slots=True)
class PercentOff:
    """A share of what the lines cost when the stage begins: `numerator / denominator`, above 0, at most 1."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class AmountOff:
    """So many minor units off: once for the whole selection of a receipt, or off each unit."""

    minor: int
    per_unit: bool = False


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """Each unit costs so many minor units, if it costs more."""

    minor: int


@dataclass(frozen=True, slots=True)
class Free:
    """Of n selected units `units * (n // of_every)` (without `of_every`: `units`) get the share `off` off.

    Picked are the cheapest or the dearest of all n, by what a unit costs before our discounts.
    """

    units: int
    of_every: int | None = None
    pick: Literal["cheapest", "dearest"] = "cheapest"
    off: tuple[int, int] = (1, 1)  # numerator, denominator


@dataclass(frozen=True, slots=True)
class UseLimit:
    """At most so many uses, units or minor units in each `per` window: of a member, or of all buyers together."""

    what: Literal["times", "units", "money"]
    amount: int
    per: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Changes the price now."""

    id: str
    title: Text = field(default_factory=dict)
    on: Selection | None = None  # None: every eligible line
    on_name: str = ""  # the name the author gave the selection, for explanations
    stage: Literal["item", "basket"] = "item"
    gives: PercentOff | AmountOff | FixedPrice | Free
    schedule: Schedule | None = None
    when: tuple[Condition, ...] = ()  # amounts without `within` are of the receipt
    at_most: int | None = None  # minor units of discount, per receipt
    limits: tuple[UseLimit, ...] = ()  # of a member, or of one receipt
    budgets: tuple[UseLimit, ...] = ()  # of all buyers together; never per receipt, which is a limit
    only_by: Literal["reward", "voucher"] | None = None  # never by itself
    funded_by: str = ""  # empty: the shop
    choose: str | None = None
    meaning: str  # hash of everything but texts


@dataclass(frozen=True, slots=True)
class OfferGroup:
    """Offers that compete: one for the whole receipt, or one for each line."""

    name: str
    of: Literal["line", "receipt"] = "receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """What counts: every rule's selection is cut with it, and a visit is a day with such spend above zero."""

    excluding: Selection | None = None
    before_discounts: bool = False  # our own discounts; the till's are always off
    tax_included: bool = True
    points_count: bool = False  # the part that points and promotional money paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of a program's rules."""

    version: str  # sha256:… of the file's bytes
    program: str
    title: Text
    currency: str
    decimals: int  # of the currency
    timezone: str
    zone: ZoneInfo
    country: str | None = None
    effective: int | None = None
    line_attributes: dict[str, frozenset[str] | Literal["boolean", "text", "integer"]] = field(default_factory=dict)
    member_attributes: dict[str, frozenset[str] | Literal["boolean", "text", "integer"]] = field(default_factory=dict)
    wallets: dict[str, Wallet]
    eligible: Eligible = Eligible()
    tiers: Tiers | None = None
    rules: dict[str, EarningRule]  # those of activities too, by their names
    groups: tuple[str, ...] = ()  # names in `choose`; an earning group keeps the best of its members
    returns: Returns = Returns()  # noqa: RUF009  frozen
    adjustments: tuple[AloneLimit, ...] = ()
    activities: dict[str, Activity] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    offer_groups: dict[str, OfferGroup] = field(default_factory=dict)
    gift_cards: dict[str, GiftCard] = field(default_factory=dict)
    rewards: dict[str, Reward] = field(default_factory=dict)
    fairness: Fairness | None = None
