"""What the service answers of rewards: the catalogue, redemptions, and gift cards that are taken back.

What does not live here: the rest of what is answered (`answers`).
"""

from __future__ import annotations

import msgspec

from rewards.service.balance_answers import WalletBalance


class RewardWithin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reward of the catalogue: how many times the points that are available buy it, else how many are short."""

    reward: str
    title: str
    wallet: str
    cost: int  # of an open cost the least
    times: int  # 0 also if `not_now` says why
    short: int
    gives: str  # offer, item, gift_card
    step: int = 0  # of an open cost: any whole number of these, `cost` or more
    most: int = 0  # of an open cost: the most points that it takes now; its `times` is 1, or 0
    value_minor: int = 0  # of what `cost` points give, where it is money's worth
    not_now: str = ""  # the condition or limit that keeps it back, whatever the points


class VoidedAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A gift card that is taken back: what was left is voided, what was spent is told.

    A returned line had sold it, or a rule or reward (`giver`) had given it; then `line_id` is empty. A voucher holds no
    money: `used` says that it could not be taken back.
    """

    line_id: str
    gift_card_id: str
    last_four: str
    voided_minor: int
    spent_minor: int
    giver: str = ""
    used: bool = False


class RedemptionAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A reward that points bought outside a basket."""

    redemption_id: str
    member_id: str
    reward: str
    title: str = ""
    times: int
    wallet: str
    points: int
    lots: list[dict[str, object]]  # {lot, points, expires_at}: where the points came from
    occurred_at: str
    policy_version: str
    item: str = ""  # what the shop hands out
    value_minor: int = 0  # what it is worth, if the policy says so
    gift_cards_issued: list[dict[str, object]] = []
    balance: dict[str, WalletBalance] = {}


class CancellationAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A redemption that was cancelled: the points that came back, and those that stay spent for what was used up."""

    redemption_id: str
    member_id: str
    state: str  # cancelled
    reward: str
    wallet: str
    restored: int
    kept: int = 0
    lots: list[dict[str, object]]  # into which the points went
    gift_cards_voided: list[VoidedAnswer] = []
    reason: str
    actor: str
    occurred_at: str
    balance: dict[str, WalletBalance] = {}


class RedeemedAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reward that was bought with a purchase and took nothing off it; of a quote without its id."""

    reward: str
    times: int
    wallet: str
    points: int
    redemption_id: str = ""
    title: str = ""
    item: str = ""
    value_minor: int = 0
