"""Gift cards that a till sold while it was offline: their money goes on the card, or stands as sold on no card.

The customer has paid, so a card takes its money wherever it can, also where a
till that asks would have been refused. What does not live here: selling and
loading as such (`sold_cards`).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rewards.basket import Basket, BasketLine
from rewards.errors import NotFound, RewardsError
from rewards.policy.model import GiftCard
from rewards.receipt import Line, Receipt
from rewards.service import sold_cards
from rewards.service.batch import Batch
from rewards.service.journal import Timeline
from rewards.service.warnings import Warnings, of_refusal, warning


def placed(batch: Batch, buyer: Timeline, receipt: Receipt, basket: Basket, warnings: Warnings) -> Receipt:
    """Return the receipt with the lines whose money can go on no card; say what is odd about each line that sells."""
    loaded: dict[int, int] = {}
    off = []
    for i, sent, product in sold_cards.sales(batch, receipt, basket):
        line = receipt.lines[i]
        _try(warnings, sold_cards.check_line, line, product, buyer, i)
        _try(warnings, sold_cards.check_card, batch, receipt, sent, product, i, loaded)
        if not _takes(batch, sent, product, line, buyer, i):
            off.append(line.line_id)
            message = f"{line.gross_minor} were sold and are on no gift card"
            facts = {"unplaced_minor": line.gross_minor}
            warnings.append(warning("stored-value-unplaced", message, f"/lines/{i}/stored_value", **facts))
        elif _is_active(batch, sent, i):
            message = "the gift card was active already: it was loaded"
            warnings.append(warning("gift-card-active", message, f"/lines/{i}/stored_value"))
    return msgspec.structs.replace(receipt, unplaced=tuple(off)) if off else receipt


def _try(warnings: Warnings, check: Callable[..., None], *given: object) -> None:
    try:
        check(*given)
    except RewardsError as refusal:
        warnings.append(of_refusal(refusal, "recorded all the same"))


def _takes(batch: Batch, sent: BasketLine, product: GiftCard, line: Line, buyer: Timeline, i: int) -> bool:
    """Return whether a line's money can go on the card that it names, or on a new one."""
    if product.kind != "paid" or line.quantity != 1 or not line.gross_minor:
        return False
    try:
        card_line = sold_cards.given(batch, sent, i)
    except NotFound:
        return False
    if card_line is None:
        return product.to != "member" or buyer.kind == "member"
    card = card_line.card
    return card is not None and card.kind == "paid" and card.state != "deactivated"


def _is_active(batch: Batch, sent: BasketLine, i: int) -> bool:
    line = sold_cards.given(batch, sent, i)
    return line is not None and line.card is not None and line.card.state == "active"
