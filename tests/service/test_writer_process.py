"""A writer of its own process answers as the writer's thread does, and is as careful with its queue."""

import asyncio
import os
import shutil
import signal
import time
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from rewards import errors
from rewards.errors import Conflict, InvalidRequest, TryAgain
from rewards.service.asked import canonical
from rewards.service.commands import Adjust, Enrol, Outcome, Publish, RecordReturn, ReturnOf
from rewards.service.messages import Inbox, asking, read_asked, read_results, telling
from rewards.service.service import Service
from rewards.service.writer_process import WriterProcess
from rewards.store.database import Store

from .conftest import NOON, POLICY, Clock, MemberRef, RecordPurchase, Shop, opened

CARD = "2600000001236"


@pytest.fixture
def file(tmp_path):
    """A database with a policy and a member."""
    path = tmp_path / "shop.db"
    shop = opened(f"sqlite:///{path}", Clock(), POLICY, cards=(CARD,))
    shop.service.close()
    return path


@pytest.fixture
def apart():
    """Opens shops whose writer is a process of its own."""
    opened = []

    def open_(path, **how):
        url = f"sqlite:///{path}"
        opened.append(Service(Store.open(url), clock=Clock(), writer=WriterProcess(url, **how)))
        return Shop(opened[-1], Clock())

    yield open_
    for service in opened:
        service.close()


def told(shop, command, **how):
    """Return everything that came of a command, facts as JSON has them."""
    try:
        return shop.service.do(command, **how)
    except errors.RewardsError as error:
        return type(error), error.code, error.message, error.pointer, msgspec.to_builtins(error.facts)


def a_day(shop):
    """Return commands of every kind, with repetitions and refusals."""
    basket = shop.basket("r1", 1234)
    back = RecordReturn(return_id="b1", store_id="S1", occurred_at=NOON, of=ReturnOf(store_id="S1", receipt_id="r1"))
    taken = Adjust(member=MemberRef(card=CARD), wallet="beans", points=-(10**6), reason="no", actor="staff")
    return [
        (RecordPurchase(basket), {"key": "k1"}),
        (RecordPurchase(basket), {"key": "k1"}),
        (RecordPurchase(shop.basket("r1", 999)), {}),
        (RecordPurchase(shop.basket("r2", 999)), {"key": "k1"}),
        (RecordPurchase(shop.basket("r3", 100, card="4000000000000")), {}),
        (back, {}),
        (RecordReturn(**{**{f: getattr(back, f) for f in back.__struct_fields__}, "all": True}), {}),
        (taken, {"key": "k2"}),
        (taken, {"key": "k2"}),
        (Enrol(card=CARD), {"key": "k3"}),
        (Publish(b"policy: no"), {"key": "k4"}),
        (Publish(POLICY.replace(b"5 beans", b"6 beans")), {"key": "k5"}),
    ]


def test_both_writers_answer_alike(file, apart, tmp_path):
    shutil.copy(file, tmp_path / "other.db")
    here = Shop(Service(Store.open(f"sqlite:///{tmp_path}/other.db"), clock=Clock()), Clock())
    there = apart(file)
    answers = [[told(shop, command, **how) for command, how in a_day(shop)] for shop in (here, there)]
    assert answers[0] == answers[1]
    assert {type(answer) for answer in answers[1]} == {Outcome, tuple}
    assert len(there.service.versions()) == 2
    assert there.service.verify() == here.service.verify() == []
    here.service.close()


def test_commands_of_one_round_come_back_in_their_order(file, apart):
    shop = apart(file)

    async def all_at_once():
        commands = [RecordPurchase(shop.basket(f"r{i}", 100 * i)) for i in range(1, 301)]
        return await asyncio.gather(*(shop.service.asubmit(command) for command in commands))

    outcomes = asyncio.run(all_at_once())
    assert [f'"gross_minor":{100 * i},'.encode() in outcome.body for i, outcome in enumerate(outcomes, 1)] == [
        True
    ] * 300
    assert shop.service.do(RecordPurchase(shop.basket("later"))).status == 201


def test_an_instant_of_no_calendar_is_its_callers_own_fault(file, apart):
    shop = apart(file)
    outside = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))

    async def both():
        asked = [RecordPurchase(shop.basket("r1", at=outside)), RecordPurchase(shop.basket("r2"))]
        return await asyncio.gather(*(one(command) for command in asked), return_exceptions=True)

    async def one(command):
        return await shop.service.asubmit(command)

    refused, kept = asyncio.run(both())
    assert (type(refused), refused.code) == (InvalidRequest, "time-out-of-range")
    assert kept.status == 201


def test_a_full_queue_says_so_and_loses_nothing(file, apart):
    """The process stands still, the socket is full: the event loop goes on, and nothing is lost."""
    shop = apart(file, most_waiting=900)
    commands = [RecordPurchase(shop.basket(f"r{i}", metadata={"note": "n" * 450})) for i in range(900)]
    pid = shop.service._writer._process.pid

    async def crowd():
        await shop.service.asubmit(RecordPurchase(shop.basket("first")))
        os.kill(pid, signal.SIGSTOP)
        waiting = [shop.service.asubmit(command) for command in commands]
        await asyncio.sleep(0.05)
        assert not any(future.done() for future in waiting)
        with pytest.raises(TryAgain, match="too many requests wait") as full:
            shop.service.asubmit(RecordPurchase(shop.basket("more")))
        assert (full.value.code, full.value.facts) == ("too-busy", {"retry_after": 1})
        os.kill(pid, signal.SIGCONT)
        return await asyncio.gather(*waiting)

    assert {outcome.status for outcome in asyncio.run(crowd())} == {201}
    assert shop.service.verify() == []


def test_whoever_waits_for_a_lost_writer_may_ask_again(file, apart):
    shop = apart(file)
    process = shop.service._writer._process

    async def lose():
        first = await shop.service.asubmit(RecordPurchase(shop.basket("r0")))
        os.kill(process.pid, signal.SIGSTOP)
        waiting = [shop.service.asubmit(RecordPurchase(shop.basket(f"r{i}"))) for i in range(9)]
        await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        lost = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 20)
        with pytest.raises(TryAgain):
            await shop.service.asubmit(RecordPurchase(shop.basket("r9")))
        return first, lost

    first, lost = asyncio.run(lose())
    assert {(type(error), error.code, error.facts["retry_after"]) for error in lost} == {(TryAgain, "writer-lost", 1)}
    shop.service.wait()
    assert not shop.service.writing
    with pytest.raises(TryAgain):
        shop.service.health()
    back = apart(file)
    again = [told(back, RecordPurchase(back.basket(f"r{i}"))) for i in range(9)]
    assert again[0].body == first.body
    assert {outcome.status for outcome in again} == {201}


def test_closing_ends_the_process(file, apart):
    shop = apart(file)
    shop.service.health()
    process = shop.service._writer._process
    shop.service.close()
    shop.service.close()
    assert process.returncode == 0
    assert not shop.service.writing
    with pytest.raises(TryAgain, match="closing"):
        shop.ask(RecordPurchase(shop.basket()))


def test_what_was_sent_before_closing_is_written(file, apart):
    shop = apart(file)

    async def leave():
        shop.service.asubmit(RecordPurchase(shop.basket("r1")))
        await asyncio.sleep(0)  # it is sent, nobody waits for the answer

    asyncio.run(leave())
    shop.service.close()
    assert apart(file).service.purchase(store_id="S1", receipt_id="r1").totals.gross_minor == 1000


def test_every_error_crosses_with_all_that_it_says():
    facts = {"differs": ["/lines/0"], "retry_after": 1, "available": -5, "why": None}
    for kind in (errors.RewardsError, *errors.RewardsError.__subclasses__()):
        if kind.__module__ != errors.__name__:
            continue
        (crossed,) = read_results(telling([kind("a-code", "a sentence", pointer="/a/b", **facts)])[4:])
        assert type(crossed) is kind
        assert (crossed.code, crossed.message, crossed.pointer) == ("a-code", "a sentence", "/a/b")
        assert crossed.facts == facts
        assert str(crossed) == "a sentence"


def test_a_fault_of_ours_is_none_of_the_callers():
    outcome = Outcome(201, b"{}", replayed=True, place=(7, 2))
    fault, told_, refused = read_results(telling([ZeroDivisionError("x"), outcome, Conflict("c", "m")])[4:])
    assert isinstance(fault, RuntimeError)
    assert "ZeroDivisionError" in str(fault)
    assert told_ == outcome
    assert isinstance(refused, Conflict)


def plain(asked):
    return type(asked.command), canonical(asked.command), *asked[1:]


def test_messages_arrive_in_any_pieces(file):
    shop = Shop(Service(Store.open(f"sqlite:///{file}"), clock=Clock()), Clock())
    sent = [shop.service._asked(command, "local", how.get("key"), None, "") for command, how in a_day(shop)]
    whole = b"".join(map(asking, sent))
    for size in (1, 7, 4096, len(whole)):
        inbox = Inbox()
        found = [m for at in range(0, len(whole), size) for m in inbox.take(whole[at : at + size])]
        assert [plain(read_asked(message)) for message in found] == [plain(asked) for asked in sent]
    shop.service.close()


def test_the_process_outlives_signals_for_the_server(file, apart):
    shop = apart(file)
    shop.ask(RecordPurchase(shop.basket("r1")))
    process = shop.service._writer._process
    for stop in (signal.SIGINT, signal.SIGTERM):
        os.kill(process.pid, stop)
    time.sleep(0.05)
    assert shop.ask(RecordPurchase(shop.basket("r2")))["totals"]["gross_minor"] == 1000
