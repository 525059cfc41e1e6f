"""The operations for what comes after the till: claims of guests' receipts, and batches of tills that were offline.

What does not live here: all other operations (`routes`).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import msgspec
from litestar.params import FromPath, JSONBody
from msgspec.structs import asdict

from rewards.api.answers import Answer, answer, written
from rewards.api.bodies import BatchAnswer, Claim, EventResult, OfflineBatch, PurchaseEvent, ReturnEvent
from rewards.api.operations import asks, writes
from rewards.api.parameters import Asking, Key, Served, address_of
from rewards.api.problems import document_of
from rewards.api.wire import MOST_BATCH_BYTES, decode
from rewards.errors import InvalidRequest, RewardsError
from rewards.service.answers import ClaimedAnswer
from rewards.service.commands import ClaimPurchase, Outcome
from rewards.service.service import Service


@writes(
    "/purchases/{purchase_id:str}/claim",
    "purchases",
    "Have a guest's purchase count for a member",
    404,
    409,
    429,
    status_code=200,
)
async def claim_purchase(
    purchase_id: FromPath[str], data: JSONBody[Claim], service: Served, request: Asking, idempotency_key: Key
) -> Answer[ClaimedAnswer]:
    """Once, within seven days, with the code that the till printed. Whatever is wrong with the code: 404."""
    return written(
        await service.asubmit(
            ClaimPurchase(purchase_id=purchase_id, **asdict(data)), key=idempotency_key, who=address_of(request)
        )
    )


@asks("/batches", "purchases", "Record what a till did while it was offline", request_max_body_size=MOST_BATCH_BYTES)
async def record_batch(data: JSONBody[OfflineBatch], service: Served, request: Asking) -> Answer[BatchAnswer]:
    """Facts: an event is refused only where it can't be read or disagrees with itself, and then alone.

    Each is answered as it would be by itself, once for its `idempotency_key`; what was recorded although it is odd is
    told under `warnings`, with the code of the refusal that it would have been: an unknown member (it is a guest's
    then, to be claimed), offers beyond a limit or a budget, points that were not there (they are owed), money that was
    on no gift card (`gift-card-shortfall`, with `shortfall_minor`: nobody's debt), a card sold that is not here.
    """
    return answer(BatchAnswer(await asyncio.to_thread(_recorded, data, service, address_of(request))))


def _recorded(data: OfflineBatch, service: Service, who: str) -> list[EventResult]:
    """Queue what can be read as one, wait, and return a result for each event."""
    events = [_read(data, i) for i in range(len(data.events))]
    good = [event for event in events if not isinstance(event, RewardsError)]
    keys = [event.idempotency_key for event in good]
    futures = iter(service.submit_all([event.of() for event in good], keys=keys, who=who))
    return [_result(i, event if isinstance(event, RewardsError) else next(futures)) for i, event in enumerate(events)]


def _read(data: OfflineBatch, index: int) -> PurchaseEvent | ReturnEvent | RewardsError:
    try:
        event: PurchaseEvent | ReturnEvent = decode(bytes(data.events[index]), _EVENT)
    except RewardsError as error:
        return error
    if event.body.store_id != data.store_id:
        message = f"the batch is of store `{data.store_id}`, the event of `{event.body.store_id}`"
        return InvalidRequest("store-differs", message, pointer="/body/store_id")
    return event


_EVENT: Any = PurchaseEvent | ReturnEvent


def _result(index: int, ended: RewardsError | Future[Outcome]) -> EventResult:
    place = f"/events/{index}"
    error = ended if isinstance(ended, RewardsError) else ended.exception()
    if error is not None:
        # what could not be read is pointed at from the event, what was refused from its body
        status, body = document_of(error, place if error is ended else f"{place}/body")
        return EventResult(index=index, status=status, body=msgspec.Raw(body))
    assert isinstance(ended, Future)
    outcome = ended.result()
    body = _placed(outcome.body, f"{place}/body")
    return EventResult(index=index, status=outcome.status, replayed=outcome.replayed, body=msgspec.Raw(body))


def _placed(body: bytes, place: str) -> bytes:
    """Return an answer whose warnings point into the batch; as it is kept they point into the event."""
    if b'"warnings":[{' not in body:
        return body
    told = msgspec.json.decode(body)
    told["warnings"] = [{**one, "pointer": place + one["pointer"]} for one in told["warnings"]]
    return msgspec.json.encode(told)


OFFLINE = (claim_purchase, record_batch)
