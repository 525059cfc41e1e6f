"""Gift cards: what was read of `gift_cards` -> the model's records, and what they must agree on.

What does not live here: offers themselves (`offers`).
"""

from __future__ import annotations

from typing import Any

from rewards.policy.model import GiftCard, Loads, Selection
from rewards.policy.offers import OfferDraft
from rewards.policy.problems import Also, Report
from rewards.policy.selections import Selections
from rewards.policy.shape import Got, Table
from rewards.policy.wallets import expiry_of
from rewards.policy.wording import Hint, quoted

_OF_MONEY = ("paid", "promotional")
_FOR = {
    "offer": ("voucher",),
    "load": ("paid",),
    "value": ("promotional",),
    "max_balance": _OF_MONEY,
    "not_on": _OF_MONEY,
    "vat": _OF_MONEY,
}  # kinds that take a key


def compile_gift_cards(
    cards: Table, offers: Table, drafts: dict[str, OfferDraft], selections: Selections, report: Report
) -> dict[str, GiftCard]:
    """Return the gift cards whose parts are there; names of offers that are none are reported.

    `offers` is the section, for the names of offers that are broken.
    """
    found = {}
    for name, got in cards.got.items():
        table: Table = got.value
        kind = table.value("kind")
        not_on = selections.resolve(table.get("not_on"))
        if kind in _OF_MONEY:
            found[name] = _of_money(name, table, kind, not_on, report)
        elif (offer := offer_of(name, got, "voucher", offers, drafts, report)) and kind:
            found[name] = GiftCard(
                id=name, kind=kind, offer=offer, expires=expiry_of(table.get("expires")), to=table.value("to", "bearer")
            )
        if kind:
            _check_keys(table, kind, report)
    return found


def _of_money(name: str, table: Table, kind: Any, not_on: Selection | None, report: Report) -> GiftCard:
    load = _loads(table.get("load"))
    value, most = table.value("value"), table.value("max_balance")
    least = load.least if load is not None else value
    if most is not None and least is not None and least > most:
        first, cap = table.get("load") or table.got["value"], table.got["max_balance"]
        message = f"`max_balance: {cap.text}` is less than what a card begins with"
        report.add("balance-below-load", message, cap.span, "write a larger amount", Also(first.key, "it is said here"))
    return GiftCard(
        id=name,
        kind=kind,
        load=load,
        value=value,
        max_balance=most,
        not_on=not_on,
        vat=table.value("vat"),
        expires=expiry_of(table.get("expires")),
        to=table.value("to", "bearer"),
    )


def _loads(got: Got | None) -> Loads | None:
    if got is None:
        return None
    if isinstance(got.value, list):
        amounts = tuple(sorted(one.value for one in got.value))
        return Loads(amounts[0], amounts[-1], amounts)
    return Loads(*got.value)


def _check_keys(table: Table, kind: str, report: Report) -> None:
    """Refuse keys that a card of this kind has no use for."""
    for key, kinds in _FOR.items():
        got = table.get(key)
        if got is not None and kind not in kinds:
            advice = f"delete it, or write `kind: {kinds[0]}`"
            also = Also(table.got["kind"].span, "the kind is here")
            report.add("contradicting-keys", f"`{key}` is not for a card of `kind: {kind}`", got.key, advice, also)


def offer_of(giver: str, got: Got, by: str, offers: Table, drafts: dict[str, OfferDraft], report: Report) -> str:
    """Return the offer that a voucher or reward gives, or an empty text after what is wrong with it was reported."""
    table: Table = got.value
    named, kind = table.get("offer"), table.get("kind")
    if named is None:
        if kind and not table.has("offer"):
            advice = "add `offer`: the name of an offer with `only_by: voucher`"
            report.add("missing-key", "a voucher needs `offer`", kind.span, advice)
        return ""
    draft = drafts.get(named.value)
    if draft is None:
        if named.value not in offers.broken:
            advice = f"declare it in `offers`, with `only_by: {by}`"
            hint = Hint(named.value, drafts, advice, "the offers are")
            report.add("unknown-offer", f"there is no offer {quoted(named.value)}", named.span, hint)
        return ""
    if draft.table.value("only_by") != by and "only_by" not in draft.table.broken:
        what = "everybody gets by itself" if not draft.table.has("only_by") else f"a {by} can't give"
        message = f"{quoted(giver)} gives {quoted(draft.id)}, which {what}"
        advice = f"write `only_by: {by}` in {quoted(draft.id)}"
        report.add("offer-for-everyone", message, named.span, advice, Also(draft.key, "the offer is here"))
        return ""
    return draft.id


def given_card(
    giver: str, named: Got, value: Got | None, cards: Table, products: dict[str, GiftCard], report: Report
) -> GiftCard | None:
    """Return the product that a reward or a rule gives, or None after what is wrong with it was reported.

    `value` is what the giver says is on it; `cards` is the section, for the names of products that are broken.
    """
    product = products.get(named.value)
    if product is None:
        if named.value not in {*cards.broken, *cards.got}:
            hint = Hint(named.value, products, "declare it in `gift_cards`", "the gift cards are")
            report.add("unknown-gift-card", f"there is no gift card {quoted(named.value)}", named.span, hint)
        return None
    also = Also(cards.got[product.id].key, "the gift card is here")
    if product.kind == "paid":
        message = f"{quoted(giver)} gives {quoted(product.id)}, whose money is sold"
        report.add("gift-card-for-sale", message, named.span, "give one of `kind: promotional`, or a voucher", also)
        return None
    if value is not None and (product.kind == "voucher" or product.value is not None):
        what = "holds an offer and no money" if product.kind == "voucher" else "has a value of its own"
        message = f"{quoted(product.id)} {what}"
        report.add("contradicting-keys", message, value.key, "leave `value` out here", also)
        return None
    if value is None and product.kind == "promotional" and product.value is None:
        message = f"nothing says how much is on {quoted(product.id)}"
        report.add("gift-card-value", message, named.span, "add `value`, here or in the gift card", also)
        return None
    return product
