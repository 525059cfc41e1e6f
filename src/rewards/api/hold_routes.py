"""The operations of `/v1/holds`.

What does not live here: purchases, which capture a hold as a tender (`routes`).
"""

from __future__ import annotations

from litestar.params import FromPath, JSONBody
from msgspec.structs import asdict

from rewards.api.answers import Answer, answer, written
from rewards.api.bodies import Capture, Release
from rewards.api.operations import reads, writes
from rewards.api.parameters import Asking, OptionalKey, Served, address_of
from rewards.service.commands import CaptureHold, OpenHold, VoidHold
from rewards.service.hold_answers import HoldAnswer


@writes("/holds", "holds", "Set points, card money, a reward or a voucher aside", 404, 409, 429)
async def open_hold(
    data: JSONBody[OpenHold], service: Served, request: Asking, idempotency_key: OptionalKey = None
) -> Answer[HoldAnswer]:
    """Once per `hold_id`, for seven days at most. Until it ends nothing else can take what is held."""
    return written(await service.asubmit(data, key=idempotency_key, who=address_of(request)))


@reads("/holds/{hold_id:str}", "holds", "Read a hold", 404)
async def get_hold(hold_id: FromPath[str], service: Served) -> Answer[HoldAnswer]:
    """Whether it is open, and how it ended."""
    return answer(service.hold(hold_id))


@writes("/holds/{hold_id:str}/capture", "holds", "Take what is held", 404, 409, status_code=200)
async def capture_hold(
    hold_id: FromPath[str], data: JSONBody[Capture], service: Served, idempotency_key: OptionalKey = None
) -> Answer[HoldAnswer]:
    """All, or a part; the rest is released. Usually a purchase does it, with the hold as a tender."""
    return written(await service.asubmit(CaptureHold(hold_id=hold_id, **asdict(data)), key=idempotency_key))


@writes("/holds/{hold_id:str}/void", "holds", "Release what is held", 404, 409, status_code=200)
async def void_hold(
    hold_id: FromPath[str], data: JSONBody[Release], service: Served, idempotency_key: OptionalKey = None
) -> Answer[HoldAnswer]:
    """The customer left, or paid in another way."""
    return written(await service.asubmit(VoidHold(hold_id=hold_id, **asdict(data)), key=idempotency_key))


HOLDS = (open_hold, get_hold, capture_hold, void_hold)
