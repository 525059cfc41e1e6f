"""The writer: one transaction for what waits, answers after COMMIT, only the guilty one fails."""

import asyncio
import threading

import pytest

from rewards.errors import Conflict, TryAgain
from rewards.store.database import Store
from rewards.store.writer import Writer

ADD = "INSERT INTO contact_route VALUES ('card', ?, ?)"


class Notes:
    """Writes words; `refuse…` is refused, `poison…` raises, a word twice breaks the table's key."""

    def __init__(self):
        self.batches = []
        self.kept = 0
        self.gate = threading.Event()
        self.gate.set()

    def plan(self, session, commands):
        self.gate.wait(10)
        self.batches.append(list(commands))
        results = []
        for word in commands:
            if word.startswith("poison"):
                raise RuntimeError(word)
            if word.startswith("refuse"):
                results.append(Conflict("refused", word))
                continue
            session.write(ADD, [(word, 1)])
            results.append(word.upper())
        return results

    def committed(self):
        self.kept += 1


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path / "w.db"))
    yield store
    store.close()


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def writer(store, notes):
    writer = Writer(store.transaction, notes, most_waiting=50, most_together=20)
    yield writer
    notes.gate.set()
    writer.close()


def words(store):
    with store.reading() as session:
        return {row[0] for row in session.rows("SELECT value FROM contact_route")}


def test_what_waits_is_written_together(store, notes, writer):
    notes.gate.clear()
    first = writer.submit("first")
    rest = [writer.submit(f"w{i}") for i in range(15)]
    notes.gate.set()
    assert first.result(5) == "FIRST"
    assert [future.result(5) for future in rest] == [f"W{i}" for i in range(15)]
    assert len(notes.batches) <= 2
    assert len(words(store)) == 16


def test_a_batch_has_an_end(notes, writer):
    notes.gate.clear()
    futures = [writer.submit(f"w{i}") for i in range(45)]
    notes.gate.set()
    for future in futures:
        future.result(5)
    assert max(len(batch) for batch in notes.batches) == 20


def test_an_answer_is_given_after_commit(store, writer):
    for i in range(30):
        writer.submit(f"w{i}").result(5)
        assert f"w{i}" in words(store)


def test_a_refusal_disturbs_nobody(store, notes, writer):
    notes.gate.clear()
    futures = [writer.submit(word) for word in ("a", "refuse", "b")]
    notes.gate.set()
    assert futures[0].result(5) == "A"
    with pytest.raises(Conflict):
        futures[1].result(5)
    assert futures[2].result(5) == "B"
    assert notes.kept <= 2
    assert words(store) == {"a", "b"}


@pytest.mark.parametrize("guilty", ["poison", "twice"])
def test_only_the_guilty_one_fails(store, notes, writer, guilty):
    writer.submit("twice").result(5)
    notes.gate.clear()
    before = [writer.submit(word) for word in ("a", "b")]
    bad = writer.submit(guilty)
    after = [writer.submit(word) for word in ("c", "d")]
    notes.gate.set()
    assert [future.result(5) for future in before + after] == ["A", "B", "C", "D"]
    with pytest.raises(Exception, match=r"poison|UNIQUE"):
        bad.result(5)
    assert words(store) == {"twice", "a", "b", "c", "d"}


def test_a_full_queue_says_so(notes, writer):
    notes.gate.clear()
    futures = [writer.submit("w0")]
    with pytest.raises(TryAgain) as busy:
        futures += [writer.submit(f"w{i}") for i in range(1, 100)]
    assert busy.value.facts == {"retry_after": 1}
    with pytest.raises(TryAgain):
        writer.submit_all(["x"] * 51)
    notes.gate.set()


def test_closing_writes_what_waits_and_refuses_the_rest(store, notes):
    writer = Writer(store.transaction, notes)
    notes.gate.clear()
    futures = [writer.submit(f"w{i}") for i in range(5)]
    notes.gate.set()
    writer.close()
    writer.close()
    assert all(future.done() for future in futures)
    assert not writer.alive
    with pytest.raises(TryAgain):
        writer.submit("late")


def test_a_database_that_is_locked_is_no_loss(store, notes, writer, tmp_path):
    other = Store(str(tmp_path / "w.db"))
    store._writing.execute("PRAGMA busy_timeout = 50")
    with other.transaction():
        future = writer.submit("w")
        with pytest.raises(TryAgain):
            future.result(5)
    assert writer.submit("w").result(5) == "W"
    other.close()


def test_an_event_loop_is_woken_once_for_a_batch(notes, writer):
    async def many():
        loop = asyncio.get_running_loop()
        woken = []
        wake = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *args: (woken.append(1), wake(*args))[1]
        notes.gate.clear()
        futures = [writer.asubmit(f"w{i}") for i in range(20)] + [writer.asubmit("refuse")]
        futures[3].cancel()
        notes.gate.set()
        results = await asyncio.gather(*futures, return_exceptions=True)
        del loop.call_soon_threadsafe
        return results, len(woken)

    results, woken = asyncio.run(many())
    assert results[0] == "W0"
    assert isinstance(results[3], asyncio.CancelledError)
    assert isinstance(results[20], Conflict)
    assert woken == len(notes.batches)


def test_a_loop_that_is_gone_disturbs_nobody(notes, writer):
    async def leave():
        notes.gate.clear()
        writer.asubmit("w")

    asyncio.run(leave())
    other = writer.submit("x")
    notes.gate.set()
    assert other.result(5) == "X"
