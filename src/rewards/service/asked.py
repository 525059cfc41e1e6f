"""A command on its way to the writer, with who asked, and what marks it as the same again.

What does not live here: what becomes of it (`writes`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import msgspec

from rewards.days import instant
from rewards.errors import InvalidRequest
from rewards.service.commands import (
    Command,
    OfflinePurchase,
    OfflineReturn,
    PreparedPurchase,
    RecordPurchase,
    RecordReturn,
)
from rewards.service.journal import pack

C = TypeVar("C")
IMPORT, SCENARIO = "import", "scenario"
_SAME: dict[type[Command], type[Command]] = {OfflinePurchase: RecordPurchase, OfflineReturn: RecordReturn}
_LATE = 45 * 86_400_000_000
_EARLY = 5 * 60_000_000
_FIRST, _LAST = instant(datetime(1900, 1, 1, tzinfo=UTC)), instant(datetime(2200, 1, 1, tzinfo=UTC))


class Asked(NamedTuple):
    """A command, who asked, under which idempotency key, and when (microseconds, UTC); who is counted for guesses."""

    command: Command
    caller: str
    key: str | None
    now: int
    who: str = ""  # where a wrong code or PIN counts; nobody is this machine itself

    @property
    def silent(self) -> bool:
        """Whether nobody reads the answer."""
        return self.caller == IMPORT

    @property
    def trusted(self) -> bool:
        """Whether old events and long receipts are taken."""
        return self.caller in {IMPORT, SCENARIO}

    @property
    def offline(self) -> bool:
        """Whether a till that was offline reports what took place."""
        return isinstance(self.command, OfflinePurchase | OfflineReturn)

    def of(self, kind: type[C]) -> C:
        """Return the command, which is of this kind: `writes` sends each kind to a module of its own."""
        assert isinstance(self.command, kind)
        return self.command

    def when(self, occurred_at: datetime | None) -> int:
        """Return when something took place, now if nobody says; raise `InvalidRequest` as `check_instant`."""
        at = instant(occurred_at) if occurred_at is not None else self.now
        self.check_instant(at)
        return at

    def check_instant(self, at: int) -> None:
        """Raise `InvalidRequest` `time-out-of-range` for an event too old or yet to come."""
        first, last = (_FIRST, _LAST) if self.trusted else (self.now - _LATE, self.now + _EARLY)
        if not first <= at <= last:
            why = "is before 1900 or after 2199" if self.trusted else "is more than 45 days back or 5 minutes ahead"
            raise InvalidRequest("time-out-of-range", f"`occurred_at` {why}", pointer="/occurred_at")


def fingerprint(secret: bytes, command: Command) -> bytes:
    """Return what marks a command's content; a purchase's quote is none of it, nor is the order of keys, nor the way.

    It is keyed, so that nothing personal can be guessed from it.
    """
    if isinstance(command, PreparedPurchase):
        return command.print_
    name = _SAME.get(type(command), type(command)).__name__
    if isinstance(command, RecordPurchase) and command.basket.quote is not None:
        command = RecordPurchase(msgspec.structs.replace(command.basket, quote=None))
    return blake2b(canonical(command), digest_size=32, key=secret, person=name.encode()[:16]).digest()


def canonical(command: object) -> bytes:
    """Return the canonical bytes of a command; raise `InvalidRequest` for an instant of no calendar."""
    try:
        return pack(command)
    except OverflowError:  # an instant of year 1 or 9999 whose UTC is of no year
        raise InvalidRequest(
            "time-out-of-range", "the instant is outside the calendar", pointer="/occurred_at"
        ) from None
