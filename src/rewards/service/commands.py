"""What a caller asks to be written, already decoded, and what comes of it.

The records are plain values: the API, `import` and scenarios build them from
their own forms. What does not live here: how a command is carried out
(`writes` and the modules it names), and HTTP.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from rewards.basket import Basket, Currency, Id, Instant, MemberRef, Minor, Name, OptionalId, Quantity
from rewards.money import LARGEST
from rewards.receipt import Receipt
from rewards.unsaid import Unsaid

Language = Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z0-9-]*$")]
Birthday = Annotated[str, Meta(max_length=10, pattern=r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$", examples=["03-27"])]
AttributeValue = bool | Annotated[int, Meta(ge=-LARGEST, le=LARGEST)] | Name
GiftCardActivity = Literal[
    "ACTIVATE",
    "ADJUST_DECREMENT",
    "ADJUST_INCREMENT",
    "BLOCK",
    "CASH_OUT",
    "CLEAR_BALANCE",
    "DEACTIVATE",
    "LOAD",
    "NEW_CODE",
    "REDEEM",
    "REFUND",
    "TRANSFER_BALANCE",
    "UNBLOCK",
]
HoldKind = Literal["code", "gift_card", "points", "reward"]
HoldId = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f/]+(?!\n)$")]  # fits an address
LONGEST_HOLD = 7 * 86_400  # seconds
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,8}(?!\n)$", examples=["4711"])]
Score = Annotated[int, Meta(ge=-1000, le=1000)]
Metadata = Annotated[dict[Id, Name], Meta(max_length=50)]
MemberState = Literal["active", "blocked"]
Points = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]


class Outcome(Unsaid, frozen=True):
    """What a command answered: the JSON body as it was stored, byte for byte.

    `status` is 201 (recorded, published), 200 (published already) or 202 (parked). `replayed` says that the
    answer is the stored one of an earlier, equal command. `import` gets empty bodies.
    """

    status: int
    body: bytes
    replayed: bool = False
    place: tuple[int, int] | None = None  # owner and event number inside, if an event was recorded


class Enrol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Enrol a member. Without `card`, a number is issued; `joined` defaults to today; `referred_by` is for ever.

    Refused with `member-exists` (Conflict) when one of the contacts is another member's.
    """

    card: Id | None = None
    phone: Id | None = None
    email: Id | None = None
    external_id: Id | None = None
    name: Name = ""
    language: Language = ""
    joined: date | None = None
    birthday: Birthday | None = None  # only month and day are kept
    attributes: Annotated[dict[Id, AttributeValue], Meta(max_length=50)] = {}  # as the policy declares them
    referred_by: MemberRef | None = None
    metadata: Metadata = {}


class ChangeMember(msgspec.Struct, frozen=True, kw_only=True):
    """Change what is known of a member; what is not set stays, and an attribute that is None is taken away.

    Birthday and attributes count from the start of today. Refused: attributes that the policy does not declare.
    """

    member_id: Id
    state: MemberState | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    birthday: Birthday | UnsetType | None = UNSET
    attributes: Annotated[dict[Id, AttributeValue | None], Meta(max_length=50)] | UnsetType = UNSET


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A card, a phone or an e-mail address: exactly one of them."""

    card: Id | None = None
    phone: Id | None = None
    email: Id | None = None


class ChangeContacts(msgspec.Struct, frozen=True, kw_only=True):
    """Add and take away contacts of a member; a card that is taken away is lost, and refused from then on."""

    member_id: Id
    remove: tuple[Contact, ...] = ()
    add: tuple[Contact, ...] = ()
    issue_card: bool = False
    actor: OptionalId = ""


class MergeMembers(msgspec.Struct, frozen=True, kw_only=True):
    """Have another member, who is the same person, be one with this one: both histories count as one from then on."""

    member_id: Id
    member: MemberRef
    actor: Id
    reason: Name = ""


class RecordPurchase(msgspec.Struct, frozen=True):
    """Record a purchase that took place."""

    basket: Basket


class ClaimPurchase(Unsaid, frozen=True, kw_only=True):
    """Have a guest's purchase count for a member: by the code that was printed on the receipt."""

    purchase_id: Id
    member: MemberRef
    claim_code: Id


class OfflinePurchase(RecordPurchase, frozen=True):
    """Record a purchase of a till that was offline: a fact, whatever we would have decided."""


class ReturnOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The purchase that goods come back from: by its id, or by store and receipt number."""

    purchase_id: Id | None = None
    store_id: Id | None = None
    receipt_id: Id | None = None


class ReturnLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many units of a line come back."""

    line_id: Id
    quantity: Quantity


class PreparedPurchase(msgspec.Struct, frozen=True):
    """A purchase without tenders, quote and gift cards, with what follows from its basket alone: see `prepared`."""

    member: MemberRef | None
    metadata: Metadata
    print_: bytes  # of the purchase as it was asked
    receipt: Receipt  # before our offers
    body: bytes  # the receipt, packed
    lines: bytes  # the receipt's lines as an answer tells them, in JSON
    sums: tuple[int, int, int, int, int]  # `sums.sums_of` the receipt


class RecordReturn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Record a return: `all` that is left, or `lines`. `of: None` is a refund without a receipt: counted, no points."""

    return_id: Id
    store_id: Id
    till_id: OptionalId = ""
    operator_id: OptionalId = ""
    occurred_at: Instant
    of: ReturnOf | None = None
    all: bool = False
    lines: Annotated[tuple[ReturnLine, ...], Meta(max_length=2000)] = ()
    reason: Name = ""


class OfflineReturn(RecordReturn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Record a return of a till that was offline: a fact, also where more came back than is left."""


class Adjust(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Give (`points` above zero) or take (below) points, by staff, with a reason and an actor."""

    member: MemberRef
    wallet: Id
    points: Points
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    actor: Id
    approved_by: OptionalId = ""  # a second person, where the policy's `adjustments` asks for one
    adjustment_id: OptionalId = ""  # the caller's own; unique within the member
    occurred_at: Instant | None = None
    may_owe: bool = False  # take more than there is: the rest becomes a debt (opening balances of other systems)


class IssueGiftCard(Unsaid, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Issue a gift card of a product of the policy, to a member or to whoever holds its code.

    `amount_minor` is what is on a paid card (without it, it does nothing until ACTIVATE says how much) or on a
    promotional one (without it, the policy's `value`). `pin`: without it, too, the card can't be spent or looked up.
    """

    product: Id
    member: MemberRef | None = None
    amount_minor: Minor | None = None
    currency: Currency | None = None  # the program's, if it is given
    pin: Pin | None = None
    actor: OptionalId = ""
    occurred_at: Instant | None = None


class ActOnGiftCard(msgspec.Struct, frozen=True, kw_only=True):
    """Do something with a gift card. Where an amount may be left out, it is all that is on the card.

    NEW_CODE answers one more code for it.
    """

    gift_card_id: Id
    activity: GiftCardActivity
    amount_minor: Minor | None = None
    currency: Currency | None = None  # the program's, if it is given
    to: OptionalId = ""  # TRANSFER_BALANCE: the id of the card that gets it
    reason: Name = ""
    actor: OptionalId = ""
    approved_by: OptionalId = ""  # a second person, where the policy's `adjustments` asks for one


class OpenHold(Unsaid, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Set something aside, for as many seconds at most, so that nothing else can take it.

    `points` of a member's `wallet` (as many, or as pay `amount_minor`), money of a `gift_card` (its `code`, and its
    `pin` if it has one), what a `reward` costs the member, so many `times`, or a voucher by its `code`.
    """

    hold_id: HoldId
    kind: HoldKind
    store_id: OptionalId = ""
    till_id: OptionalId = ""
    operator_id: OptionalId = ""
    member: MemberRef | None = None
    wallet: OptionalId = ""
    points: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    amount_minor: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    currency: Currency | None = None  # the program's, if it is given
    code: OptionalId = ""
    pin: OptionalId = ""
    reward: OptionalId = ""
    times: Annotated[int, Meta(ge=1, le=100)] | None = None  # 1, if it is left out
    expires_in_seconds: Annotated[int, Meta(ge=1, le=LONGEST_HOLD)] = 900


class CaptureHold(msgspec.Struct, frozen=True, kw_only=True):
    """Take what is held, or a part of it; the rest is released."""

    hold_id: Id
    points: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    amount_minor: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    reason: Name = ""
    actor: OptionalId = ""


class VoidHold(msgspec.Struct, frozen=True, kw_only=True):
    """Release what is held."""

    hold_id: Id
    reason: Name = ""
    actor: OptionalId = ""


class ShowGiftCards(Unsaid, frozen=True):
    """Prove by code and PIN that one has these cards; what is wrong counts. Answers the one card of a look-up.

    `codes` of a quote are looked up beside them, under the policy of the day of an instant: wrong ones count too.
    """

    cards: tuple[tuple[str, str], ...]
    pointers: tuple[str, ...] = ("/code",)
    codes: tuple[str, ...] = ()
    at: int = 0


class RecordActivity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Record what a member did besides buying: one of the policy's activities that come by call."""

    member: MemberRef
    name: Id
    occurred_at: Instant
    score: Score | None = None  # of a survey or a review, as the caller counts it
    metadata: Metadata = {}


class Redeem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Have points buy a reward outside a basket. `points` is for an open cost, and says how many."""

    member: MemberRef
    reward: Id
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    points: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    occurred_at: Instant | None = None
    store_id: OptionalId = ""
    till_id: OptionalId = ""
    operator_id: OptionalId = ""


class CancelRedemption(msgspec.Struct, frozen=True, kw_only=True):
    """Take a redemption back: its points return to their lots, but for what of a gift card was used up."""

    member_id: Id
    redemption_id: Id
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    actor: Id


class BookDue(msgspec.Struct, frozen=True):
    """Book what is due by itself for some members (numbers inside) up to an instant (microseconds, UTC)."""

    owners: tuple[int, ...]
    until: int


class Publish(msgspec.Struct, frozen=True):
    """Publish a policy file's bytes, in force from a local midnight to come.

    `from_day` wins over the file's own `effective`; without both, tomorrow. The first
    version of an empty database is in force at once, and judges the days before it too.
    """

    data: bytes
    from_day: date | None = None
    name: str = "policy.yaml"  # for diagnostics


Command = (
    Enrol
    | ChangeMember
    | ChangeContacts
    | MergeMembers
    | RecordPurchase
    | PreparedPurchase
    | OfflinePurchase
    | ClaimPurchase
    | RecordReturn
    | OfflineReturn
    | Adjust
    | RecordActivity
    | Redeem
    | CancelRedemption
    | BookDue
    | IssueGiftCard
    | ActOnGiftCard
    | ShowGiftCards
    | OpenHold
    | CaptureHold
    | VoidHold
    | Publish
)
