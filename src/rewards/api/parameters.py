"""What stands in addresses and headers: parameters, what errors make of them, and who asks.

What does not live here: the operations that take them (`routes`), and bodies (`wire`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter

from rewards.basket import Id, Instant
from rewards.days import instant
from rewards.errors import InvalidRequest, RewardsError
from rewards.service.service import Service

Asking = Request[Any, Any, Any]
Served = NamedDependency[Service]
_KEY = HeaderParameter(
    name="Idempotency-Key",
    min_length=1,
    max_length=200,
    pattern=r"^[!-~]+$",
    description="names this request: sent again with the same key and body, it is answered as the first time",
)
Key = Annotated[str, _KEY]
OptionalKey = Annotated[str | None, _KEY]
At = Annotated[
    str | None, QueryParameter(format="date-time", description="an RFC 3339 instant with an offset; without it, now")
]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="entries a page")]
Cursor = Annotated[str | None, QueryParameter(max_length=500, description="`next_cursor` of the page before")]
Language = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$", max_length=35, description="`en`, `ka`, `hy`, `kk` or `ru`"
    ),
]
FromMonth = Annotated[
    str | None,
    QueryParameter(
        name="from", pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="the first month, such as `2027-01`"
    ),
]
UntilMonth = Annotated[
    str | None,
    QueryParameter(name="until", pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="the last month; without it, this"),
]
StoreId = Annotated[Id, QueryParameter(min_length=1, max_length=100)]
ReceiptId = Annotated[Id, QueryParameter(min_length=1, max_length=100)]
_PLUS_LOST = re.compile(r" (\d\d:\d\d)$")  # a `+` in an address that was not written `%2B`


def address_of(request: Asking) -> str:
    """Return the network address of whoever asks: an open server knows its callers by nothing else."""
    return request.client.host if request.client is not None else ""


_OF_THE_ADDRESS = ("/member_id", "/gift_card_id", "/redemption_id")


@contextmanager
def pointing_nowhere(*names: str) -> Iterator[None]:
    """Errors about what the address names point nowhere: a member or a gift card, or the `names` alone."""
    try:
        yield
    except RewardsError as error:
        for name in names or (*_OF_THE_ADDRESS, "/member"):
            if error.pointer == name or error.pointer.startswith(f"{name}/"):
                error.pointer = error.pointer[len(name) :]
                break
        raise


def instant_of(text: str) -> int:
    """Return an instant of an address as microseconds; a `+` that became a space there is taken as meant."""
    try:
        return instant(msgspec.convert(_PLUS_LOST.sub(r"+\1", text), Instant))
    except (msgspec.ValidationError, OverflowError):
        raise InvalidRequest(
            "bad-parameter", f"`at` is `{text[:50]}`, not an RFC 3339 instant with an offset", pointer="/at"
        ) from None
