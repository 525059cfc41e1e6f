"""Bodies that only HTTP knows: what is sent, and what is answered. Every class here is a form of the document.

What does not live here: the basket, the commands and the answers of the service,
which are bodies as they are.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from rewards.basket import Basket, Currency, Id, Instant, MemberRef, Minor, Name, OptionalId
from rewards.money import LARGEST
from rewards.service.answers import VersionAnswer
from rewards.service.commands import (
    AttributeValue,
    Birthday,
    Contact,
    GiftCardActivity,
    Language,
    MemberState,
    Metadata,
    OfflinePurchase,
    OfflineReturn,
    Points,
    Score,
)
from rewards.unsaid import Unsaid

_Text = Annotated[str, Meta(min_length=1, pattern=r"^[^\x00]+$")]


EventKey = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!-~]+(?!\n)$")]


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Points given (above zero) or taken (below) by staff. The address names the member."""

    wallet: Id
    points: Points
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    actor: Id
    approved_by: OptionalId = ""  # a second person, where the policy's `adjustments` asks for one
    adjustment_id: OptionalId = ""
    occurred_at: Instant | None = None


class Redemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reward of the catalogue that points are to buy. The address names the member; `points` is for an open cost."""

    reward: Id
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    points: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    occurred_at: Instant | None = None
    store_id: OptionalId = ""
    till_id: OptionalId = ""
    operator_id: OptionalId = ""


class Cancellation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a redemption is taken back, and by whom."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    actor: Id


class MemberChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to change of a member. What is left out stays; an attribute that is null is taken away."""

    state: MemberState | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    birthday: Birthday | UnsetType | None = UNSET
    attributes: Annotated[dict[Id, AttributeValue | None], Meta(max_length=50)] | UnsetType = UNSET


class ContactsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Contacts to take away and to add. A card that is taken away is lost; `issue_card` gives a new number for it."""

    remove: Annotated[tuple[Contact, ...], Meta(max_length=20)] = ()
    add: Annotated[tuple[Contact, ...], Meta(max_length=20)] = ()
    issue_card: bool = False
    actor: OptionalId = ""


class Merge(Unsaid, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The member who turns out to be the one of the address, and who says so; `reason` is for the statement."""

    member: MemberRef
    actor: Id
    reason: Name = ""


class Claim(Unsaid, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For whom a guest's purchase is to count, and the code that was printed on its receipt."""

    member: MemberRef
    claim_code: Id


class Capture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of a hold is taken: all, if neither is given. The address names the hold."""

    points: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    amount_minor: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    reason: Name = ""
    actor: OptionalId = ""


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a hold is released. The address names the hold."""

    reason: Name = ""
    actor: OptionalId = ""


class PurchaseEvent(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="purchase", tag_field="kind"
):
    """A purchase that took place while the till was offline; `lines[].offer` says which of our offers it gave."""

    idempotency_key: EventKey
    body: Basket

    def of(self) -> OfflinePurchase:
        """Return the command."""
        return OfflinePurchase(self.body)


class ReturnEvent(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="return", tag_field="kind"
):
    """A return that took place while the till was offline."""

    idempotency_key: EventKey
    body: OfflineReturn

    def of(self) -> OfflineReturn:
        """Return the command."""
        return self.body


class OfflineBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a till recorded while it was offline, in its order. Each event is read and answered by itself."""

    store_id: Id
    till_id: Id
    events: Annotated[tuple[msgspec.Raw, ...], Meta(min_length=1, max_length=1000)]


class EventResult(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of an event: the answer that it would have got by itself, or a problem document."""

    index: int
    status: int
    replayed: bool = False
    body: msgspec.Raw


class BatchAnswer(msgspec.Struct, frozen=True):
    """A result for each event, in their order."""

    results: list[EventResult]


class GiftCardCode(Unsaid, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gift card by its code, with or without blanks and dashes; in the body, so that no code stands in an address.

    Of a card that has a PIN nothing is told without it, and a wrong one counts.
    """

    code: Id
    pin: OptionalId = ""


class CodeImage(Unsaid, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A code, as it was told, and the symbol that is wanted."""

    code: Id
    form: Literal["qr", "code_128"] = "qr"


class CardActivity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What staff do with a gift card that the address names; a voucher takes `BLOCK`, `UNBLOCK` and `DEACTIVATE`.

    ACTIVATE and LOAD put on what was sold, REDEEM takes, REFUND gives back what REDEEM took; these and
    ADJUST_INCREMENT and ADJUST_DECREMENT need `amount_minor`. CASH_OUT and TRANSFER_BALANCE (`to`: the id of a card)
    take all without it, CLEAR_BALANCE always. Adjusting and clearing need `reason` and `actor`.
    """

    activity: GiftCardActivity
    amount_minor: Minor | None = None
    currency: Currency | None = None  # the program's, if it is given
    to: OptionalId = ""
    reason: Name = ""
    actor: OptionalId = ""
    approved_by: OptionalId = ""  # a second person, where the policy's `adjustments` asks for one


class Activity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a member did besides buying: an activity of the policy. The address names the member."""

    name: Id
    occurred_at: Instant
    score: Score | None = None
    metadata: Metadata = {}


class PolicyText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A policy file to be checked, as the text of its YAML."""

    policy: _Text


class PolicyToPublish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A policy to be published, and its stories, which must come out as expected first; all as texts of YAML.

    `beside` are the policies that stories publish, by file name. `from` is the first day: without it the file's
    `effective`, else tomorrow.
    """

    policy: _Text
    scenarios: _Text | None = None
    beside: Annotated[dict[Id, _Text], Meta(max_length=20)] = {}
    from_day: date | None = msgspec.field(default=None, name="from")


class PlaceAnswer(msgspec.Struct, frozen=True):
    """A second place that a finding is about."""

    line: int
    column: int
    message: str


class FindingAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A fault or an oddity of a policy file; lines and columns count from 1."""

    code: str
    severity: str  # error, warning, note
    message: str
    line: int
    column: int
    help: str = ""
    also: PlaceAnswer | None = None


class CheckAnswer(msgspec.Struct, frozen=True):
    """Whether a policy could be published, and everything that was found."""

    publishable: bool
    findings: list[FindingAnswer]


class PolicyAnswer(VersionAnswer, frozen=True):
    """A policy version with the text of its file."""

    policy: str


class VersionsAnswer(msgspec.Struct, frozen=True):
    """All published versions, newest first."""

    versions: list[VersionAnswer]


class Health(msgspec.Struct, frozen=True):
    """The server is well."""

    status: str = "ok"
