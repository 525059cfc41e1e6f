"""Rewards: what a policy file may say of the catalogue that points buy, and how it becomes the model's records.

What does not live here: offers themselves (`offers`), and asking for a reward (`service.rewards`).
"""

from __future__ import annotations

from rewards.policy import forms
from rewards.policy.forms import Given
from rewards.policy.gift_cards import offer_of
from rewards.policy.model import Reward
from rewards.policy.offers import OfferDraft
from rewards.policy.problems import Report
from rewards.policy.shape import Table
from rewards.policy.shared_schema import TITLE
from rewards.policy.structure import Fields, Key
from rewards.policy.wallets import text_of
from rewards.policy.wording import quoted

REWARD = Fields(
    "a reward",
    (
        Key("title", TITLE, "What customers read; may be a map by language."),
        Key("cost", forms.GIVE, "The points that it takes each time.", required=True, example="9 stamps"),
        Key(
            "gives",
            Fields(
                "what a reward gives",
                (Key("offer", forms.OFFER_NAME, "An offer with `only_by: reward`.", required=True),),
                unsupported=("item", "gift_card", "value", "per"),
            ),
            "What the points buy.",
            required=True,
            example="{offer: free-hot-drink}",
        ),
    ),
    unsupported=("when", "limit", "automatic"),
)


def compile_rewards(rewards: Table, offers: Table, drafts: dict[str, OfferDraft], report: Report) -> dict[str, Reward]:
    """Return the rewards whose parts are there; what is wrong with their offers is reported.

    `offers` is the section, for the names of offers that are broken.
    """
    found = {}
    for name, got in rewards.got.items():
        table: Table = got.value
        cost: Given | None = table.value("cost")
        gives = table.get("gives")
        if gives is None or gives.value.broken:
            continue
        offer = offer_of(name, gives, "reward", offers, drafts, report)
        if offer and cost is not None:
            title = text_of(table.get("title"))
            found[name] = Reward(id=name, title=title, wallet=cost.wallet, points=cost.points, offer=offer)
    return found


def remark_on_unbought(rewards: dict[str, Reward], drafts: dict[str, OfferDraft], report: Report) -> None:
    """Warn of offers that only a reward gives, when none does."""
    given = {reward.offer for reward in rewards.values()}
    for draft in drafts.values():
        if draft.table.value("only_by") == "reward" and draft.id not in given:
            advice = "add one in `rewards`: `{cost: …, gives: {offer: …}}`, or delete the offer"
            report.add("unused", f"no reward gives the offer {quoted(draft.id)}", draft.key, advice)
