"""Answers as responses: bytes that are sent as they are, and what each operation may answer.

What does not live here: problem documents (`problems`), and the records
themselves (`rewards.service.answers`, `bodies`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response

from rewards.api.problems import MEDIA_TYPE, Problem
from rewards.service.commands import Outcome

T = TypeVar("T")

_ENCODE = msgspec.json.Encoder().encode
_ANY = (400, 403, 500, 503)
_WITH_BODY = (413, 415, 422)
_SAID = {
    400: "The request cannot be read, or does not have the form of the schema",
    403: "The server does not answer to this host",
    404: "What was named is not here",
    409: "It contradicts what was recorded, or what is there",
    413: "The body is longer than 1 MiB",
    415: "The body is not announced as plain JSON",
    422: "The document does not agree with itself or with the program",
    429: "Too many wrong codes or PINs from this address; wait for `Retry-After` seconds",
    500: "The server failed; the log has the number in `instance`",
    503: "Busy, closing or lost; send the same request again: what was written counts once",
}

IDEMPOTENCY_STATUS = ResponseHeader(
    name="Idempotency-Status",
    documentation_only=True,
    description="`created`, or `replayed` when these are the bytes that an earlier, equal request was answered with",
)


class Answer(Response[Any], Generic[T]):
    """A record of type `T`, already encoded."""


def answer(record: msgspec.Struct) -> Answer[Any]:
    """Answer what was read."""
    return Answer(_ENCODE(record), status_code=200, media_type="application/json")


def written(outcome: Outcome) -> Answer[Any]:
    """Answer what was written, byte for byte as it is stored."""
    status = "replayed" if outcome.replayed else "created"
    return Answer(
        outcome.body,
        status_code=outcome.status,
        media_type="application/json",
        headers={"Idempotency-Status": status},
    )


def refusals(
    *statuses: int, body: bool = False, also: Mapping[int, ResponseSpec] | None = None
) -> dict[int, ResponseSpec]:
    """Return the problem documents that an operation may answer, and `also` other successes."""
    every = sorted({*_ANY, *statuses, *(_WITH_BODY if body else ())})
    specs = {
        status: ResponseSpec(Problem, generate_examples=False, description=_SAID[status], media_type=MEDIA_TYPE)
        for status in every
    }
    return {**(also or {}), **specs}
