"""A quote's promise: a signed text, and what a purchase that brings it must be.

The text holds what was promised, not who was promised it. What does not live
here: how a quote is worked out (`purchases.draft`).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import blake2b
from hmac import compare_digest

import msgspec

from rewards.basket import Basket
from rewards.errors import Conflict, InvalidRequest
from rewards.receipt import Bought, Discount, Receipt
from rewards.service.batch import Batch
from rewards.service.journal import Timeline, pack

VALID = 30 * 60_000_000


class Promise(msgspec.Struct, frozen=True, array_like=True):
    """What a quote holds."""

    basket: bytes  # marks its content
    until: int
    policy_version: str
    discounts: tuple[Discount, ...] = ()
    bought: tuple[Bought, ...] = ()


_promise = msgspec.msgpack.Decoder(Promise)


def give(
    batch: Batch, line: Timeline, basket: Basket, policy_version: str, receipt: Receipt, now: int
) -> tuple[str, int]:
    """Return the text of a quote and the instant to which it is good."""
    secret, until = batch.running.secret, now + VALID
    data = pack(Promise(_mark(secret, line, basket), until, policy_version, receipt.discounts, receipt.bought))
    return f"q1.{_text(data)}.{_text(_seal(secret, data))}", until


def brought(batch: Batch, line: Timeline, basket: Basket, now: int) -> Promise | None:
    """Return what the quote that a purchase brings promised, None if it brings none.

    Raises `InvalidRequest` `quote-invalid` for a text that is none of ours, `Conflict` `quote-expired` or
    `quote-mismatch`.
    """
    if basket.quote is None:
        return None
    promise = _read(batch.running.secret, basket.quote)
    if promise.until < now:
        raise Conflict("quote-expired", "the quote has expired: ask for a new one", pointer="/quote")
    if promise.basket != _mark(batch.running.secret, line, basket):
        raise Conflict("quote-mismatch", "the quote is for another basket: ask for a new one", pointer="/quote")
    return promise


def _read(secret: bytes, quote: str) -> Promise:
    parts = quote.split(".")
    try:
        version, data, seal = parts[0], urlsafe_b64decode(parts[1] + "=="), urlsafe_b64decode(parts[2] + "==")
        if len(parts) == 3 and version == "q1" and compare_digest(seal, _seal(secret, data)):  # noqa: PLR2004
            return _promise.decode(data)
    except (IndexError, NotBase64, ValueError):
        pass
    raise InvalidRequest("quote-invalid", "`quote` is no quote of this program", pointer="/quote")


def _mark(secret: bytes, line: Timeline, basket: Basket) -> bytes:
    """Mark what a quote is about: who buys what, where; not when, nor how it is paid."""
    content = (line.owner, basket.store_id, basket.currency, basket.lines, basket.discount_minor)
    asked: tuple[object, ...] = (basket.codes, basket.rewards)
    if any(one.hold_id for one in basket.tenders):  # one that pays no amount gives what is promised
        asked = (*asked, tuple(one.hold_id for one in basket.tenders if one.hold_id and not one.amount_minor))
    return blake2b(pack((content, asked)), digest_size=20, key=secret, person=b"basket").digest()


def _seal(secret: bytes, data: bytes) -> bytes:
    return blake2b(data, digest_size=18, key=secret, person=b"quote").digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
