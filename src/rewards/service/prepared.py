"""Purchases made ready for the writer: what follows from the basket alone is worked out by the server.

The writer bounds how many purchases a second there are; the server has time. What
needs the state, or may be refused, stays the writer's. What does not live here:
what becomes of a prepared purchase (`purchases`).
"""

from __future__ import annotations

import msgspec

from rewards.basket import to_receipt
from rewards.errors import RewardsError
from rewards.service.asked import Asked, fingerprint
from rewards.service.commands import PreparedPurchase, RecordPurchase
from rewards.service.journal import pack
from rewards.service.running import Running
from rewards.service.sums import lines_of, sums_of

_json = msgspec.json.Encoder().encode


def prepared(running: Running, asked: Asked) -> Asked:
    """Return a command as it is best sent to the writer: prepared, if it is a purchase that can be.

    One with tenders, a quote or a gift card that is sold is sent as it came.

    Secret and time zone never change, so `running` may be older than what the writer knows. What cannot be
    prepared is sent as it came, so that the writer alone says what is wrong with it.
    """
    command = asked.command
    if type(command) is not RecordPurchase or running.program is None:
        return asked
    basket = command.basket
    if basket.tenders or basket.quote is not None:
        return asked
    if any(line.offer or line.stored_value is not None for line in basket.lines):
        return asked  # what the till decided, and cards that are sold, are the writer's to look at
    try:
        receipt = to_receipt(basket, running.zone)
        print_ = fingerprint(running.secret, command)
    except RewardsError:
        return asked
    ready = PreparedPurchase(
        member=basket.member,
        metadata=basket.metadata,
        print_=print_,
        receipt=receipt,
        body=pack(receipt),
        lines=_json(lines_of(receipt, {})),
        sums=sums_of(receipt),
    )
    return asked._replace(command=ready)
