"""How often one address may be wrong about a gift card's code or PIN.

Counted in this process alone and by network address, because an open server
knows its callers by nothing else: behind a proxy all of them are one. The
count on the card itself (`rewards.service.pins`) holds over restarts and in
every process. Only what names a code is refused; a till goes on selling.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from litestar import Request
from litestar.datastructures import State

from rewards.basket import Basket
from rewards.errors import NotFound, TryAgain

Asking = Request[Any, Any, State]
MOST, SECONDS = 60, 600
_ADDRESSES = 10_000  # remembered at once; the first to be forgotten is the one that was seen first


def address_of(request: Asking) -> str:
    """Return the network address of whoever asks."""
    return request.client.host if request.client is not None else ""


def guesses_of(request: Asking) -> Guesses:
    """Return the count that the application keeps; a second dependency would cost every purchase a group of tasks."""
    found: Guesses = request.app.state.guesses
    return found


class Guesses:
    """Wrong guesses by address. What is under way counts as wrong until it is answered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none; the clock counts seconds."""
        self._clock = clock
        self._wrong: defaultdict[str, deque[float]] = defaultdict(deque)

    @contextmanager
    def of(self, address: str) -> Iterator[None]:
        """Count a guess of an address if it turns out wrong; raise `TryAgain` `too-many-guesses` after too many."""
        now, wrong = self._clock(), self._wrong[address]
        while wrong and wrong[0] <= now - SECONDS:
            wrong.popleft()
        if len(wrong) >= MOST:
            seconds = int(wrong[0] + SECONDS - now) + 1
            message = f"{MOST} codes or PINs were wrong in {SECONDS // 60} minutes: ask again in {seconds} seconds"
            raise TryAgain("too-many-guesses", message, retry_after_seconds=seconds)
        wrong.append(now)
        try:
            yield
        except NotFound as error:
            if error.code != "unknown-gift-card":
                wrong.remove(now)
            raise
        except BaseException:
            wrong.remove(now)
            raise
        else:
            wrong.remove(now)
        finally:
            self._forget()

    def of_basket(self, basket: Basket, request: Asking) -> AbstractContextManager[None]:
        """Count a guess if a basket is paid by a card; one that is not is never refused."""
        if any(tender.code for tender in basket.tenders):
            return self.of(address_of(request))
        return nullcontext()

    def _forget(self) -> None:
        while len(self._wrong) > _ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
