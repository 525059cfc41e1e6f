"""A shop with a notebook beside it: what all steps of the machine need to ask the service and to note the answer."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from rewards.basket import BasketTender
from rewards.errors import RewardsError
from rewards.service.commands import Enrol, Publish, ReturnLine, ReturnOf
from rewards.service.service import Service
from rewards.store.database import Store
from tests.machine.notebook import Notebook
from tests.machine.program import LASTS, PROGRAM, WALLETS, ZONE, day_of, midnight

START = datetime(2026, 10, 19, 9, 0, tzinfo=UTC)  # the clocks change on the 25th
NUMBERS = {"ana": "2600000001236", "ben": "2600000002042", "cem": "2600000009997"}
UNKNOWN = "2600000000314"


class Shop:
    def __init__(self):
        super().__init__()
        self.now = START
        self.book = Notebook()
        self.folder = TemporaryDirectory()
        shutil.copy(empty_database(), f"{self.folder.name}/shop.db")
        self.service = self.opened()
        self.answered = []  # (command, key, answer without codes)
        self.refused = None  # the last refusal
        self.seen = Counter()  # what happened that is worth counting
        self.names = 0
        self.service.do(Publish(PROGRAM.replace("RATE", "3").encode()))
        self.book.rates.append((date.min, 3))
        enrolled = {who: self.ask(Enrol(card=card, joined=date(2026, 1, 1))) for who, card in NUMBERS.items()}
        self.members = {who: answer["member_id"] for who, answer in enrolled.items()}
        self.once = []  # ids of members who were merged, with whom they are now

    def abandon(self):
        self.service.close()
        self.folder.cleanup()

    def opened(self):
        service = Service(Store.open(f"sqlite:///{self.folder.name}/shop.db"), clock=lambda: us(self.now))
        service._store._writing.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug here
        return service

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def ask(self, command):
        """Carry a command out; return its answer, None if it was refused."""
        key = self.name()
        try:
            answer = json.loads(self.service.do(command, key=key).body)
        except RewardsError as error:
            self.refused = error
            self.seen[error.code] += 1
            return None
        self.answered.append((command, key, without_codes(answer)))
        return answer

    # the time

    def ago(self, minutes):
        return self.now - timedelta(minutes=minutes)

    def days_on(self, days):
        """The same time of day some days on, as the clock on the wall has it."""
        return (self.now.astimezone(ZONE) + timedelta(days=days)).astimezone(UTC)

    def ends(self, product):
        return midnight(day_of(self.now), LASTS[product])

    # what the notebook and the service say

    def figures(self, who, wallet):
        return self.book.balances(who, self.now)[wallet, self.now]

    def has(self, who, wallet, points):
        """Whether somebody has so many points to spend."""
        return not points or (who is not None and self.figures(who, wallet)[0] >= points)

    def earned(self, who):
        """All points that somebody has earned so far, by wallet."""
        sums = dict.fromkeys(WALLETS, 0)
        for (wallet, _), points in self.book.earned(who).items() if who else ():
            sums[wallet] += points
        return Counter(sums)

    def told(self):
        """What members are told of now, of earlier and of later."""
        days = [self.now + timedelta(days=days) for days in (-9, 0, 2, 12, 30)]
        found = [self.service.balance(member, us(at)) for member in self.members.values() for at in days]
        return [(one.wallets, one.tier, one.rewards, one.vouchers, one.gift_cards) for one in found]


@cache
def empty_database():
    path = Path(mkdtemp()) / "empty.db"
    Store.open(f"sqlite:///{path}").close()
    return path


def us(moment):
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def without_codes(answer):
    """An answer but for the codes of new gift cards, which are others when they are told again."""
    issued = [{**one, "code": ""} for one in answer.get("gift_cards_issued", [])]
    return {**answer, "code": "", **({"gift_cards_issued": issued} if issued else {})}


def sent(tender):
    """A tender as the till sends it."""
    if tender.out_of is not None:
        return BasketTender(kind="hold", hold_id=tender.out_of.name, amount_minor=tender.minor or None)
    if tender.kind == "points":
        return BasketTender(kind="points", wallet="beans", points=tender.points)
    code = tender.card.code if tender.card is not None else ""
    return BasketTender(kind=tender.kind, amount_minor=tender.minor, code=code)


def back(kind, name, at, receipt, units):
    """A return of units, or of all that is left (None)."""
    lines = tuple(ReturnLine(line_id=line, quantity=count) for line, count in (units or {}).items())
    of = ReturnOf(store_id="S1", receipt_id=receipt)
    return kind(return_id=name, store_id="S1", occurred_at=at, of=of, all=units is None, lines=lines)
