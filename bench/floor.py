"""The framework's own ceiling: an endpoint that decodes a purchase and answers the same body without doing anything."""

import os

import msgspec
from litestar import Litestar, post

from rewards.basket import Basket
from rewards.service.answers import PurchaseAnswer

_answers: list[PurchaseAnswer] = []


@post("/v1/purchases")
async def purchases(data: Basket) -> PurchaseAnswer:
    return _answers[0] if data.lines else _answers[-1]


def create() -> Litestar:
    _answers.append(msgspec.json.decode(os.environ["BENCH_ANSWER"], type=PurchaseAnswer))
    return Litestar([purchases], openapi_config=None, logging_config=None)
