"""The operations of `/v1/gift-cards`.

What does not live here: how often a caller may be wrong about a code (`service.guesses`), and all other operations
(`routes`).
"""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rewards.api.answers import IDEMPOTENCY_STATUS, Answer, refusals, written
from rewards.api.bodies import CardActivity, GiftCardCode
from rewards.api.code_images import draw_gift_card_code
from rewards.api.parameters import Asking, Key, address_of, pointing_nowhere
from rewards.service.answers import GiftCardAnswer
from rewards.service.commands import IssueGiftCard, ShowGiftCards
from rewards.service.service import Service


@post(
    "/gift-cards",
    operation_id="issue_gift_card",
    tags=["gift cards"],
    summary="Issue a gift card",
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def issue_gift_card(
    data: JSONBody[IssueGiftCard], service: NamedDependency[Service], idempotency_key: Key
) -> Answer[GiftCardAnswer]:
    """Its `code` is told here and kept nowhere: sent again, the answer has a new code, which leads to the same card."""
    return written(await service.asubmit(data, key=idempotency_key))


@post(
    "/gift-cards/lookup",
    operation_id="look_up_gift_card",
    tags=["gift cards"],
    summary="Find a gift card by its code",
    status_code=200,
    responses=refusals(404, 429, body=True),
)
async def look_up_gift_card(
    data: JSONBody[GiftCardCode], service: NamedDependency[Service], request: Asking
) -> Answer[GiftCardAnswer]:
    """What it gives, and whether it still can. Whatever is wrong with code or PIN, the answer is the same 404."""
    shown = await service.asubmit(ShowGiftCards(((data.code, data.pin),)), who=address_of(request))
    return Answer(shown.body, status_code=200, media_type="application/json")


@post(
    "/gift-cards/{gift_card_id:str}/activities",
    operation_id="act_on_gift_card",
    tags=["gift cards"],
    summary="Load, redeem, adjust, block, … a gift card",
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def act_on_gift_card(
    gift_card_id: FromPath[str], data: JSONBody[CardActivity], service: NamedDependency[Service], idempotency_key: Key
) -> Answer[GiftCardAnswer]:
    """A blocked card does nothing until it is unblocked; a deactivated one never does anything again."""
    with pointing_nowhere():
        return written(await service.asubmit(data.of(gift_card_id), key=idempotency_key))


CARDS = (issue_gift_card, look_up_gift_card, act_on_gift_card, draw_gift_card_code)
