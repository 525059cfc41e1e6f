"""What can be asked without writing: members, balances, statements, purchases, quotes.

Each is one read of one state of the database. What does not live here: how
entries are told (`telling`).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

import msgspec

from rewards.basket import Basket, MemberRef
from rewards.errors import InvalidRequest, NotFound
from rewards.service import due, promises, purchases, tenders
from rewards.service.answers import (
    BalanceAnswer,
    EntryAnswer,
    MemberAnswer,
    PurchaseAnswer,
    StatementAnswer,
    VersionAnswer,
)
from rewards.service.asked import Asked
from rewards.service.balance_answers import NextTier, TierAnswer
from rewards.service.balances import day_of, day_text, detail, names, needs_days, seen, text
from rewards.service.batch import Batch
from rewards.service.commands import RecordPurchase
from rewards.service.gift_cards import held_by
from rewards.service.journal import Timeline
from rewards.service.letter import Letter
from rewards.service.member_facts import answer as member_answer
from rewards.service.places import followed
from rewards.service.publishing import answer as version_answer
from rewards.service.rewards import within
from rewards.service.telling import again, answer, balance_of, coming, entry_answer, with_postings
from rewards.service.tongue import Tongue, asked_for, spoken, tongue
from rewards.store import statements

NEWEST = 2**62
LARGEST_PAGE = 200


def quote(batch: Batch, basket: Basket, caller: str, now: int) -> PurchaseAnswer:
    """Work a basket out as if it were bought, and sign what was found."""
    asked = Asked(RecordPurchase(basket), caller, None, now)
    batch.now = now
    work = purchases.draft(batch, asked, basket, quote=True)
    found = answer(batch, now, work, None)
    text_, until = promises.give(batch, work.line, basket, found.policy_version, work.receipt, now)
    usable = tenders.usable(batch, work.line, work.receipt)
    catalogue = within(batch, work.line, balance_of(batch, work.line, now), work.receipt.occurred_at)
    return msgspec.structs.replace(
        found,
        quote=text_,
        quote_until=text(until, batch.running.zone),
        points_usable=usable,
        rewards=catalogue if work.line.kind == "member" else [],
    )


def member(batch: Batch, ref: MemberRef) -> MemberAnswer:
    """Return a member with contacts and profile."""
    return member_answer(batch, batch.member(ref, ""))


def _by_id(batch: Batch, member_id: str) -> Timeline:
    batch.running.ready()
    return batch.member(MemberRef(id=member_id), "/member_id")


def _as_it_was(batch: Batch, member_id: str) -> Timeline:
    """Return the timeline of an id, also of a member who was merged into another since."""
    line = _by_id(batch, member_id)
    owner = batch.running.ids.read_member(member_id)
    return (batch.line(owner) if owner is not None else None) or line


def balance(batch: Batch, member_id: str, at: int | None, now: int, language: str | None = None) -> BalanceAnswer:
    """Return the wallets at an instant; without one as of now, or of the last event if a till's clock was ahead."""
    line = _by_id(batch, member_id)
    program = batch.running.ready()
    due.touch(batch, line, now)
    moment = at if at is not None else max(now, line.near.clock)
    days = batch.days_of(line) if needs_days(line.near, moment) else None
    try:
        found, held = seen(program, line.near, moment, days)
        zone = program.zone
        wallets = {key: detail(found.get(key), moment, zone, held.get(key, 0)) for key in names(program, moment, found)}
        tier = _tier(batch, line, moment)
        vouchers, cards = held_by(batch, line.owner, moment, language or batch.language(line))
        catalogue = within(batch, line, wallets, moment, language or batch.language(line))
        member_id = batch.running.ids.member(line.owner)
        return BalanceAnswer(member_id, text(moment, program.zone), wallets, tier, vouchers, catalogue, cards)
    except (OverflowError, ValueError) as error:
        raise InvalidRequest("time-out-of-range", "`at` is outside the calendar", pointer="/at") from error


def _tier(batch: Batch, line: Timeline, at: int) -> TierAnswer | None:
    """Return the level of the day, until when it is held, and the way to the next."""
    day = day_of(at, batch.running.zone)
    ladder = batch.running.ready().on(day).ladder
    if ladder is None:
        return None
    start, end = batch.standings(line, day)
    level = ladder.held(start, day).level
    until = ladder.lasts_until(start, day)
    following = None
    if level + 1 < len(ladder.names):
        name, least = ladder.tiers.levels[level + 1]
        following = NextTier(name, ladder.tiers.by, max(0, least - ladder.measured(end, day)))
    return TierAnswer(ladder.names[level], day_text(until) if until is not None else None, following)


def statement(
    batch: Batch, member_id: str, limit: int, cursor: str | None, now: int, words: Tongue | None = None
) -> StatementAnswer:
    """Return a page of entries, newest first; the first page begins with what time has done since the last event.

    With a language the reasons are a customer's, else the exact ones.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidRequest("limit-out-of-range", f"`limit` is from 1 to {LARGEST_PAGE}", pointer="/limit")
    below = _read_cursor(cursor)
    line = _as_it_was(batch, member_id)
    rows = batch.session.rows(statements.ENTRIES_PAGE, (line.owner, below, limit + 1, 0))
    shown = with_postings(batch, rows[:limit])
    batch.events.foresee({(row[0], row[2]) for row, _ in shown})
    entries = [entry_answer(batch, row, legs, words) for row, legs in shown]
    if cursor is None:
        entries = [*_due(batch, line, now, words), *entries]
    more = _cursor(rows[limit - 1][1]) if len(rows) > limit else None
    return StatementAnswer(batch.running.ids.member(line.owner), entries, more)


def letter(
    batch: Batch, member_id: str, limit: int | None, cursor: str | None, now: int, language: str | None
) -> tuple[str, str, str | None]:
    """Return a page of the statement as text (or all of it), its language, and the cursor of the next page.

    Without a language it is the member's, or English where that is none of ours.
    """
    line = _by_id(batch, member_id)
    name, own, _ = batch.profile(line.owner)
    words = asked_for(language) if language is not None else tongue(spoken(own) or "en")
    member_id = batch.running.ids.member(line.owner)
    page = statement(batch, member_id, limit or LARGEST_PAGE, cursor, now, words)
    entries = page.entries
    while limit is None and page.next_cursor is not None:
        page = statement(batch, member_id, LARGEST_PAGE, page.next_cursor, now, words)
        entries += page.entries
    running = batch.running
    titles = {key: wallet.title for each in running.versions for key, wallet in each.policy.wallets.items()}
    policy_now = running.policy_on(day_of(now, running.zone))
    writer = Letter(policy_now, titles, words)
    who = name or page.member_id
    held = balance(batch, member_id, None, now, words.language)
    return writer.text(who, held, entries, more=page.next_cursor is not None), words.language, page.next_cursor


def _due(batch: Batch, line: Timeline, now: int, words: Tongue | None) -> list[EntryAnswer]:
    """Return what came by itself and what has ended since the last event, newest first.

    It is booked with the next event; until then its number is 0.
    """
    due.touch(batch, line, now)
    own = [row for row in batch.rows.entries if row[0] == line.owner]
    booked = [entry_answer(batch, row, legs) for row, legs in with_postings(batch, own)]
    found = coming(batch.running, line.near, now, words)
    entries = [*booked, *([found] if found is not None else [])]
    return [msgspec.structs.replace(entry, entry=0) for entry in reversed(entries)]


def _cursor(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(8)).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return NEWEST
    try:
        number = int.from_bytes(urlsafe_b64decode(cursor + "="))
    except (NotBase64, ValueError):
        number = 0
    if not 0 < number < NEWEST:
        raise InvalidRequest("cursor-invalid", "`cursor` is none of ours", pointer="/cursor")
    return number


def purchase(
    batch: Batch, purchase_id: str | None, store_id: str | None, receipt_id: str | None, now: int
) -> PurchaseAnswer:
    """Return a purchase with what was booked about it since."""
    batch.running.ready()
    place: tuple[int | None, int | None] | None
    if purchase_id is not None:
        place = batch.running.ids.read_purchase(purchase_id)
    elif store_id is not None and receipt_id is not None:
        route = batch.receipts.get(store_id, receipt_id, "purchase")
        place = route[:2] if route is not None else None
    else:
        raise InvalidRequest("purchase-ambiguous", "give the purchase's id, or `store_id` and `receipt_id`")
    if place is None or place[0] is None or place[1] is None or batch.events.get(*place) is None:
        raise NotFound("unknown-purchase", "there is no such purchase", pointer="/purchase_id")
    return again(batch, now, *followed(batch, (place[0], place[1])))


def policy(batch: Batch, at: int) -> tuple[bytes, VersionAnswer]:
    """Return the file in force at an instant."""
    running = batch.running
    if not running.versions:
        raise NotFound("no-policy", "no policy is published yet")
    version = running.in_force(day_of(at, running.zone))
    return version.data, version_answer(running, version, at)


def versions(batch: Batch, now: int) -> list[VersionAnswer]:
    """Return all versions, newest first."""
    return [version_answer(batch.running, version, now) for version in reversed(batch.running.versions)]
