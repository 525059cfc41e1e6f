"""What the service answers, field by field as callers see it.

Money is in minor units, points are whole, instants are RFC 3339 text in the
program's time zone. What does not live here: how an answer is worked out.
"""

from __future__ import annotations

import msgspec

from rewards.service.balance_answers import TierAnswer, WalletBalance, WalletDetail
from rewards.service.reward_answers import CancellationAnswer, RedeemedAnswer, RewardWithin, VoidedAnswer
from rewards.unsaid import Unsaid


class VoucherAnswer(Unsaid, frozen=True, kw_only=True):
    """A voucher: the offer that it gives, once."""

    gift_card_id: str
    product: str
    offer: str
    title: str  # the offer's
    last_four: str
    expires_at: str | None


class Ending(msgspec.Struct, frozen=True):
    """Money on a card that ends together."""

    amount_minor: int
    expires_at: str


class GiftCardAnswer(VoucherAnswer, frozen=True, kw_only=True):
    """A gift card as it is now. `code` is told once, when the card is issued, and never kept.

    `offer` and `title` are a voucher's; what follows `issued_at` is told of cards that hold money.
    """

    kind: str  # voucher, paid, promotional
    state: str  # inactive, active, used, expired, blocked, locked (by wrong PINs), deactivated
    member_id: str | None
    personal: bool  # only its member may use it
    issued_at: str
    currency: str | msgspec.UnsetType = msgspec.UNSET
    balance_minor: int | msgspec.UnsetType = msgspec.UNSET
    expiries: list[Ending] | msgspec.UnsetType = msgspec.UNSET  # what of the balance ends, soonest first
    has_pin: bool | msgspec.UnsetType = msgspec.UNSET
    held_minor: int | msgspec.UnsetType = msgspec.UNSET  # by open holds, beside the balance
    code: str | msgspec.UnsetType = msgspec.UNSET


class MoneyCard(msgspec.Struct, frozen=True):
    """A card of money that was issued to a member."""

    gift_card_id: str
    product: str
    kind: str  # paid, promotional
    last_four: str
    currency: str
    balance_minor: int
    expires_at: str | None  # when the first of it ends
    held_minor: int = 0  # by open holds, beside the balance


class RestoredAnswer(msgspec.Struct, frozen=True):
    """A voucher that was given back."""

    gift_card_id: str
    last_four: str
    offer: str


class BalanceAnswer(msgspec.Struct, frozen=True):
    """What a member has, per wallet, exact at `at`."""

    member_id: str
    at: str
    wallets: dict[str, WalletDetail]
    tier: TierAnswer | None = None  # of the day; None where the policy has no tiers
    vouchers: list[VoucherAnswer] = []  # to hand, the soonest ending first
    rewards: list[RewardWithin] = []  # the catalogue: what is within reach, the dearest first, then what is next
    gift_cards: list[MoneyCard] = []  # with money on them, the soonest ending first


class LinePoints(msgspec.Struct, frozen=True):
    """A line's part of an award."""

    line_id: str
    points: int


class AwardAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points that a rule gave on a day through this event, with the reason."""

    rule: str
    wallet: str
    points: int
    day: str
    why: str
    title: str = ""
    available_at: str | None = None
    expires_at: str | None = None
    lines: list[LinePoints] = []


class LineAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line with what was decided about its price."""

    line_id: str
    gross_minor: int
    discount_minor: int
    net_minor: int
    paid_by_points_minor: int
    paid_by_promotional_minor: int
    returned: int = 0
    tenders: list[dict[str, int]] = []  # {tender, amount_minor}, when several paid


class Totals(msgspec.Struct, frozen=True):
    """The receipt's sums; `earned` and `spent` by wallet."""

    gross_minor: int
    discount_minor: int
    net_minor: int
    payable_minor: int
    due_minor: int
    earned: dict[str, int]
    spent: dict[str, int]


class NotApplied(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule one condition short: which, and by how much."""

    rule: str
    condition: str
    why: str
    short_minor: int = 0
    short: int = 0


class CodeRefused(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code that did nothing, with its reason; of a gift card's code only the last four symbols are told."""

    code: str
    reason: str
    gift_card_id: str = ""


class LineAmount(msgspec.Struct, frozen=True):
    """A line's part of a discount."""

    line_id: str
    amount_minor: int


class DiscountAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one of our offers took off, with the reason."""

    offer: str
    amount_minor: int
    lines: list[LineAmount]
    why: str
    title: str = ""
    gift_card_id: str = ""  # the voucher that gave it
    reward: str = ""  # that gave it, for so many points of a wallet
    wallet: str = ""
    points: int = 0


class ClaimAnswer(Unsaid, frozen=True):
    """What a guest needs to have a purchase counted for a member: the code to print, and until when."""

    code: str
    until: str


class PurchaseAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A recorded purchase, or a quote of one (then without `purchase_id`)."""

    purchase_id: str = ""
    quote: str = ""
    quote_until: str = ""
    policy_version: str
    currency: str
    member_id: str | None
    occurred_at: str
    totals: Totals
    lines: list[LineAnswer]
    discounts: list[DiscountAnswer]
    awards: list[AwardAnswer]
    tenders: list[dict[str, object]] = []  # {kind, amount_minor, wallet, points, lots}, if one is ours
    not_applied: list[NotApplied]
    codes_refused: list[CodeRefused]
    gift_cards_issued: list[dict[str, object]]
    gift_cards_voided: list[VoidedAnswer] = []  # that a rule gave on another day, and does no longer
    balance: dict[str, WalletBalance]
    would_earn: dict[str, int] = {}  # for guests
    rewards: list[RewardWithin] = []  # of a quote: the catalogue before this purchase
    points_usable: dict[str, dict[str, int]] = {}  # of a quote: by wallet the most that may pay, {points, amount_minor}
    redemptions: list[RedeemedAnswer] = []  # rewards bought with it that take nothing off
    claim: ClaimAnswer | None = None  # for guests; told to the till alone, not when the purchase is read again
    adjustments: list[EntryAnswer] = []  # later entries about this purchase, when it is read again
    warnings: list[dict[str, object]] = []


class ClaimedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's purchase that now counts for a member: what it earned there, with the reasons."""

    purchase_id: str
    member_id: str
    earned: dict[str, int]
    awards: list[AwardAnswer]
    gift_cards_issued: list[dict[str, object]]  # by rules
    balance: dict[str, WalletBalance]


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an entry changed for one rule on one day."""

    wallet: str
    points: int
    why: str
    rule: str = ""
    title: str = ""
    day: str = ""
    gift_card: str = ""  # the product of cards that the rule gave, and no points; below zero: that were taken back
    count: int = 0


class EntryAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of a statement."""

    entry: int
    kind: str  # purchase, return, activity, redemption, cancellation, hold, expiry, adjustment, merge
    occurred_at: str
    recorded_at: str
    points: dict[str, int]  # net change of what the member has, by wallet
    changes: list[Change]
    purchase_id: str = ""
    return_id: str = ""
    store_id: str = ""
    receipt_id: str = ""
    reason: str = ""
    actor: str = ""
    approved_by: str = ""
    activity: str = ""
    hold_id: str = ""
    score: int | None = None
    member_id: str = ""  # of a merge: the other member
    redemption_id: str = ""
    reward: str = ""


class StatementAnswer(msgspec.Struct, frozen=True):
    """A page of entries, newest first."""

    member_id: str
    entries: list[EntryAnswer]
    next_cursor: str | None


class ReturnedLine(msgspec.Struct, frozen=True):
    """What of a line came back."""

    line_id: str
    quantity: int
    gross_minor: int
    discount_minor: int
    net_minor: int


class ReturnAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A recorded return: the refund by tender, and what it took back."""

    return_id: str
    purchase_id: str = ""
    state: str = "booked"  # booked, or parked until its purchase arrives
    policy_version: str = ""
    lines: list[ReturnedLine] = []
    refund: list[dict[str, object]] = []  # {tender, kind, amount_minor}; of points also {wallet, points, lots}
    refund_due_minor: int = 0
    restored: dict[str, int] = {}  # points given back, by wallet: those that paid and those that rewards cost
    deducted: list[dict[str, object]] = []  # {wallet, points, amount_minor}: off the refund, for points that are gone
    taken_back: list[AwardAnswer] = []
    vouchers_restored: list[RestoredAnswer] = []  # by the return of everything
    gift_cards_voided: list[VoidedAnswer] = []  # that the returned lines had sold, or rewards of the purchase given
    redemptions_cancelled: list[CancellationAnswer] = []  # of rewards that were bought with it, by the return of all
    gift_cards_issued: list[dict[str, object]] = []  # as `given`, by rules that give cards
    given: list[AwardAnswer] = []  # a return can also add, e.g. when it restores an absence
    still_returnable: list[dict[str, object]] = []  # {line_id, quantity}
    waits_for: dict[str, str] = {}
    balance: dict[str, WalletBalance] = {}
    warnings: list[dict[str, object]] = []  # {code, detail, pointer}: recorded all the same


class MemberAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A member as enrolled."""

    member_id: str
    joined: str
    state: str  # active, blocked
    cards: list[str] = []
    replaced_cards: list[str] = []  # that were lost: nobody can use them
    phones: list[str] = []
    emails: list[str] = []
    external_id: str = ""
    name: str = ""
    language: str = ""
    birthday: str = ""  # month and day, 03-27
    attributes: dict[str, str | int | bool] = {}
    merged_ids: list[str] = []  # of members who turned out to be this one; their ids lead here


class VersionAnswer(msgspec.Struct, frozen=True):
    """A published policy version and the local date from which it is in force."""

    policy_version: str
    effective: str
    published_at: str
    in_force: bool


class ActivityAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A recorded activity: what it gave and why, or why it gave nothing."""

    member_id: str
    name: str
    occurred_at: str
    day: str
    policy_version: str
    earned: dict[str, int]  # by wallet, zeros left out
    awards: list[AwardAnswer]
    gift_cards_issued: list[dict[str, object]] = []
    not_given: list[NotApplied]  # empty if it gave something
    balance: dict[str, WalletBalance] = {}
