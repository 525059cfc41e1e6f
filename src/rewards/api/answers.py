"""Answers as responses: bytes that are sent as they are.

What does not live here: problem documents (`problems`), what each operation may answer (`operations`), and the
records themselves (`rewards.service.answers`, `bodies`).
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from litestar.response import Response

from rewards.service.commands import Outcome

T = TypeVar("T")

_ENCODE = msgspec.json.Encoder().encode


class Answer(Response[Any], Generic[T]):
    """A record of type `T`, already encoded."""


def answer(record: msgspec.Struct) -> Answer[Any]:
    """Answer what was read."""
    return Answer(_ENCODE(record), status_code=200, media_type="application/json")


def written(outcome: Outcome) -> Answer[Any]:
    """Answer what was written, byte for byte as it is stored."""
    status = "replayed" if outcome.replayed else "created"
    return Answer(
        outcome.body, status_code=outcome.status, media_type="application/json", headers={"Idempotency-Status": status}
    )
