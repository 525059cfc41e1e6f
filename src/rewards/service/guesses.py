"""Wrong codes and PINs: how many a caller may send, and how many are looked at for one card.

Both counts are written by the writer in the transaction that answers the guess: they hold over restarts, in
every process, and however many ask at once. A right code writes nothing. Who is called by no name (this machine's
own commands) is not counted. Rows hold keyed hashes, no code and no address.
What does not live here: what is right (`pins`, `claims`), and who asks (`rewards.api`).
"""

from __future__ import annotations

from hashlib import blake2b

from rewards.errors import TryAgain
from rewards.ledger.lots import NEVER
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.store import statements


def check(batch: Batch, asked: Asked) -> None:
    """Raise `TryAgain` `too-many-guesses` for a caller who was wrong too often, before anything is looked at.

    So many may be wrong at once; then one more each time that a share of the seconds has passed.
    """
    known = batch.guesses.get(_caller(batch, asked)) if asked.who else None
    if known is None:
        return
    tries = batch.running.tries
    wait_us = known[1] + tries.cost_us - tries.span_us - asked.now
    if wait_us > 0:
        seconds = -(-wait_us // 1_000_000)
        message = f"too many codes or PINs were wrong: ask again in {seconds} seconds"
        raise TryAgain("too-many-guesses", message, retry_after_seconds=seconds)


def count(batch: Batch, asked: Asked, about: str = "", *, for_ever: bool = False) -> None:
    """Count a wrong guess: of its caller, and `about` what was named, where that has a count of its own."""
    if asked.who:
        key = _caller(batch, asked)
        wrong, free_at = batch.guesses.get(key) or (0, 0)
        _save(batch, key, wrong + 1, max(free_at, asked.now) + batch.running.tries.cost_us, asked.now)
    if about:
        until = NEVER if for_ever else asked.now + batch.running.tries.span_us
        _save(batch, _key(batch, about), made(batch, about) + 1, until, asked.now)


def made(batch: Batch, about: str) -> int:
    """Return how many guesses about something were wrong."""
    known = batch.guesses.get(_key(batch, about))
    return known[0] if known is not None else 0


def forget(batch: Batch, about: str) -> None:
    """Begin to count anew about something."""
    key = _key(batch, about)
    if batch.guesses.get(key) is not None:
        _drop(batch, key, 0)
        batch.guesses.put((key,), None)


def _save(batch: Batch, key: str, wrong: int, free_at: int, now: int) -> None:
    _drop(batch, key, now)
    batch.more[statements.ADD_GUESS].append((key, wrong, free_at))
    batch.guesses.put((key,), (wrong, free_at))


def _drop(batch: Batch, key: str, now: int) -> None:
    """Have a row deleted before others are added, and with it all that count no longer at an instant."""
    batch.more[statements.DROP_GUESSES].append((key, now))
    added = batch.more[statements.ADD_GUESS]
    added[:] = [row for row in added if row[0] != key]


def _caller(batch: Batch, asked: Asked) -> str:
    return _key(batch, f"caller {asked.who}")


def _key(batch: Batch, about: str) -> str:
    return blake2b(about.encode(), digest_size=16, key=batch.running.secret, person=b"guess").hexdigest()
