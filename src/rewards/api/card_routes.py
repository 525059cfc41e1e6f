"""The operations of `/v1/gift-cards`.

What does not live here: how often a caller may be wrong about a code (`service.guesses`), and all other operations
(`routes`).
"""

from __future__ import annotations

from litestar.params import FromPath, JSONBody
from msgspec.structs import asdict

from rewards.api.answers import Answer, written
from rewards.api.bodies import CardActivity, GiftCardCode
from rewards.api.code_images import draw_gift_card_code
from rewards.api.operations import asks, writes
from rewards.api.parameters import Asking, Key, Served, address_of, pointing_nowhere
from rewards.service.answers import GiftCardAnswer
from rewards.service.commands import ActOnGiftCard, IssueGiftCard, ShowGiftCards


@writes("/gift-cards", "gift cards", "Issue a gift card", 404, 409)
async def issue_gift_card(
    data: JSONBody[IssueGiftCard], service: Served, idempotency_key: Key
) -> Answer[GiftCardAnswer]:
    """Its `code` is told here and kept nowhere: sent again, the answer has a new code, which leads to the same card."""
    return written(await service.asubmit(data, key=idempotency_key))


@asks("/gift-cards/lookup", "gift cards", "Find a gift card by its code", 404, 429)
async def look_up_gift_card(data: JSONBody[GiftCardCode], service: Served, request: Asking) -> Answer[GiftCardAnswer]:
    """What it gives, and whether it still can. Whatever is wrong with code or PIN, the answer is the same 404."""
    shown = await service.asubmit(ShowGiftCards(((data.code, data.pin),)), who=address_of(request))
    return Answer(shown.body, status_code=200, media_type="application/json")


@writes(
    "/gift-cards/{gift_card_id:str}/activities", "gift cards", "Load, redeem, adjust, block, … a gift card", 404, 409
)
async def act_on_gift_card(
    gift_card_id: FromPath[str], data: JSONBody[CardActivity], service: Served, idempotency_key: Key
) -> Answer[GiftCardAnswer]:
    """A blocked card does nothing until it is unblocked; a deactivated one never does anything again."""
    with pointing_nowhere():
        return written(
            await service.asubmit(ActOnGiftCard(gift_card_id=gift_card_id, **asdict(data)), key=idempotency_key)
        )


CARDS = (issue_gift_card, look_up_gift_card, act_on_gift_card, draw_gift_card_code)
