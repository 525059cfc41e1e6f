"""Codes and PINs that are shown: which card they lead to, and what a wrong one counts.

A PIN is known by a keyed hash. Whoever asks learns one thing whatever is wrong: there is no such gift card. So
that the time tells no more than the answer, a code of no card costs the same reads, hashes and rows as the wrong PIN
of a card. What does not live here: how often somebody may be wrong (`guesses`).
"""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest

from rewards.ledger.gift_cards import Activity
from rewards.service import guesses
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.codes import is_code, normal, pin_hash
from rewards.service.gift_cards import happen
from rewards.service.journal import Timeline
from rewards.service.known_cards import by_code, nearest, unknown

_NO_PRINT = bytes(32)


def opened(batch: Batch, asked: Asked, code: str, pin: str, pointer: str) -> Timeline:
    """Return the card that a code and a PIN lead to; on a write, what is wrong is counted.

    Raises `NotFound` `unknown-gift-card` alike for no such code, a wrong or missing PIN and a locked card, and
    `TryAgain` `too-many-guesses`. A slip, which the check symbol tells, is looked up nowhere and counts nothing.
    """
    text = normal(code)
    if not is_code(text):
        raise unknown(pointer)
    guesses.check(batch, asked)
    line, known = nearest(batch, text)
    card = line.card if line is not None else None
    owner, wanted = (line.owner, card.pin or _NO_PRINT) if line is not None and card is not None else (0, _NO_PRINT)
    right = compare_digest(pin_hash(batch.running.secret, owner, pin), wanted)
    about = (_of_card(owner) if known else f"code {text}") if pin else ""
    tried = guesses.made(batch, about) if about else 0
    lock = tried + 1 >= batch.running.tries.pins
    if known and line is not None and card is not None:
        if card.state != "locked" and tried < batch.running.tries.pins and (right or not card.pin):
            return line
        if lock and about and card.state == "active":
            happen(batch, asked.now, line, Activity("LOCK", at=asked.now), bytes(32), at=asked.now)
    guesses.count(batch, asked, about, for_ever=known)
    raise unknown(pointer)


def _of_card(owner: int) -> str:
    return f"card {owner}"


def begin_anew(batch: Batch, line: Timeline) -> None:
    """Forget the wrong PINs of a card: it was spent from, or staff have it in use again."""
    if line.card is not None and line.card.pin:
        guesses.forget(batch, _of_card(line.owner))


def looked_up(batch: Batch, asked: Asked, codes: Iterable[str]) -> None:
    """Count the codes that lead nowhere, before they are looked up for what they give; raise `TryAgain` as `opened`."""
    for code in codes:
        if asked.who and is_code(normal(code)):
            guesses.check(batch, asked)
            if by_code(batch, code) is None:
                guesses.count(batch, asked)
