"""kill -9 at random instants: what was answered is there after a restart, once."""

import random
import subprocess
import sys
import time
from pathlib import Path

from .conftest import Clock, opened

KILLS = 20
TILLS = Path(__file__).parent / "tills.py"
CARDS = ("2600000001236", "2600000002042", "2600000009997")


def test_what_was_answered_survives_kill_9(tmp_path):
    path, log = tmp_path / "shop.db", tmp_path / "answered"
    log.touch()
    shop = opened(f"sqlite:///{path}", Clock())
    for card in CARDS:
        shop.enrol(card)
    shop.service.close()
    luck = random.Random()
    for kill in range(KILLS):
        till = subprocess.Popen([sys.executable, TILLS, path, log, str(kill * 10_000)], stdout=subprocess.PIPE)
        assert till.stdout.readline() == b"open\n"
        time.sleep(luck.uniform(0.005, 0.15))
        till.kill()
        till.wait()
        till.stdout.close()
    answered = log.read_text().split()
    shop = opened(f"sqlite:///{path}", Clock())
    stored = [row[0] for row in shop.books("SELECT external_id FROM event WHERE kind = 'purchase'")]
    assert len(answered) == len(set(answered)) > KILLS
    assert set(answered) <= set(stored)
    assert len(stored) == len(set(stored))
    assert shop.service.verify() == []
    shop.service.close()
