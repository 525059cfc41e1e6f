"""A year of a supermarket, recorded as it happened: the liability report of each month is what balances were then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from rewards import importer
from rewards.basket import MemberRef
from rewards.days import instant, midnight, moment
from rewards.policy.compile import load_policy
from rewards.service.commands import Command, Outcome, Publish, RecordPurchase, RecordReturn
from rewards.service.liability import LiabilityRow
from rewards.service.service import Service
from rewards.store.database import Store
from tests.data.conftest import HERE
from tests.data.independent import read

PROGRAM = (HERE / "programs" / "grocery-card.yaml").read_bytes()
MONTHLY = PROGRAM.replace(b"{after: 3 months, since: last_visit}", b"{at: end_of_month}")


class Diary:
    """Stands before a service: what comes is recorded a day after it happened, and month's ends are noted."""

    def __init__(self, service: Service, zone: ZoneInfo, clock: list[int]) -> None:
        self._service, self._zone, self._clock = service, zone, clock
        self.ends: dict[str, dict[str, int]] = {}
        self.told: dict[str, list[LiabilityRow]] = {}
        self.members: list[str] = []
        self._last: Future[Outcome] | None = None

    def submit_all(self, commands: Sequence[Command], *, caller: str) -> list[Future[Outcome]]:
        futures = []
        for command in commands:
            if isinstance(command, RecordPurchase | RecordReturn):
                at = command.basket.occurred_at if isinstance(command, RecordPurchase) else command.occurred_at
                self.until(instant(at + timedelta(days=1)))
            self._last = self._service.submit(command, caller=caller)
            futures.append(self._last)
        return futures

    def until(self, now: int) -> None:
        """Let time pass; note what everybody has whenever a month is over."""
        while (month := self._month(self._clock[0])) < self._month(now):
            following = (moment(self._clock[0], self._zone).replace(day=1) + timedelta(days=32)).replace(day=1)
            self._clock[0] = midnight(following.toordinal(), self._zone)
            if self._last is not None:
                self._last.exception()  # the writer answers in order: all that came is recorded
            self.ends[month] = self._outstanding()
            self.told[month] = self._service.liability(month, month).rows
        self._clock[0] = max(self._clock[0], now)

    def _month(self, at: int) -> str:
        return moment(at, self._zone).strftime("%Y-%m")

    def _outstanding(self) -> dict[str, int]:
        sums: dict[str, int] = {"points": 0, "gallons": 0}
        for name in self.members:
            member = self._service.member(MemberRef(external_id=name)).member_id
            for wallet, held in self._service.balance(member).wallets.items():
                sums[wallet] += held.available + held.pending - held.debt
        return sums


def check(program: bytes, file: Path, path: str) -> None:
    zone = load_policy(program).zone
    events = read(file)
    members = {event["member_id"] for event in events if event["member_id"] is not None}
    first = min(datetime.fromisoformat(event["occurred_at"]) for event in events)
    last = max(datetime.fromisoformat(event["occurred_at"]) for event in events)
    clock = [instant(first.astimezone(UTC))]
    service = Service(Store.open(path), clock=lambda: clock[0])
    service.do(Publish(program))
    diary = Diary(service, zone, clock)
    diary.members = sorted(members)
    importer.run(cast("Service", diary), file, zone=zone)
    diary.until(instant(last + timedelta(days=200)))
    rows = service.liability(diary.ends and min(diary.ends)).rows
    assert len(diary.ends) >= 12
    assert [row for row in rows if row.difference] == []
    for month, sums in diary.ends.items():
        mine = [row for row in rows if row.month == month]
        assert {row.unit: row.closing for row in mine} == sums, month
        assert mine == diary.told[month]
    assert sum(row.issued for row in rows) > 1_000
    assert sum(row.expired for row in rows) > 1_000
    assert [row.closing for row in rows[-2:]] == [0, 0]
    service.close()


def test_points_that_end_with_the_month(history: Callable[[str, int], Path], tmp_path: Path) -> None:
    assert MONTHLY != PROGRAM
    check(MONTHLY, history("complete_journey.part-a.jsonl.gz", 60), f"sqlite:///{tmp_path}/monthly.db")


def test_points_that_end_so_long_after_the_last_visit(history: Callable[[str, int], Path], tmp_path: Path) -> None:
    check(PROGRAM, history("complete_journey.part-a.jsonl.gz", 60), f"sqlite:///{tmp_path}/moving.db")
