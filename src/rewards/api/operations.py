"""How operations are declared: each is one line above its function, which has its id for a name.

What does not live here: the operations themselves (`routes` and its neighbours), and how they answer (`answers`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litestar import HttpMethod, Response, get, post, route
from litestar.datastructures import ResponseHeader
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from rewards.api.problems import MEDIA_TYPE, Problem

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
_IDEMPOTENCY_STATUS = ResponseHeader(
    name="Idempotency-Status",
    documentation_only=True,
    description="`created`, or `replayed` when these are the bytes that an earlier, equal request was answered with",
)

Declared = Callable[[Callable[..., Any]], HTTPRouteHandler]
Successes = Mapping[int, ResponseSpec] | None


def reads(path: str, tag: str, summary: str, *refused: int) -> Declared:
    """Declare a GET; `refused` are the statuses of its refusals beside those of every operation."""
    return _declared(get, path, tag, summary, _answers(refused))


def asks(path: str, tag: str, summary: str, *refused: int, also: Successes = None, **how: Any) -> Declared:
    """Declare a POST that records nothing, and is answered with 200."""
    return _declared(post, path, tag, summary, _answers((*refused, *_WITH_BODY), also), status_code=200, **how)


def writes(
    path: str, tag: str, summary: str, *refused: int, method: Any = post, also: Successes = None, **how: Any
) -> Declared:
    """Declare what is recorded, once: a POST that creates something, or what `method` and `status_code` say."""
    how["response_headers"] = [_IDEMPOTENCY_STATUS]
    return _declared(method, path, tag, summary, _answers((*refused, *_WITH_BODY), also), **how)


def _declared(method: Any, path: str, tag: str, summary: str, answers: dict[int, ResponseSpec], **how: Any) -> Declared:
    def declare(work: Callable[..., Any]) -> HTTPRouteHandler:
        declared = method(path, operation_id=work.__name__, tags=[tag], summary=summary, responses=answers, **how)
        handler: HTTPRouteHandler = declared(work)
        return handler

    return declare


def _answers(refused: tuple[int, ...], also: Successes = None) -> dict[int, ResponseSpec]:
    """Return the problem documents that an operation may answer, and `also` other successes."""
    specs = {
        status: ResponseSpec(Problem, generate_examples=False, description=_SAID[status], media_type=MEDIA_TYPE)
        for status in sorted({*_ANY, *refused})
    }
    return {**(also or {}), **specs}


def names_methods(path: str, allowed: str) -> HTTPRouteHandler:
    """Return the answer to OPTIONS; the framework's own knows only the method that was registered first."""

    @route(path, http_method=HttpMethod.OPTIONS, include_in_schema=False, status_code=204)
    async def name_methods() -> Response[None]:
        return Response(None, headers={"Allow": allowed})

    return name_methods
