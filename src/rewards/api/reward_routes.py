"""The operations of `/v1` about rewards outside a basket: buying one with points, and taking that back.

What does not live here: rewards in a basket (`routes`), and who may have one (`rewards.service`).
"""

from __future__ import annotations

from litestar.params import FromPath, JSONBody

from rewards.api.answers import Answer, written
from rewards.api.bodies import Cancellation, Redemption
from rewards.api.operations import writes
from rewards.api.parameters import Key, OptionalKey, Served, pointing_nowhere
from rewards.service.reward_answers import CancellationAnswer, RedemptionAnswer


@writes("/members/{member_id:str}/redemptions", "members", "Have points buy a reward outside a basket", 404, 409)
async def redeem_reward(
    member_id: FromPath[str], data: JSONBody[Redemption], service: Served, idempotency_key: Key
) -> Answer[RedemptionAnswer]:
    """An item or gift cards, with the lots that paid. A card's code is told once; sent again, a new one is shown."""
    with pointing_nowhere():
        return written(await service.asubmit(data.of(member_id), key=idempotency_key))


@writes(
    "/members/{member_id:str}/redemptions/{redemption_id:str}/cancel",
    "members",
    "Take a redemption back",
    404,
    409,
    status_code=200,
)
async def cancel_redemption(
    member_id: FromPath[str],
    redemption_id: FromPath[str],
    data: JSONBody[Cancellation],
    service: Served,
    idempotency_key: OptionalKey = None,
) -> Answer[CancellationAnswer]:
    """Once: points go back into their lots, gift cards are voided; what of them is used up keeps its points."""
    with pointing_nowhere():
        return written(await service.asubmit(data.of(member_id, redemption_id), key=idempotency_key))


REWARDS = (redeem_reward, cancel_redemption)
