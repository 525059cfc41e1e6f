"""Gift cards that a rule or an activity gives: what was read of `give: {gift_card: …}` -> the model's record.

What does not live here: the products themselves (`gift_cards`), and what rewards give (`rewards`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rewards.policy.forms import Given
from rewards.policy.model import GivenCard
from rewards.policy.problems import Also, Report
from rewards.policy.shape import Got, Table
from rewards.policy.wording import Hint, quoted

NO_WALLET: Final = ""  # of a rule that gives cards and no points


@dataclass(frozen=True, slots=True)
class GivenCards:
    """Reads what gives a card; `products` is the section `gift_cards`, not `known` if that is broken."""

    products: Table
    known: bool
    report: Report

    def read(self, give: Got | None) -> GivenCard | None:
        """Return the card, None for points and for what is broken; what is wrong with it is reported."""
        table = give.value if give is not None else None
        if not isinstance(table, Table) or table.broken:
            return None
        named = table.got["gift_card"]
        product = self.products.get(named.value)
        if product is None:
            if self.known and named.value not in self.products.broken:
                advice = "declare it in `gift_cards`, with `kind: promotional` or `kind: voucher`"
                hint = Hint(named.value, self.products.got, advice, "the gift cards are")
                self.report.add("unknown-gift-card", f"there is no gift card {quoted(named.value)}", named.span, hint)
            return None
        kind = product.value.value("kind")
        if kind == "paid":
            message = f"{quoted(named.value)} is sold, so a rule can't give it"
            advice = "name a product of `kind: promotional` or `kind: voucher`"
            also = Also(product.value.got["kind"].span, "its kind is here")
            self.report.add("gift-card-for-sale", message, named.span, advice, also)
            return None
        minor = self._worth(table, named, product) if kind == "promotional" else self._nothing(table, product)
        return None if minor is None or kind is None else GivenCard(named.value, minor)

    def _nothing(self, table: Table, product: Got) -> int | None:
        """Return what is on a voucher; money that is said of one is refused."""
        value = table.get("value")
        if value is None:
            return 0
        if kind := product.value.get("kind"):
            message, also = "a voucher holds an offer and no money", Also(kind.span, "its kind is here")
            self.report.add("gift-card-value", message, value.key, "leave `value` out", also)
        return None

    def _worth(self, table: Table, named: Got, product: Got) -> int | None:
        """Return what is on a promotional card: said by its product or by who gives it, and by one of them alone."""
        here, there = table.get("value"), product.value.get("value")
        if here is None and there is None:
            if not product.value.has("value"):
                message = f"nothing says what {quoted(named.value)} is worth"
                advice = f"write `give: {{gift_card: {named.value}, value: 5.00}}`, or `value` in `gift_cards`"
                self.report.add("gift-card-value", message, named.span, advice)
            return None
        if here is not None and there is not None:
            message = f"{quoted(named.value)} is worth {there.text} already"
            also = Also(there.span, "its value is here")
            self.report.add("gift-card-value", message, here.key, "leave one of the two out", also)
            return None
        most = product.value.get("max_balance")
        if here is not None and most is not None and here.value > most.value:
            message = f"`value: {here.text}` is more than {quoted(named.value)} can hold"
            also = Also(most.span, "the most is here")
            self.report.add("balance-below-load", message, here.span, "write a smaller amount", also)
        return next(int(one.value) for one in (here, there) if one is not None)


def number_of(give: Got | None) -> tuple[int, str | None] | None:
    """Return how much is given at once and of which wallet: one card of none, or points; None for what is broken."""
    if give is None:
        return None
    if isinstance(give.value, Table):
        return None if give.value.broken else (1, NO_WALLET)
    given: Given = give.value
    return given.points, given.wallet or None
