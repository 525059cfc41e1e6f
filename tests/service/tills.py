"""Run as a process of its own: sells until it is killed, and writes down what was answered.

Usage: tills.py DATABASE LOG FIRST
"""

import os
import sys
import threading
from datetime import UTC, datetime

from rewards.basket import Basket, BasketLine, MemberRef
from rewards.service.commands import RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store

CARDS = ("2600000001236", "2600000002042", "2600000009997")


def sell(service: Service, log: int, till: int, first: int) -> None:
    number = first
    while True:
        receipt = f"{till}-{number}"
        basket = Basket(
            receipt_id=receipt,
            store_id="S1",
            occurred_at=datetime.now(UTC),
            currency="EUR",
            member=MemberRef(card=CARDS[number % 3]),
            lines=(BasketLine(line_id="1", sku="A", amount_minor=100),),
        )
        service.do(RecordPurchase(basket), key=receipt)
        os.write(log, f"{receipt}\n".encode())
        number += 1


if __name__ == "__main__":
    service = Service(Store.open(f"sqlite:///{sys.argv[1]}"))
    log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for till in range(4):
        threading.Thread(target=sell, args=(service, log, till, int(sys.argv[3])), daemon=True).start()
    os.write(1, b"open\n")
    threading.Event().wait()
