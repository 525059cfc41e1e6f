"""PINs of gift cards: known by a keyed hash, and how often one may be wrong.

A wrong PIN is an event of its card, so that it counts over restarts and in
every process. Whoever asks learns one thing whatever is wrong: there is no such
gift card. What does not live here: how often a caller may ask (`rewards.api`).
"""

from __future__ import annotations

from hmac import compare_digest

from rewards.ledger.gift_cards import Activity
from rewards.service.batch import Batch
from rewards.service.codes import is_code, normal, pin_hash
from rewards.service.gift_cards import by_code, happen, unknown
from rewards.service.journal import Timeline

_NO_PRINT = bytes(32)


def opened(batch: Batch, now: int, code: str, pin: str, pointer: str) -> Timeline:
    """Return the card that a code and a PIN lead to; on a write, a wrong PIN is counted.

    Raises `NotFound` `unknown-gift-card` alike for no such code, a wrong or missing PIN and a locked card.
    """
    line = by_code(batch, code) if is_code(normal(code)) else None
    card = line.card if line is not None else None
    owner = line.owner if line is not None else 0
    wanted = card.pin if card is not None and card.pin else _NO_PRINT
    right = compare_digest(pin_hash(batch.running.secret, owner, pin), wanted)
    if line is not None and card is not None and card.state != "locked":
        if right or not card.pin:
            return line
        if pin:
            _count(batch, now, line, card.misses + 1)
    raise unknown(pointer)


def _count(batch: Batch, now: int, line: Timeline, misses: int) -> None:
    kind = "LOCK" if misses >= batch.running.pin_tries else "WRONG_PIN"
    happen(batch, now, line, Activity(kind, at=now), bytes(32), at=now)
