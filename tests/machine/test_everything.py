"""One shop in which everything happens, against a clerk's notebook: after every step both say the same.

Points, debts and tiers, now, earlier and later; what is on each gift card; what each purchase costs and earns, and each
return pays back. Every booking sums to zero, and at the end everything folded anew is as it was kept.

`REWARDS_CAMPAIGN=ci` takes 10,000 steps, `REWARDS_CAMPAIGN=long` 200,000.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import timedelta
from random import Random

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from rewards.service.commands import Publish
from tests import campaign
from tests.machine.desk import Desk
from tests.machine.notebook import PROGRAM, WALLETS, day_of
from tests.machine.shop import us, without_codes
from tests.machine.till import Till

OFTEN = {
    "buy": 12,
    "buy_late": 3,
    "ask_for_a_quote": 3,
    "bring_a_quote": 3,
    "give_back": 8,
    "return_first": 2,
    "return_too_much": 1,
    "regret": 1,
    "claim": 3,
    "come_online": 2,
    "adjust": 3,
    "issue": 4,
    "put_on_a_card": 3,
    "take_off_a_card": 3,
    "transfer": 2,
    "turn_a_card": 2,
    "send_again": 4,
    "publish": 1,
    "pass_time": 8,
    "open_anew": 1,
    "fold_anew": 1,
}
"""The steps, and how often each is taken beside the others."""
TABLE = [name for name, weight in OFTEN.items() for _ in range(weight)]
TAKEN: Counter[str] = Counter()
ODD_ENTRIES = "SELECT owner_id, entry_number, unit FROM posting GROUP BY 1, 2, 3 HAVING sum(amount) <> 0"


class Everything(Till, Desk, RuleBasedStateMachine):
    @initialize(rate=st.integers(1, 5))
    def open(self, rate):
        self.begin(rate)

    @rule(what=st.sampled_from(TABLE), seed=st.integers(0, 2**32 - 1))
    def happens(self, what, seed):
        """Take a step; what it does in particular follows from the seed, so that long stories stay cheap to draw."""
        known = len(self.answered)
        try:
            TAKEN[what] += getattr(self, what)(Random(seed)) is not False
        except BaseException:
            note(f"{what}: {[command for command, _, _ in self.answered[known:]]}, refused: {self.refused!r}")
            raise

    def send_again(self, dice):
        """Anything that was ever answered is answered the same (L6)."""
        command, key, answer = dice.choice(self.answered)
        outcome = self.service.do(command, key=key)
        assert outcome.replayed
        assert without_codes(json.loads(outcome.body)) == answer

    def publish(self, dice):
        rate = dice.randint(1, 5)
        if self.book.rates[-1][0] > day_of(self.now) or rate == self.book.rates[-1][1]:
            return False
        self.service.do(Publish(PROGRAM.replace("RATE", str(rate)).encode()))
        self.book.rates.append((day_of(self.now) + timedelta(days=1), rate))
        return True

    def pass_time(self, dice):
        self.now += timedelta(minutes=dice.choice([1, 20, 60, 60 * 9, 60 * 24, 60 * 24 * 3, 60 * 24 * 8, 60 * 24 * 31]))

    def open_anew(self, _dice):
        self.service.close()
        self.service = self.opened()

    def fold_anew(self, _dice):
        assert self.service.verify() == []
        self.service.rebuild()

    @invariant()
    def members_have_what_the_notebook_says(self):
        later = [-9, -1, 2, 30][self.names % 4]
        for who, member in getattr(self, "members", {}).items():
            for at in (self.now, self.now + timedelta(days=later)):
                found = self.service.balance(member, us(at))
                for wallet in WALLETS:
                    has = found.wallets[wallet]
                    assert (has.available, has.pending, has.debt) == self.figures(who, wallet, at), (who, wallet, at)
                assert found.tier.name == ("silver" if self.book.is_silver(who, day_of(at)) else "basic")

    @invariant()
    def so_have_cards(self):
        for card in self.book.cards:
            told = self.service.gift_card(card.code)
            assert told.state == card.at(self.now), card
            assert card.product == "flyer" or told.balance_minor == card.left(self.now) >= 0, card

    @invariant()
    def every_entry_sums_to_zero(self):
        with self.service._store.reading() as session:
            assert session.rows(ODD_ENTRIES) == []

    def teardown(self):
        findings = self.service.verify()
        self.service.rebuild()
        findings += self.service.verify()
        self.service.close()
        self.folder.cleanup()
        assert findings == []


EACH = 50  # steps of one story


def test_everything_that_can_happen_to_a_shop():
    steps = campaign.size(default=600, ci=10_000, long=200_000)
    TAKEN.clear()
    how = settings(
        max_examples=-(-steps // (EACH - 1)),
        stateful_step_count=EACH,
        derandomize=campaign.CAMPAIGN != "long",
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(Everything, settings=how)
    if campaign.CAMPAIGN:
        sys.__stdout__.write(f"\n{TAKEN.total()} steps: {dict(TAKEN.most_common())}\n")
    assert set(OFTEN) == set(TAKEN)
    assert TAKEN.total() >= steps * 9 // 10
