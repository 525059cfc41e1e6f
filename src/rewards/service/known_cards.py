"""Gift cards that are there: by a code, or by the id that a receipt keeps.

What does not live here: PINs (`pins`), and what happens to a card (`gift_cards`).
"""

from __future__ import annotations

from rewards.errors import NotFound
from rewards.ledger.gift_cards import Activity
from rewards.service.batch import Batch
from rewards.service.codes import code_hash, is_code, normal
from rewards.service.gift_cards import happen
from rewards.service.journal import Timeline
from rewards.store import statements

_NOBODY = 0  # no owner has this number


def by_code(batch: Batch, text_: str) -> Timeline | None:
    """Return the card that a code leads to, or None; what cannot be a code is not looked up."""
    code = normal(text_)
    if not is_code(code):
        return None
    line, right = nearest(batch, code)
    return line if right else None


def nearest(batch: Batch, code: str) -> tuple[Timeline | None, bool]:
    """Return the card that a code leads to; for a code of no card, another one (None if there is none) and False.

    So the time that it takes does not tell which of the two it was.
    """
    hash_ = code_hash(batch.running.secret, code)
    rows = batch.session.rows(statements.NEAREST_CODE, (hash_,))
    found, owner = rows[0] if rows else (b"", _NOBODY)
    line, right = batch.line(owner), found == hash_
    return lapse(batch, line) if right and line is not None else line, right


def lapse(batch: Batch, line: Timeline) -> Timeline:
    """End the holds of a card that have run out by now; return the card."""
    for hold in line.card.holds if line.card is not None else ():
        if hold.until <= batch.now:
            activity = Activity("LAPSE", at=hold.until, hold=hold.id)
            print_ = batch.running.print_of(hold.id)
            happen(batch, batch.now, line, activity, print_, at=hold.until, ends=hold.id)
    return line


def by_id(batch: Batch, gift_card_id: str) -> Timeline | None:
    """Return the card of an id, or None."""
    owner = batch.running.ids.read_gift_card(gift_card_id)
    line = batch.line(owner) if owner is not None else None
    return line if line is not None and line.card is not None else None


def surely_by_id(batch: Batch, gift_card_id: str) -> Timeline:
    """Return the card of an id that a receipt keeps, as it is now."""
    line = by_id(batch, gift_card_id)
    assert line is not None
    return lapse(batch, line)


def unknown(pointer: str) -> NotFound:
    """Return the refusal of a card that is not here."""
    return NotFound("unknown-gift-card", "there is no such gift card", pointer=pointer)
