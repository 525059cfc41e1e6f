"""Stories as they are played: steps with the commands that they send and what they expect.

What does not live here: YAML and its faults (`read`, `steps`), and playing (`play`).
Instants are microseconds since 1970, UTC; money is in minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rewards.basket import Basket
from rewards.policy.model import Policy
from rewards.service.commands import (
    Adjust,
    CaptureHold,
    GiftCardActivity,
    IssueGiftCard,
    OpenHold,
    Publish,
    RecordActivity,
    RecordReturn,
    Redeem,
    VoidHold,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """Ask what a basket would get; `vouchers` are names of cards, `sold` those of the cards that lines sell."""

    basket: Basket
    vouchers: tuple[str, ...] = ()
    sold: dict[str, str] = field(default_factory=dict)  # by line


@dataclass(frozen=True, slots=True)
class ReadBalance:
    """Read a member's balance at the step's time."""


@dataclass(frozen=True, slots=True)
class Buy:
    """A purchase; without tenders, what is due is paid in cash. `quoted` names the quote that it brings."""

    basket: Basket
    quoted: str = ""
    vouchers: tuple[str, ...] = ()
    sold: dict[str, str] = field(default_factory=dict)  # by line


@dataclass(frozen=True, slots=True)
class Issue:
    """Issue a gift card, which later steps know by its name."""

    name: str
    command: IssueGiftCard


@dataclass(frozen=True, slots=True)
class UseCard:
    """Read a gift card by its code, after doing something with it if `do` is an activity."""

    name: str
    do: GiftCardActivity | None = None
    amount_minor: int | None = None
    to: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """An activity, sent under a key."""

    command: RecordActivity
    key: str


@dataclass(frozen=True, slots=True)
class Spend:
    """A redemption, which later steps know by its name; `card` is the story's name for the first card that it gives."""

    command: Redeem
    name: str
    card: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The cancellation of a redemption, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Set something aside; of a gift card or a voucher, the one of a name."""

    command: OpenHold
    card: str = ""


Action = (
    Buy
    | Quote
    | RecordReturn
    | Adjust
    | Act
    | Spend
    | TakeBack
    | Issue
    | UseCard
    | Hold
    | CaptureHold
    | VoidHold
    | ReadBalance
    | Publish
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member that every story of the file knows; `joined` is an ordinal, balances are by wallet."""

    name: str
    contacts: dict[str, str] = field(default_factory=dict)
    joined: int | None = None
    balances: dict[str, int] = field(default_factory=dict)
    birthday: str | None = None
    referred_by: str = ""
    attributes: dict[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens, and what must come of it."""

    number: int  # within the story, from 1
    line: int  # of the file
    says: str  # verb and name, as in `purchase r1`
    at: int
    arrives: int
    action: Action
    owner: str | None  # the member whose balance is looked at
    expect: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Steps in the order in which they arrive; `name` holds the row of a table, if there is one."""

    name: str
    line: int
    steps: list[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """A scenario file, with the policy that it tests."""

    file: str
    policy: Policy
    source: bytes  # of the policy
    members: dict[str, Member]
    stories: list[Story]
