"""The operations of `/v1` and of health: each decodes nothing and decides nothing, it asks the service.

What does not live here: those of policies (`policy_routes`), of gift cards (`card_routes`), of holds (`hold_routes`)
and of what comes after the till (`offline_routes`), parameters (`parameters`), strict bodies (`wire`), problem
documents (`problems`), and who may call (`app`). Writes wait for the writer; short reads run in the event loop, longer
ones in a thread.
"""

from __future__ import annotations

import asyncio

from litestar import patch
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec.structs import asdict

from rewards.api.answers import Answer, answer, written
from rewards.api.bodies import (
    Activity,
    Adjustment,
    Cancellation,
    ContactsChange,
    Health,
    MemberChange,
    Merge,
    Redemption,
)
from rewards.api.offline_routes import OFFLINE
from rewards.api.operations import asks, names_methods, reads, writes
from rewards.api.parameters import (
    Asking,
    At,
    Key,
    OptionalKey,
    ReceiptId,
    Served,
    StoreId,
    address_of,
    instant_of,
    pointing_nowhere,
)
from rewards.api.reports import get_statement, report_liability
from rewards.basket import Basket, MemberRef
from rewards.service import card_tenders
from rewards.service.adjustments import AdjustmentAnswer
from rewards.service.answers import ActivityAnswer, BalanceAnswer, MemberAnswer, PurchaseAnswer, ReturnAnswer
from rewards.service.commands import (
    Adjust,
    CancelRedemption,
    ChangeContacts,
    ChangeMember,
    Enrol,
    MergeMembers,
    RecordActivity,
    RecordPurchase,
    RecordReturn,
    Redeem,
)
from rewards.service.merging import MergeAnswer
from rewards.service.reward_answers import CancellationAnswer, RedemptionAnswer

_PARKED = {202: ResponseSpec(ReturnAnswer, generate_examples=False, description="Kept until the purchase arrives")}


@writes("/members", "members", "Enrol a member", 404, 409)
async def enrol_member(data: JSONBody[Enrol], service: Served, idempotency_key: Key) -> Answer[MemberAnswer]:
    """Without `card`, a number with a check digit is issued; without `joined`, the member joins today."""
    return written(await service.asubmit(data, key=idempotency_key))


@reads("/members/{member_id:str}", "members", "Read a member", 404)
async def get_member(member_id: FromPath[str], service: Served) -> Answer[MemberAnswer]:
    """The member as enrolled."""
    with pointing_nowhere():
        return answer(service.member(MemberRef(id=member_id)))


@writes("/members/{member_id:str}", "members", "Change a member", 404, 409, method=patch)
async def change_member(
    member_id: FromPath[str], data: JSONBody[MemberChange], service: Served, idempotency_key: OptionalKey = None
) -> Answer[MemberAnswer]:
    """State, name, language, birthday, attributes; the last two from the start of today, for its purchases too."""
    with pointing_nowhere():
        return written(await service.asubmit(ChangeMember(member_id=member_id, **asdict(data)), key=idempotency_key))


@writes(
    "/members/{member_id:str}/contacts",
    "members",
    "Add and take away cards, phones, e-mails",
    404,
    409,
    status_code=200,
)
async def change_contacts(
    member_id: FromPath[str], data: JSONBody[ContactsChange], service: Served, idempotency_key: Key
) -> Answer[MemberAnswer]:
    """All of it or nothing. A card that is taken away is lost: refused as `card-replaced`, and nobody's ever again."""
    with pointing_nowhere():
        return written(await service.asubmit(ChangeContacts(member_id=member_id, **asdict(data)), key=idempotency_key))


@writes("/members/{member_id:str}/merge", "members", "Have two members be one", 404, 409, status_code=200)
async def merge_members(
    member_id: FromPath[str], data: JSONBody[Merge], service: Served, idempotency_key: Key
) -> Answer[MergeAnswer]:
    """The member of the address stays; what both did counts as one history, and limits count both. It can't be undone.

    Cards, phones and e-mails move; the other's id, and those of its purchases, lead to this member from then on.
    """
    with pointing_nowhere("/member_id"):
        return written(await service.asubmit(MergeMembers(member_id=member_id, **asdict(data)), key=idempotency_key))


@asks("/members/lookup", "members", "Find a member by card, phone or e-mail", 404)
async def look_up_member(data: JSONBody[MemberRef], service: Served) -> Answer[MemberAnswer]:
    """Exactly one key; in the body, so that no personal data stands in an address."""
    with pointing_nowhere():
        return answer(service.member(data))


@asks("/quotes", "purchases", "Ask what a basket would get", 404, 409, 429)
async def quote_purchase(data: JSONBody[Basket], service: Served, request: Asking) -> Answer[PurchaseAnswer]:
    """The answer of a purchase, with nothing written: what would be earned, why, and what is just out of reach."""
    if (proof := card_tenders.proof(data)) is not None:
        await service.asubmit(proof, who=address_of(request))
    return answer(service.quote(data, proved=True))


@writes("/purchases", "purchases", "Record a purchase", 404, 409, 429)
async def record_purchase(
    data: JSONBody[Basket], service: Served, request: Asking, idempotency_key: OptionalKey = None
) -> Answer[PurchaseAnswer]:
    """Once per store and receipt number: sent again it gets the same bytes, with other content it is refused."""
    return written(await service.asubmit(RecordPurchase(data), key=idempotency_key, who=address_of(request)))


@reads("/purchases/{purchase_id:str}", "purchases", "Read a purchase", 404)
async def get_purchase(purchase_id: FromPath[str], service: Served) -> Answer[PurchaseAnswer]:
    """The purchase as it was answered, and later entries about it."""
    return answer(service.purchase(purchase_id))


@reads("/purchases", "purchases", "Find a purchase by its receipt", 404)
async def find_purchase(store_id: StoreId, receipt_id: ReceiptId, service: Served) -> Answer[PurchaseAnswer]:
    """By store and receipt number, as printed on the receipt."""
    return answer(service.purchase(store_id=store_id, receipt_id=receipt_id))


@writes("/returns", "purchases", "Record a return", 404, 409, also=_PARKED)
async def record_return(
    data: JSONBody[RecordReturn], service: Served, idempotency_key: OptionalKey = None
) -> Answer[ReturnAnswer]:
    """Of some lines or all, once per `return_id`; a receipt that is not here yet is waited for (202)."""
    return written(await service.asubmit(data, key=idempotency_key))


@reads("/members/{member_id:str}/balance", "members", "Read a balance", 404)
async def get_balance(member_id: FromPath[str], service: Served, at: At = None) -> Answer[BalanceAnswer]:
    """Per wallet what is available, pending and owed, with every coming expiry; exact as of the last answered write."""
    if at is None:
        return answer(service.balance(member_id))
    return answer(await asyncio.to_thread(service.balance, member_id, instant_of(at)))


@writes("/members/{member_id:str}/adjustments", "members", "Give or take points by hand", 404, 409)
async def adjust_points(
    member_id: FromPath[str], data: JSONBody[Adjustment], service: Served, idempotency_key: Key
) -> Answer[AdjustmentAnswer]:
    """A correction by staff, with its reason and who made it; at most what is available can be taken."""
    with pointing_nowhere():
        return written(
            await service.asubmit(Adjust(member=MemberRef(id=member_id), **asdict(data)), key=idempotency_key)
        )


@writes("/members/{member_id:str}/activities", "members", "Record what a member did besides buying", 404, 409)
async def record_activity(
    member_id: FromPath[str], data: JSONBody[Activity], service: Served, idempotency_key: Key
) -> Answer[ActivityAnswer]:
    """A review, a survey, a sign-up: what it gave and why, or why it gave nothing, such as a limit that is used up."""
    with pointing_nowhere():
        return written(
            await service.asubmit(RecordActivity(member=MemberRef(id=member_id), **asdict(data)), key=idempotency_key)
        )


@writes("/members/{member_id:str}/redemptions", "members", "Have points buy a reward outside a basket", 404, 409)
async def redeem_reward(
    member_id: FromPath[str], data: JSONBody[Redemption], service: Served, idempotency_key: Key
) -> Answer[RedemptionAnswer]:
    """An item or gift cards, with the lots that paid. A card's code is told once; sent again, a new one is shown."""
    with pointing_nowhere():
        return written(
            await service.asubmit(Redeem(member=MemberRef(id=member_id), **asdict(data)), key=idempotency_key)
        )


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
        return written(
            await service.asubmit(
                CancelRedemption(member_id=member_id, redemption_id=redemption_id, **asdict(data)), key=idempotency_key
            )
        )


@reads("/health/live", "health", "Is the process up?")
async def check_live() -> Answer[Health]:
    """Answers while the process does."""
    return answer(Health())


@reads("/health/ready", "health", "May requests be sent?")
async def check_ready(service: Served) -> Answer[Health]:
    """Answers 503 unless the database answers and the writer runs."""
    await asyncio.to_thread(service.health)
    return answer(Health())


V1 = (
    enrol_member,
    names_methods("/members/{member_id:str}", "GET, OPTIONS, PATCH"),
    get_member,
    change_member,
    change_contacts,
    merge_members,
    look_up_member,
    quote_purchase,
    names_methods("/purchases", "GET, OPTIONS, POST"),
    record_purchase,
    *OFFLINE,
    get_purchase,
    find_purchase,
    record_return,
    get_balance,
    get_statement,
    adjust_points,
    record_activity,
    redeem_reward,
    cancel_redemption,
    report_liability,
)
HEALTH = (check_live, check_ready)
