"""What a till says about a purchase, and how it becomes a `Receipt`.

The records are the request bodies' own form, so that the API, `import` and
scenarios speak the same words. What does not live here: who the member is and
what is earned. Shares of the receipt's discount and of the tenders are laid on
lines once, here, and are facts ever after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from rewards.days import instant
from rewards.errors import Conflict, InvalidRequest
from rewards.money import LARGEST, largest_remainder
from rewards.receipt import Line, Receipt, Tender
from rewards.unsaid import Unsaid

ID_PATTERN = r"^[^\x00-\x1f\x7f]+(?!\n)$"
OPTIONAL_ID_PATTERN = r"^[^\x00-\x1f\x7f]*(?!\n)$"
NAME_PATTERN = r"^[^\x00]*$"
Id = Annotated[str, Meta(min_length=1, max_length=100, pattern=ID_PATTERN)]
OptionalId = Annotated[str, Meta(max_length=100, pattern=OPTIONAL_ID_PATTERN)]  # empty: none
Name = Annotated[str, Meta(max_length=500, pattern=NAME_PATTERN)]
Minor = Annotated[int, Meta(ge=0, le=LARGEST)]
Whole = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]
Instant = Annotated[datetime, Meta(tz=True)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
DecimalText = Annotated[str, Meta(pattern=r"^[0-9]{1,7}\.[0-9]{1,6}(?!\n)$")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$")]


class StoredValue(Unsaid, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """A line that sells stored value: the gift card product, and by code or id the card that it loads.

    Without either a new card is issued; the answer of the purchase tells its code, once.
    """

    product: Id
    code: OptionalId = ""
    gift_card_id: OptionalId = ""


class BasketLine(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """One row of a basket. `amount_minor` is gross and agrees with quantity and price where both are given."""

    line_id: Id
    sku: Id
    name: Name = ""
    categories: Annotated[tuple[Id, ...], Meta(max_length=20)] = ()
    quantity: Quantity | DecimalText = 1
    unit_price_minor: Minor | None = None
    amount_minor: Minor | None = None
    discount_minor: Minor = 0
    offer: Id | None = None  # which of our offers `discount_minor` is, given by a till that was offline
    tax_minor: Minor = 0
    tax_included: bool = True
    lowest_minor: Minor | None = None
    attributes: Annotated[dict[Id, bool | Whole | Name], Meta(max_length=20)] = {}
    stored_value: StoredValue | None = None


class BasketTender(Unsaid, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """One way the basket is paid: with money, with points of a wallet, by a gift card, or out of a hold.

    Of points, exactly one is given: how many, what they pay, or `up_to` for the most that may pay; a till that was
    offline may say both how many and what they paid. A gift card is named by its code, and its PIN if it has one; a
    hold by its id, and one of a reward or a code pays no amount.
    """

    kind: Id
    amount_minor: Minor | None = None
    wallet: OptionalId = ""
    points: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    up_to: bool = False
    code: OptionalId = ""
    pin: OptionalId = ""
    hold_id: OptionalId = ""


class AskedReward(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """A reward of the catalogue that the buyer asks for."""

    reward: Id
    times: Annotated[int, Meta(ge=1, le=100)] = 1


class MemberRef(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """Who buys: exactly one of the keys."""

    id: Id | None = None
    card: Id | None = None
    phone: Id | None = None
    email: Id | None = None
    external_id: Id | None = None

    def named(self) -> tuple[str, str]:
        """Return the one key that is given, with its value; raise `InvalidRequest` unless there is exactly one."""
        fields = (
            ("id", self.id),
            ("card", self.card),
            ("phone", self.phone),
            ("email", self.email),
            ("external_id", self.external_id),
        )
        given = [(key, value) for key, value in fields if value is not None]
        if len(given) != 1:
            raise InvalidRequest(
                "member-ambiguous",
                "`member` needs exactly one of `id`, `card`, `phone`, `email`, `external_id`",
                pointer="/member",
            )
        return given[0]


class Basket(Unsaid, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A purchase as the till reports it; a quote is the same without tenders."""

    receipt_id: Id
    store_id: Id
    till_id: OptionalId = ""
    operator_id: OptionalId = ""
    occurred_at: Instant
    currency: Currency
    member: MemberRef | None = None
    lines: Annotated[tuple[BasketLine, ...], Meta(min_length=1)]
    discount_minor: Minor = 0
    codes: Annotated[tuple[Id, ...], Meta(max_length=50)] = ()
    rewards: Annotated[tuple[AskedReward, ...], Meta(max_length=20)] = ()
    quote: Annotated[str, Meta(max_length=262_144, pattern=r"^[^\x00]*$")] | None = None
    tenders: Annotated[tuple[BasketTender, ...], Meta(max_length=20)] = ()
    metadata: Annotated[dict[Id, Name], Meta(max_length=50)] = msgspec.field(default_factory=dict)


def to_receipt(basket: Basket, zone: ZoneInfo, *, most_lines: int = 2000) -> Receipt:
    """Lay the till's discounts on lines and date the receipt in `zone`; our offers and the tenders come after (`paid`).

    Raises `InvalidRequest` with the pointer of the first sum that does not agree.
    """
    if len(basket.lines) > most_lines:
        raise InvalidRequest("too-many-lines", f"a receipt has at most {most_lines} lines", pointer="/lines")
    drafts = [_draft(i, line) for i, line in enumerate(basket.lines)]
    if len({line.line_id for line in basket.lines}) != len(drafts):
        raise InvalidRequest("line-repeated", "two lines have the same `line_id`", pointer="/lines")
    lines = _spread_discount(drafts, basket.discount_minor) if basket.discount_minor else drafts
    if sum(line.gross_minor for line in lines) > LARGEST:
        raise InvalidRequest("amount-too-large", f"the lines' sum is above {LARGEST}", pointer="/lines")
    try:
        local = basket.occurred_at.astimezone(zone)
    except OverflowError:
        raise InvalidRequest(
            "time-out-of-range", "the instant is outside the calendar", pointer="/occurred_at"
        ) from None
    return Receipt(
        store_id=basket.store_id,
        receipt_id=basket.receipt_id,
        occurred_at=instant(basket.occurred_at),
        day=local.toordinal(),
        minute=local.hour * 60 + local.minute,
        currency=basket.currency,
        lines=tuple(lines),
        tenders=tuple(
            Tender(one.kind, one.amount_minor or 0, one.wallet, one.points or 0, "", "", one.hold_id)
            for one in basket.tenders
        ),
        codes=tuple(dict.fromkeys(code.strip().upper() for code in basket.codes)),
        rewards=_asked(basket.rewards),
        till_id=basket.till_id,
        operator_id=basket.operator_id,
    )


def _asked(rewards: Sequence[AskedReward]) -> tuple[tuple[str, int], ...]:
    """Return the rewards, each once, with how many times it is asked for."""
    times: dict[str, int] = {}
    for one in rewards:
        times[one.reward] = times.get(one.reward, 0) + one.times
    return tuple(times.items())


def _draft(index: int, line: BasketLine) -> Line:
    quantity = line.quantity
    if isinstance(quantity, int):
        gross = quantity * line.unit_price_minor if line.unit_price_minor is not None else line.amount_minor
    else:
        gross, quantity = _decimal_gross(index, line, quantity)
    if gross is None:
        raise InvalidRequest(
            "amount-missing", "give `unit_price_minor` or `amount_minor`", pointer=f"/lines/{index}/amount_minor"
        )
    if gross > LARGEST:
        raise InvalidRequest("amount-too-large", f"the line's amount is above {LARGEST}", pointer=f"/lines/{index}")
    if line.amount_minor is not None and line.amount_minor != gross:
        raise InvalidRequest(
            "amount-mismatch",
            f"`amount_minor` is {line.amount_minor}, but quantity times price is {gross}",
            pointer=f"/lines/{index}/amount_minor",
        )
    if line.discount_minor > gross:
        raise InvalidRequest(
            "discount-too-large", f"the discount is above the line's {gross}", pointer=f"/lines/{index}/discount_minor"
        )
    return Line(
        line_id=line.line_id,
        sku=line.sku,
        name=line.name,
        categories=line.categories,
        quantity=quantity,
        gross_minor=gross,
        discount_minor=line.discount_minor,
        net_minor=gross - line.discount_minor,
        tax_minor=line.tax_minor,
        tax_included=line.tax_included,
        stored_value=line.stored_value.product if line.stored_value else None,
        attributes=line.attributes,
        lowest_minor=line.lowest_minor,
    )


def _decimal_gross(index: int, line: BasketLine, quantity: str) -> tuple[int | None, int]:
    """Return the gross of a line of a decimal quantity, which counts as one unit."""
    try:
        zero = Decimal(quantity) == 0
    except InvalidOperation:
        zero = True
    if zero or line.amount_minor is None:
        what = "quantity" if zero else "amount_minor"
        raise InvalidRequest(
            "amount-missing" if not zero else "quantity-zero",
            "a decimal quantity needs `amount_minor`" if not zero else "the quantity is zero",
            pointer=f"/lines/{index}/{what}",
        )
    return line.amount_minor, 1


def content(line: Line) -> tuple[object, ...]:
    """Return what makes two lines equal for sharing: categories, sku, unit price; never position or id."""
    return line.categories, line.sku, line.gross_minor // line.quantity, line.stored_value or ""


def share(total: int, lines: Sequence[Line], weights: Sequence[int]) -> list[int]:
    """Share `total` over lines by largest remainder, first over classes of equal lines, then inside each.

    Ties go by content, so the order of the lines does not matter.
    """
    classes: dict[tuple[object, ...], list[int]] = {}
    for i, line in enumerate(lines):
        classes.setdefault(content(line), []).append(i)
    keys = sorted(classes, key=repr)
    parts = largest_remainder(total, [sum(weights[i] for i in classes[key]) for key in keys])
    shares = [0] * len(lines)
    for key, part in zip(keys, parts, strict=True):
        members = sorted(classes[key], key=lambda i: -weights[i])
        for i, amount in zip(members, largest_remainder(part, [weights[i] for i in members]), strict=True):
            shares[i] = amount
    return shares


def _spread_discount(lines: list[Line], discount: int) -> list[Line]:
    """Spread the receipt's discount over lines that sell no stored value, by their net so far."""
    weights = [0 if line.stored_value else line.net_minor for line in lines]
    if discount > sum(weights):
        raise InvalidRequest(
            "discount-too-large",
            f"the receipt's discount is above what it costs ({sum(weights)})",
            pointer="/discount_minor",
        )
    shares = share(discount, lines, weights)
    return [
        msgspec.structs.replace(line, discount_minor=line.discount_minor + part, net_minor=line.net_minor - part)
        for line, part in zip(lines, shares, strict=True)
    ]


def payable(line: Line) -> int:
    """Return what is to be paid for a line, in minor units: its net, and the tax that the price leaves out."""
    return line.net_minor if line.tax_included else line.net_minor + line.tax_minor


def paid(receipt: Receipt, allowed: Mapping[int, Sequence[bool]] = MappingProxyType({})) -> Receipt:
    """Lay the tenders on the lines, once our offers are taken off; without tenders nothing is laid.

    `allowed` says of tenders that may not pay everything which lines they may. Raises `Conflict` `due-changed` unless
    the tenders sum to what is payable, and `tender-not-on-these` for more than a tender's own lines leave to pay.
    """
    if not receipt.tenders:
        return receipt
    return msgspec.structs.replace(receipt, lines=tuple(_lay_tenders(receipt.lines, receipt.tenders, allowed)))


def _lay_tenders(lines: Sequence[Line], tenders: Sequence[Tender], allowed: Mapping[int, Sequence[bool]]) -> list[Line]:
    """Lay each tender on the lines by what they still lack, so that both lines and tenders sum exactly.

    Those that may not pay everything come first.
    """
    left = [payable(line) for line in lines]
    due, paid = sum(left), sum(tender.amount_minor for tender in tenders)
    if paid != due:
        raise Conflict(
            "due-changed", f"the tenders sum to {paid}, payable is {due}", pointer="/tenders", payable_minor=due
        )
    if len(tenders) == 1 and not allowed:
        return [
            msgspec.structs.replace(line, tenders_minor=(amount,)) for line, amount in zip(lines, left, strict=True)
        ]
    shares: dict[int, list[int]] = {}
    for i in sorted(range(len(tenders)), key=lambda i: i not in allowed):
        room = left if i not in allowed else [a if may else 0 for a, may in zip(left, allowed[i], strict=True)]
        _check_room(tenders[i], i, sum(room))
        shares[i] = share(tenders[i].amount_minor, lines, room)
        left = [a - b for a, b in zip(left, shares[i], strict=True)]
    parts = zip(*(shares[i] for i in range(len(tenders))), strict=True)
    return [msgspec.structs.replace(line, tenders_minor=part) for line, part in zip(lines, parts, strict=True)]


def _check_room(tender: Tender, i: int, room: int) -> None:
    if tender.amount_minor > room:
        message = f"it may pay {room} of this receipt, not {tender.amount_minor}"
        raise Conflict("tender-not-on-these", message, pointer=f"/tenders/{i}", at_most_minor=room)
