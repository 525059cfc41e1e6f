"""The reports of `/v1`: a member's statement, as JSON or as text, and what finance asks for.

What does not live here: the other operations (`routes`), and how a report is worked out.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from litestar.connection import Request
from litestar.params import FromPath

from rewards.api.answers import Answer, answer
from rewards.api.operations import reads
from rewards.api.parameters import Cursor, FromMonth, Language, Limit, Served, UntilMonth
from rewards.service.answers import StatementAnswer
from rewards.service.liability import LiabilityAnswer

_JSON, _TEXT = "application/json", "text/plain"


@reads("/members/{member_id:str}/statement", "members", "Read a statement", 404, 422)
async def get_statement(
    request: Request[Any, Any, Any],
    member_id: FromPath[str],
    service: Served,
    limit: Limit = 50,
    cursor: Cursor = None,
    language: Language = None,
) -> Answer[StatementAnswer]:
    """Entries, newest first, each with its reasons; go on with `cursor` until `next_cursor` is null.

    With `Accept: text/plain`, a text for the member in `language`, else in the member's own: what is there, what
    came and went and why, what ends when; the next page is in the `Link` header. JSON has the exact reasons, or
    with `language` the customer's.
    """
    if request.accept.best_match([_JSON, _TEXT], default=_JSON) == _JSON:
        told = await asyncio.to_thread(service.statement, member_id, limit=limit, cursor=cursor, language=language)
        found: Answer[StatementAnswer] = answer(told)
        found.headers["Vary"] = "Accept"
        return found
    text, spoken, more = await asyncio.to_thread(
        service.letter, member_id, limit=limit, cursor=cursor, language=language
    )
    headers = {"Content-Language": spoken, "Vary": "Accept"}
    if more is not None:
        following = urlencode({"limit": limit, "cursor": more} | ({"language": language} if language else {}))
        headers["Link"] = f'<?{following}>; rel="next"'
    return Answer(text.encode(), status_code=200, media_type=_TEXT, headers=headers)


@reads("/reports/liability", "reports", "Report what is outstanding", 409, 422)
async def report_liability(
    service: Served, from_month: FromMonth = None, until_month: UntilMonth = None
) -> Answer[LiabilityAnswer]:
    """By wallet, kind of gift card and month of recording: what came, what went and what is left.

    Months that are over never change.
    """
    return answer(await asyncio.to_thread(service.liability, from_month, until_month))
