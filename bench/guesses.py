"""What the time of an answer tells about a gift card: no such code, a wrong PIN, a locked card, over HTTP.

    python -m bench.guesses [--tries 2000]

A real server, callers enough that none is refused; the kinds of guess take turns, in an order of luck. Prints the
medians and how far they are apart; exit status 1 if that is 5 % or more.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import machine, show
from rewards.service.codes import new_code
from tests.api.apart import Caller, Server
from tests.policies import program

POLICY = program("gift_cards: {cafe: {kind: paid, load: 5.00-250.00}}\n")
PIN, WRONG, TRIES, APART = "4711", "4712", 100, 5.0


class Bench:
    """Cards on a server: some whose PIN is guessed, and one that is locked."""

    def __init__(self, server: Server, callers: int) -> None:
        self.callers = [Caller(server, f"127.0.1.{i}") for i in range(1, 1 + callers)]
        self.staff = Caller(server)
        self.luck = random.Random(1)
        self.locked, _ = self._issued("locked")
        for _ in range(TRIES):
            self._asked(self.locked, WRONG)
        self.card, self.card_id = self._issued("card")
        self.left = TRIES - 1
        self.kinds: dict[str, Callable[[], float]] = {
            "no such code": lambda: self._asked(new_code(), WRONG),
            "wrong PIN": self._wrong_pin,
            "locked, wrong PIN": lambda: self._asked(self.locked, WRONG),
            "locked, right PIN": lambda: self._asked(self.locked, PIN),
        }

    def _issued(self, key: str) -> tuple[str, str]:
        body = {"product": "cafe", "amount_minor": 2500, "pin": PIN}
        _, card, _ = self.staff.post("gift-cards", body, key)
        return card["code"], card["gift_card_id"]

    def _wrong_pin(self) -> float:
        self.left -= 1
        if self.left == 0:
            for i, activity in enumerate(("BLOCK", "UNBLOCK")):
                key = f"{i}-{self.luck.random()}"
                self.staff.post(f"gift-cards/{self.card_id}/activities", {"activity": activity}, key)
            self.left = TRIES - 1
        return self._asked(self.card, WRONG)

    def _asked(self, code: str, pin: str) -> float:
        caller = self.luck.choice(self.callers)
        started = time.perf_counter()
        status, _, _ = caller.post("gift-cards/lookup", {"code": code, "pin": pin})
        seconds = time.perf_counter() - started
        assert status == 404
        return seconds

    def medians(self, tries: int) -> dict[str, float]:
        """Return the median of each kind, in microseconds."""
        taken: dict[str, list[float]] = {name: [] for name in self.kinds}
        for _ in range(tries):
            for name in self.luck.sample(list(self.kinds), len(self.kinds)):
                taken[name].append(self.kinds[name]())
        return {name: statistics.median(seconds) * 1e6 for name, seconds in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.guesses", description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=2000, help="of each kind")
    tries = parser.parse_args().tries
    limits = {"pin_tries": TRIES, "guesses": 1000, "guess_seconds": 60}
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), POLICY, **limits) as server:
        medians = Bench(server, 4 + tries // 100).medians(tries)
    apart = 100 * (max(medians.values()) / min(medians.values()) - 1)
    rows = [[name, f"{us:.0f}"] for name, us in medians.items()]
    show(f"{tries} guesses of each kind: {machine()}", ["guess", "median, µs"], rows)
    print(f"\nat most {apart:.1f} % apart")
    return 0 if apart < APART else 1


if __name__ == "__main__":
    sys.exit(main())
