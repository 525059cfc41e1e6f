"""The reports of `/v1`: what finance asks for.

What does not live here: the other operations (`routes`), and how a report is worked out.
"""

from __future__ import annotations

import asyncio

from litestar import get
from litestar.di import NamedDependency

from rewards.api.answers import Answer, answer, refusals
from rewards.api.parameters import FromMonth, UntilMonth
from rewards.service.liability import LiabilityAnswer
from rewards.service.service import Service


@get(
    "/reports/liability",
    operation_id="report_liability",
    tags=["reports"],
    summary="Report what is outstanding",
    responses=refusals(409, 422),
)
async def report_liability(
    service: NamedDependency[Service], from_month: FromMonth = None, until_month: UntilMonth = None
) -> Answer[LiabilityAnswer]:
    """By wallet and month of recording: what came, what went and what is left. Months that are over never change."""
    return answer(await asyncio.to_thread(service.liability, from_month, until_month))
