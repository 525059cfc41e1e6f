"""The operations of `/v1` and of health: each decodes nothing and decides nothing, it asks the service.

What does not live here: those of policies (`policy_routes`), of gift cards (`card_routes`) and of what comes after
the till (`offline_routes`), parameters (`parameters`), strict bodies (`wire`), problem documents (`problems`), and
who may call (`app`). Writes wait for the writer; short reads run in the event loop, longer ones in a thread.
"""

from __future__ import annotations

import asyncio

from litestar import HttpMethod, Response, get, patch, post, route
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from rewards.api.answers import IDEMPOTENCY_STATUS, Answer, answer, refusals, written
from rewards.api.bodies import (
    Activity,
    Adjustment,
    ContactsChange,
    Health,
    MemberChange,
    Merge,
)
from rewards.api.offline_routes import OFFLINE
from rewards.api.parameters import (
    Asking,
    At,
    Key,
    OptionalKey,
    ReceiptId,
    StoreId,
    address_of,
    instant_of,
    pointing_nowhere,
)
from rewards.api.reports import get_statement, report_liability
from rewards.api.reward_routes import REWARDS
from rewards.basket import Basket, MemberRef
from rewards.service import card_tenders
from rewards.service.adjustments import AdjustmentAnswer
from rewards.service.answers import (
    ActivityAnswer,
    BalanceAnswer,
    MemberAnswer,
    PurchaseAnswer,
    ReturnAnswer,
)
from rewards.service.commands import Enrol, RecordPurchase, RecordReturn
from rewards.service.merging import MergeAnswer
from rewards.service.service import Service

_PARKED = {202: ResponseSpec(ReturnAnswer, generate_examples=False, description="Kept until the purchase arrives")}


@post(
    "/members",
    operation_id="enrol_member",
    tags=["members"],
    summary="Enrol a member",
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def enrol_member(
    data: JSONBody[Enrol], service: NamedDependency[Service], idempotency_key: Key
) -> Answer[MemberAnswer]:
    """Without `card`, a number with a check digit is issued; without `joined`, the member joins today."""
    return written(await service.asubmit(data, key=idempotency_key))


@get(
    "/members/{member_id:str}",
    operation_id="get_member",
    tags=["members"],
    summary="Read a member",
    responses=refusals(404),
)
async def get_member(member_id: FromPath[str], service: NamedDependency[Service]) -> Answer[MemberAnswer]:
    """The member as enrolled."""
    with pointing_nowhere():
        return answer(service.member(MemberRef(id=member_id)))


@route("/members/{member_id:str}", http_method=HttpMethod.OPTIONS, include_in_schema=False, status_code=204)
async def member_methods(member_id: FromPath[str]) -> Response[None]:  # noqa: ARG001  of the address
    """Name both methods; the framework's own answer knows only the one that was registered first."""
    return Response(None, headers={"Allow": "GET, OPTIONS, PATCH"})


@patch(
    "/members/{member_id:str}",
    operation_id="change_member",
    tags=["members"],
    summary="Change a member",
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def change_member(
    member_id: FromPath[str],
    data: JSONBody[MemberChange],
    service: NamedDependency[Service],
    idempotency_key: OptionalKey = None,
) -> Answer[MemberAnswer]:
    """State, name, language, birthday, attributes; the last two from the start of today, for its purchases too."""
    with pointing_nowhere():
        return written(await service.asubmit(data.of(member_id), key=idempotency_key))


@post(
    "/members/{member_id:str}/contacts",
    operation_id="change_contacts",
    tags=["members"],
    summary="Add and take away cards, phones, e-mails",
    status_code=200,
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def change_contacts(
    member_id: FromPath[str], data: JSONBody[ContactsChange], service: NamedDependency[Service], idempotency_key: Key
) -> Answer[MemberAnswer]:
    """All of it or nothing. A card that is taken away is lost: refused as `card-replaced`, and nobody's ever again."""
    with pointing_nowhere():
        return written(await service.asubmit(data.of(member_id), key=idempotency_key))


@post(
    "/members/{member_id:str}/merge",
    operation_id="merge_members",
    tags=["members"],
    summary="Have two members be one",
    status_code=200,
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def merge_members(
    member_id: FromPath[str], data: JSONBody[Merge], service: NamedDependency[Service], idempotency_key: Key
) -> Answer[MergeAnswer]:
    """The member of the address stays; what both did counts as one history, and limits count both. It can't be undone.

    Cards, phones and e-mails move; the other's id, and those of its purchases, lead to this member from then on.
    """
    with pointing_nowhere("/member_id"):
        return written(await service.asubmit(data.of(member_id), key=idempotency_key))


@post(
    "/members/lookup",
    operation_id="look_up_member",
    tags=["members"],
    summary="Find a member by card, phone or e-mail",
    status_code=200,
    responses=refusals(404, body=True),
)
async def look_up_member(data: JSONBody[MemberRef], service: NamedDependency[Service]) -> Answer[MemberAnswer]:
    """Exactly one key; in the body, so that no personal data stands in an address."""
    with pointing_nowhere():
        return answer(service.member(data))


@post(
    "/quotes",
    operation_id="quote_purchase",
    tags=["purchases"],
    summary="Ask what a basket would get",
    status_code=200,
    responses=refusals(404, 409, 429, body=True),
)
async def quote_purchase(
    data: JSONBody[Basket], service: NamedDependency[Service], request: Asking
) -> Answer[PurchaseAnswer]:
    """The answer of a purchase, with nothing written: what would be earned, why, and what is just out of reach."""
    if (proof := card_tenders.proof(data)) is not None:
        await service.asubmit(proof, who=address_of(request))
    return answer(service.quote(data, proved=True))


@route("/purchases", http_method=HttpMethod.OPTIONS, include_in_schema=False, status_code=204)
async def purchase_methods() -> Response[None]:
    """Name both methods; the framework's own answer knows only the one that was registered first."""
    return Response(None, headers={"Allow": "GET, OPTIONS, POST"})


@post(
    "/purchases",
    operation_id="record_purchase",
    tags=["purchases"],
    summary="Record a purchase",
    responses=refusals(404, 409, 429, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def record_purchase(
    data: JSONBody[Basket],
    service: NamedDependency[Service],
    request: Asking,
    idempotency_key: OptionalKey = None,
) -> Answer[PurchaseAnswer]:
    """Once per store and receipt number: sent again it gets the same bytes, with other content it is refused."""
    return written(await service.asubmit(RecordPurchase(data), key=idempotency_key, who=address_of(request)))


@get(
    "/purchases/{purchase_id:str}",
    operation_id="get_purchase",
    tags=["purchases"],
    summary="Read a purchase",
    responses=refusals(404),
)
async def get_purchase(purchase_id: FromPath[str], service: NamedDependency[Service]) -> Answer[PurchaseAnswer]:
    """The purchase as it was answered, and later entries about it."""
    return answer(service.purchase(purchase_id))


@get(
    "/purchases",
    operation_id="find_purchase",
    tags=["purchases"],
    summary="Find a purchase by its receipt",
    responses=refusals(404),
)
async def find_purchase(
    store_id: StoreId, receipt_id: ReceiptId, service: NamedDependency[Service]
) -> Answer[PurchaseAnswer]:
    """By store and receipt number, as printed on the receipt."""
    return answer(service.purchase(store_id=store_id, receipt_id=receipt_id))


@post(
    "/returns",
    operation_id="record_return",
    tags=["purchases"],
    summary="Record a return",
    responses=refusals(404, 409, body=True, also=_PARKED),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def record_return(
    data: JSONBody[RecordReturn], service: NamedDependency[Service], idempotency_key: OptionalKey = None
) -> Answer[ReturnAnswer]:
    """Of some lines or all, once per `return_id`; a receipt that is not here yet is waited for (202)."""
    return written(await service.asubmit(data, key=idempotency_key))


@get(
    "/members/{member_id:str}/balance",
    operation_id="get_balance",
    tags=["members"],
    summary="Read a balance",
    responses=refusals(404),
)
async def get_balance(
    member_id: FromPath[str], service: NamedDependency[Service], at: At = None
) -> Answer[BalanceAnswer]:
    """Per wallet what is available, pending and owed, with every coming expiry; exact as of the last answered write."""
    if at is None:
        return answer(service.balance(member_id))
    return answer(await asyncio.to_thread(service.balance, member_id, instant_of(at)))


@post(
    "/members/{member_id:str}/adjustments",
    operation_id="adjust_points",
    tags=["members"],
    summary="Give or take points by hand",
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def adjust_points(
    member_id: FromPath[str], data: JSONBody[Adjustment], service: NamedDependency[Service], idempotency_key: Key
) -> Answer[AdjustmentAnswer]:
    """A correction by staff, with its reason and who made it; at most what is available can be taken."""
    with pointing_nowhere():
        return written(await service.asubmit(data.of(member_id), key=idempotency_key))


@post(
    "/members/{member_id:str}/activities",
    operation_id="record_activity",
    tags=["members"],
    summary="Record what a member did besides buying",
    responses=refusals(404, 409, body=True),
    response_headers=[IDEMPOTENCY_STATUS],
)
async def record_activity(
    member_id: FromPath[str], data: JSONBody[Activity], service: NamedDependency[Service], idempotency_key: Key
) -> Answer[ActivityAnswer]:
    """A review, a survey, a sign-up: what it gave and why, or why it gave nothing, such as a limit that is used up."""
    with pointing_nowhere():
        return written(await service.asubmit(data.of(member_id), key=idempotency_key))


@get("/health/live", operation_id="check_live", tags=["health"], summary="Is the process up?", responses=refusals())
async def check_live() -> Answer[Health]:
    """Answers while the process does."""
    return answer(Health())


@get(
    "/health/ready", operation_id="check_ready", tags=["health"], summary="May requests be sent?", responses=refusals()
)
async def check_ready(service: NamedDependency[Service]) -> Answer[Health]:
    """Answers 503 unless the database answers and the writer runs."""
    await asyncio.to_thread(service.health)
    return answer(Health())


V1 = (
    enrol_member,
    member_methods,
    get_member,
    change_member,
    change_contacts,
    merge_members,
    look_up_member,
    quote_purchase,
    purchase_methods,
    record_purchase,
    *OFFLINE,
    get_purchase,
    find_purchase,
    record_return,
    get_balance,
    get_statement,
    adjust_points,
    record_activity,
    *REWARDS,
    report_liability,
)
HEALTH = (check_live, check_ready)
