"""Gift cards: what was read of `gift_cards` -> the model's records, and what they must agree on with offers.

What does not live here: offers themselves (`offers`).
"""

from __future__ import annotations

from rewards.policy.model import GiftCard
from rewards.policy.offers import OfferDraft
from rewards.policy.problems import Also, Report
from rewards.policy.shape import Got, Table
from rewards.policy.wallets import expiry_of
from rewards.policy.wording import Hint, quoted


def compile_gift_cards(
    cards: Table, offers: Table, drafts: dict[str, OfferDraft], report: Report
) -> dict[str, GiftCard]:
    """Return the gift cards whose parts are there; names of offers that are none are reported.

    `offers` is the section, for the names of offers that are broken.
    """
    found = {}
    for name, got in cards.got.items():
        offer = offer_of(name, got, "voucher", offers, drafts, report)
        table: Table = got.value
        if offer and table.get("kind"):
            found[name] = GiftCard(
                id=name,
                kind=table.value("kind"),
                offer=offer,
                expires=expiry_of(table.get("expires")),
                to=table.value("to", "bearer"),
            )
    return found


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


def remark_on_ungiven(cards: dict[str, GiftCard], drafts: dict[str, OfferDraft], report: Report) -> None:
    """Warn of offers that only a voucher gives, when none does."""
    given = {card.offer for card in cards.values()}
    for draft in drafts.values():
        if draft.table.value("only_by") == "voucher" and draft.id not in given:
            advice = "add one in `gift_cards`: `{kind: voucher, offer: …}`, or delete the offer"
            report.add("unused", f"no voucher gives the offer {quoted(draft.id)}", draft.key, advice)
