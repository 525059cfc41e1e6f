"""The operations of `/v1/holds`.

What does not live here: purchases, which capture a hold as a tender (`routes`).
"""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rewards.api.answers import IDEMPOTENCY_STATUS, Answer, answer, refusals, written
from rewards.api.bodies import Capture, Release
from rewards.api.parameters import Asking, OptionalKey, address_of
from rewards.service.commands import OpenHold
from rewards.service.hold_answers import HoldAnswer
from rewards.service.service import Service


@post(
    "/holds",
    operation_id="open_hold",
    tags=["holds"],
    summary="Set points, card money, a reward or a voucher aside",
    responses=refusals(404, 409, 429, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def open_hold(
    data: JSONBody[OpenHold],
    service: NamedDependency[Service],
    request: Asking,
    idempotency_key: OptionalKey = None,
) -> Answer[HoldAnswer]:
    """Once per `hold_id`, for seven days at most. Until it ends nothing else can take what is held."""
    return written(await service.asubmit(data, key=idempotency_key, who=address_of(request)))


@get("/holds/{hold_id:str}", operation_id="get_hold", tags=["holds"], summary="Read a hold", responses=refusals(404))
async def get_hold(hold_id: FromPath[str], service: NamedDependency[Service]) -> Answer[HoldAnswer]:
    """Whether it is open, and how it ended."""
    return answer(service.hold(hold_id))


@post(
    "/holds/{hold_id:str}/capture",
    operation_id="capture_hold",
    tags=["holds"],
    summary="Take what is held",
    status_code=200,
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def capture_hold(
    hold_id: FromPath[str],
    data: JSONBody[Capture],
    service: NamedDependency[Service],
    idempotency_key: OptionalKey = None,
) -> Answer[HoldAnswer]:
    """All, or a part; the rest is released. Usually a purchase does it, with the hold as a tender."""
    return written(await service.asubmit(data.of(hold_id), key=idempotency_key))


@post(
    "/holds/{hold_id:str}/void",
    operation_id="void_hold",
    tags=["holds"],
    summary="Release what is held",
    status_code=200,
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def void_hold(
    hold_id: FromPath[str],
    data: JSONBody[Release],
    service: NamedDependency[Service],
    idempotency_key: OptionalKey = None,
) -> Answer[HoldAnswer]:
    """The customer left, or paid in another way."""
    return written(await service.asubmit(data.of(hold_id), key=idempotency_key))


HOLDS = (open_hold, get_hold, capture_hold, void_hold)
