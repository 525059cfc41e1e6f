"""A batch at work: what its commands read, once for all of them, and what they will write.

What a command writes is seen by the commands after it. Everything is looked up
ahead by a constant number of statements (`foresee`); what was not foreseen is
looked up when it is asked for, so that foresight is a matter of speed alone.
What does not live here: what commands do (`purchases`, `returns`, …).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rewards.basket import MemberRef
from rewards.engine.misses import Scene
from rewards.engine.tiers import Standing
from rewards.errors import Conflict, NotFound
from rewards.ledger.entries import Entry
from rewards.ledger.timeline import (
    Activity,
    Booking,
    Change,
    DayRow,
    Purchase,
    book,
    encode,
    needs,
    open_near,
    scene,
    standings,
)
from rewards.receipt import Receipt, Returned
from rewards.service import referrals
from rewards.service.asked import Asked
from rewards.service.codes import with_claim_code
from rewards.service.commands import Outcome
from rewards.service.contacts import normal
from rewards.service.journal import Happened, Row, Timeline, near_row, pack, read_receipt, read_return, total
from rewards.service.lookups import Lists, Table
from rewards.service.owing import Owing
from rewards.service.rows import Rows
from rewards.service.running import Running
from rewards.store import statements
from rewards.store.database import Session

Place = tuple[int, int]  # owner and event number
KeyRow = tuple[int | None, int | None, bytes, int, bytes | None]
Profile = tuple[str, str, bytes]  # name, language, packed metadata


class Batch:
    """One batch. `now` is the instant of recording of the command at work."""

    def __init__(self, session: Session, running: Running, now: int = 0) -> None:
        """Begin a batch on a transaction, or on a read session to work something out without writing it."""
        self.session = session
        self.running = running
        self.now = now
        self.keys: Table[KeyRow] = Table(session, statements.KEY_ROUTES, 2)
        self.receipts: Table[tuple[int | None, int | None, bytes]] = Table(session, statements.RECEIPT_ROUTES, 3)
        self.contacts: Table[tuple[int]] = Table(session, statements.CONTACTS, 2)
        self.replaced: Table[tuple[int]] = Table(session, statements.REPLACED_CARDS, 1)
        self.events: Table[tuple[Any, ...]] = Table(session, statements.EVENTS, 2)
        self.answers: Table[tuple[int, bytes]] = Table(session, statements.ANSWERS, 2)
        self.by_id: Table[tuple[int, bytes]] = Table(session, statements.EVENTS_BY_ID, 4)
        self.staff_days: Table[tuple[int]] = Table(session, statements.STAFF_DAYS, 3)
        self.guesses: Table[tuple[int, int]] = Table(session, statements.GUESSES, 1)
        self.parked: Lists[tuple[str, str, int, bytes]] = Lists(session, statements.PARKED, 2)
        self.returns: Lists[tuple[int, bytes]] = Lists(session, statements.EVENTS_OF, 2)
        self.given: Lists[tuple[str, int, int]] = Lists(session, statements.GIVEN_CARDS, 2)
        self._profiles: dict[int, Profile] = {}
        self._lines: dict[int, Timeline | None] = {}
        self._next: int | None = None
        self.owing = Owing(gives_cards=running.program is not None and running.program.gives_cards)
        self.rows = Rows()
        self.more: defaultdict[str, list[Row]] = defaultdict(list)  # by statement

    # timelines

    def foresee_lines(self, owners: Iterable[int]) -> None:
        """Read many timelines at once."""
        missing = list({owner: None for owner in owners if owner not in self._lines})
        self._lines.update(dict.fromkeys(missing))
        for row in self.session.keyed(statements.TIMELINES, [(owner,) for owner in missing]):
            self._lines[row[0]] = Timeline.read(row)

    def line(self, owner: int) -> Timeline | None:
        """Return an owner's timeline."""
        if owner not in self._lines:
            self.foresee_lines([owner])
        return self._lines[owner]

    def member(self, ref: MemberRef, pointer: str = "/member") -> Timeline:
        """Return the timeline of a member; raise `NotFound` `unknown-member`, or `Conflict` `card-replaced`."""
        line = self.find(ref)
        if line is None:
            key, value = ref.named()
            if key == "card":
                self.check_card(normal(key, value, self.country), pointer)
            raise NotFound("unknown-member", f"no member has the {key} `{value}`", pointer=pointer)
        return line

    def find(self, ref: MemberRef) -> Timeline | None:
        """Return the timeline of a member, or None."""
        kind, value = ref.named()
        if kind == "id":
            owner = self.running.ids.read_member(value)
        else:
            route = self.contacts.get(kind, normal(kind, value, self.country))
            owner = route[0] if route else None
        line = self.line(owner) if owner is not None else None
        if line is not None and line.state == "merged":
            line = self.line(self.now_of(line.owner))
        return line if line is not None and line.kind == "member" else None

    def now_of(self, owner: int) -> int:
        """Return the member, as an owner, who a member is now: another one, if it was merged."""
        line = self.line(owner)
        while line is not None and line.near.merged_into:
            owner = line.near.merged_into
            line = self.line(owner)
        return owner

    def contacts_of(self, owner: int) -> list[tuple[str, str]]:
        """Return a member's contacts as (kind, value), in their order."""
        stored = {(kind, value) for kind, value, _ in self.session.keyed(statements.CONTACTS_OF_OWNER, [(owner,)])}
        added = {(kind, value) for kind, value, mine in self.more[statements.ADD_CONTACT] if mine == owner}
        return sorted((stored - {*self.more[statements.DROP_CONTACT]}) | added)

    def replaced_cards_of(self, line: Timeline) -> list[str]:
        """Return the cards that a member had and lost, in their order."""
        owners = [line.owner, *line.near.merged]
        stored = [
            card for _, card in self.session.keyed(statements.REPLACED_CARDS_OF_OWNER, [(one,) for one in owners])
        ]
        return sorted([*stored, *(card for card, mine in self.more[statements.ADD_REPLACED_CARD] if mine in owners)])

    def check_card(self, card: str, pointer: str) -> None:
        """Raise `Conflict` `card-replaced` for a card that was lost; it tells staff whose it was."""
        lost = self.replaced.get(card)
        if lost is not None:
            raise Conflict(
                "card-replaced",
                f"the card `{card}` was lost and can't be used",
                pointer=pointer,
                member_id=self.running.ids.member(self.now_of(lost[0])),
            )

    def add_contact(self, kind: str, value: str, owner: int) -> None:
        """Give a member a contact that nobody has."""
        self.contacts.put((kind, value), (owner,))
        self.more[statements.ADD_CONTACT].append((kind, value, owner))

    def foresee_profiles(self, owners: Iterable[int]) -> None:
        """Read many members' profiles at once."""
        missing = [owner for owner in owners if owner not in self._profiles]
        self._profiles.update(dict.fromkeys(missing, ("", "", pack({}))))
        for owner, name, language, metadata in self.session.keyed(statements.PROFILES, [(one,) for one in missing]):
            self._profiles[owner] = (name, language, metadata)

    def drop_contact(self, kind: str, value: str, owner: int) -> None:
        """Take a contact away from its member; a card can't be used by anybody from then on."""
        self.contacts.put((kind, value), None)
        added, row = self.more[statements.ADD_CONTACT], (kind, value, owner)
        if row in added:
            added.remove(row)
        else:
            self.more[statements.DROP_CONTACT].append((kind, value))
        if kind == "card":
            self.replaced.put((value,), (owner,))
            self.more[statements.ADD_REPLACED_CARD].append((value, owner))

    def move_contact(self, kind: str, value: str, owner: int, to: int) -> None:
        """Have a contact lead to another member from then on."""
        added, row = self.more[statements.ADD_CONTACT], (kind, value, owner)
        if row in added:
            added.remove(row)
        else:
            self.more[statements.DROP_CONTACT].append((kind, value))
        self.add_contact(kind, value, to)

    def save_state(self, line: Timeline, state: str) -> None:
        """Have a member active, blocked or merged."""
        line.state = state
        self.more[statements.SAVE_OWNER].append((state, line.owner))

    def profile(self, owner: int) -> Profile:
        """Return a member's name, language and packed metadata."""
        self.foresee_profiles([owner])
        return self._profiles[owner]

    def language(self, line: Timeline) -> str:
        """Return the language of a member's titles; an empty text where it is not known or makes no difference."""
        return self.profile(line.owner)[1] if line.kind == "member" and self.running.speaks_several else ""

    def save_profile(self, owner: int, profile: Profile, *, new: bool = False) -> None:
        """Have a member's profile written, in place of what is there unless the member is new."""
        self._profiles[owner] = profile
        rows = self.more[statements.ADD_PROFILE]
        rows[:] = [*(row for row in rows if row[0] != owner), (owner, *profile)]
        if not new:
            self.more[statements.DROP_PROFILE].append((owner,))

    def drop_profile(self, owner: int) -> None:
        """Have a member's profile deleted."""
        self._profiles[owner] = ("", "", pack({}))
        rows = self.more[statements.ADD_PROFILE]
        rows[:] = [row for row in rows if row[0] != owner]
        self.more[statements.DROP_PROFILE].append((owner,))

    @property
    def country(self) -> str | None:
        """The country to which a phone number without a prefix belongs."""
        versions = self.running.versions
        return versions[-1].policy.country if versions else None

    def open(self, kind: str, joined_day: int | None) -> Timeline:
        """Return a new timeline that is stored only if `keep` is told to."""
        return Timeline(0, kind, "active", joined_day, 0, 0, b"", open_near(joined_day or 0), new=True)

    def budget(self, owner: int) -> Timeline:
        """Return the timeline of a budget; a new one is stored only if something is recorded on it."""
        line = self.line(owner)
        if line is None:
            line = self._lines[owner] = self.open("budget", None)
            line.owner = owner
        return line

    def keep(self, line: Timeline, now: int) -> None:
        """Store a new timeline, unless it was told before; a budget has its owner's number already."""
        if not line.new or line.events:
            return
        self.number(line)
        self.more[statements.ADD_OWNER].append((line.owner, line.kind, line.state, line.joined_day, now))

    def number(self, line: Timeline) -> None:
        """Give a new timeline its owner's number, if it has none."""
        if line.owner:
            return
        if self._next is None:
            self._next = self.session.rows(statements.NEXT_OWNER)[0][0]
        line.owner = self._next
        self._next += 1
        self._lines[line.owner] = line

    # booking

    def book(self, line: Timeline, change: Change) -> Booking:
        """Work out what a change books; the timeline stays as it is."""
        days, receipts = self._needed(line, change)
        return book(self.running.ready(), line.near, change, days, receipts)

    def scene(self, line: Timeline, change: Purchase | Activity) -> Scene:
        """Return the day of a change as conditions see it; the timeline stays as it is."""
        days, receipts = self._needed(line, change)
        return scene(self.running.ready(), line.near, change, days, receipts)

    def standings(self, line: Timeline, day: int) -> tuple[Standing, Standing]:
        """Return how a member stands in the tiers at the start of a day, and after what happened on it."""
        program, near = self.running.ready(), line.near
        last_day = near.last.day if near.last is not None else 0
        look_back = bool(last_day and program.needs_anywhere(max(day, last_day)))
        if look_back or day <= last_day:
            self.days_of(line)
        return standings(program, near, day, line.days or {}, self.history(line) if look_back else ())

    def days_of(self, line: Timeline) -> dict[int, DayRow]:
        """Return all earlier rows of a timeline."""
        if line.days is None:
            line.load_days(self.session.keyed(statements.DAYS, [(line.owner,)]) if not line.new else [])
        assert line.days is not None
        return line.days

    def _needed(
        self, line: Timeline, change: Change
    ) -> tuple[dict[int, DayRow] | None, Sequence[tuple[Receipt, Returned]]]:
        """Return the rows and receipts that a change must look up."""
        need = needs(self.running.ready(), line.near, change)
        return self.days_of(line) if need else None, self.history(line) if need == "receipts" else ()

    def history(self, line: Timeline) -> list[tuple[Receipt, Returned]]:
        """Return all receipts of a timeline with what came back of each, as they are now."""
        rows = self.events_of(line)
        back: defaultdict[int, list[Returned]] = defaultdict(list)
        for row in rows:
            if row[2] == "return" and row[4] is not None:
                back[row[4]].append(read_return(row[11]))
        return [(read_receipt(row[11]), total(back[row[1]])) for row in rows if row[2] == "purchase"]

    def events_of(self, line: Timeline) -> list[Row]:
        """Return all events of a timeline in their order."""
        rows = [] if line.new else self.session.keyed(statements.EVENTS_OF_OWNER, [(line.owner,)])
        rows += [row for row in self.rows.events if row[0] == line.owner]
        return sorted(rows, key=lambda row: int(row[1]))

    def record(self, line: Timeline, happened: Happened, booking: Booking | None, entries: Sequence[Entry] = ()) -> int:
        """Record an event, with what it booked, at the end of a timeline; return its number."""
        self.keep(line, happened.recorded_at)
        if booking is not None:
            line.take(booking)
            entries = booking.entries
            self.owing.note(line, happened, entries)
        number = self.rows.record(line, happened, entries)
        row = self.rows.events[-1]
        self.events.put(row[:2], row[2:])
        if booking is not None and line.near.referrer:
            referrals.follow(self, line, [a for entry in booking.entries for a in entry.awards], happened.recorded_at)
        return number

    def event(self, owner: int, number: int) -> tuple[Any, ...]:
        """Return an event's columns after owner and number; raise `NotFound` `unknown-purchase`."""
        row = self.events.get(owner, number)
        if row is None:
            raise NotFound("unknown-purchase", "there is no such purchase", pointer="/purchase_id")
        return row

    def route(self, store: str, name: str, kind: str, place: Place | None, print_: bytes) -> None:
        """Claim a till's own number for an event, or for a return that waits."""
        rest = (*(place or (None, None)), print_)
        self.receipts.put((store, name, kind), rest)
        self.more[statements.ADD_RECEIPT_ROUTE].append((store, name, kind, *rest))

    def answered(self, asked: Asked, place: Place, status: int, body: bytes) -> Outcome:
        """Keep what was answered about an event, and return it."""
        if not asked.silent:
            self.answers.put(place, (status, body))
            self.rows.answers.append((*place, status, body))
        return Outcome(status, with_claim_code(self.running.secret, place[0], body), place=place)

    def replay(self, asked: Asked, place: Place, make: Callable[[], bytes]) -> Outcome:
        """Answer as the first time; what was recorded without an answer is told anew by `make`."""
        known = self.answers.get(*place)
        if known is not None:
            body = with_claim_code(self.running.secret, place[0], known[1])
            return Outcome(known[0], body, replayed=True, place=place)
        return Outcome(201, b"" if asked.silent else make(), replayed=True, place=place)

    def flush(self) -> None:
        """Write everything, each table's rows by one statement."""
        write, more = self.session.write, self.more
        for sql in _BEFORE:
            if sql in more:
                write(sql, more.pop(sql))
        self.rows.write(self.session)
        self._save_lines()
        for sql, rows in more.items():
            write(sql, rows)

    def _save_lines(self) -> None:
        write = self.session.write
        lines = [line for line in self._lines.values() if line is not None and line.touched]
        write(statements.ADD_NEAR, [(line.owner, *near_row(line)) for line in lines if line.new])
        write(statements.SAVE_NEAR, [(*near_row(line), line.owner) for line in lines if not line.new])
        dropped, saved, added = [], [], []
        for line in lines:
            for day, row in line.day_writes.items():
                if row is None:
                    dropped.append((line.owner, day))
                elif day in line.stored_days:
                    saved.append((encode(row), line.owner, day))
                else:
                    added.append((line.owner, day, encode(row)))
        write(statements.DROP_DAY, dropped)
        write(statements.SAVE_DAY, saved)
        write(statements.ADD_DAY, added)


_BEFORE = (
    statements.ADD_OWNER,
    statements.DROP_PROFILE,
    statements.ADD_PROFILE,
    statements.DROP_STAFF_DAY,
    statements.ADD_STAFF_DAY,
    statements.DROP_CONTACT,  # before: what one member gives away another may have
    statements.ADD_CONTACT,
)
