"""How purchases and entries are told to callers, when they are recorded and ever after.

What does not live here: sentences (`engine.explain`), a receipt's sums (`sums`), and what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from rewards.days import moment
from rewards.ledger.entries import Award, Entry, Posting, postings
from rewards.ledger.lots import NEVER
from rewards.ledger.timeline import Booking, Near
from rewards.service import card_tenders, hold_ends, rewards, rule_cards, tenders
from rewards.service.answers import Change, EntryAnswer, LineAnswer, PurchaseAnswer, Totals
from rewards.service.awards import MOST_MISSES, codes_refused, earned, not_applied, title, told, why
from rewards.service.balance_answers import WalletBalance
from rewards.service.balances import day_text, purses, text, wallets
from rewards.service.batch import Batch, Place
from rewards.service.drafts import Draft
from rewards.service.journal import (
    Timeline,
    read_activity,
    read_adjustment,
    read_awards,
    read_note,
    read_receipt,
    read_return,
    recorded_first,
    total,
)
from rewards.service.merge_telling import merge_told
from rewards.service.places import origins
from rewards.service.pricing import discounts_of, withheld_of
from rewards.service.reasons import reason
from rewards.service.redeeming import about
from rewards.service.running import Running
from rewards.service.sold_cards import issued
from rewards.service.sums import lines_of, totals_of
from rewards.service.tongue import Tongue, marked
from rewards.store import statements

Row = tuple[Any, ...]


def answer(batch: Batch, now: int, work: Draft, place: tuple[int, int] | None) -> PurchaseAnswer:
    """Tell a purchase as it was worked out; without a place it is a quote."""
    running, receipt, line = batch.running, work.receipt, work.line
    program = running.ready()
    policy = program.on(receipt.day).policy
    entry, booking, ready = work.entry, work.booking, work.prepared
    awards = entry.awards if entry is not None else []
    member = line.kind == "member"
    legs = entry.postings if entry is not None else []
    language = batch.language(line)
    points = earned(awards)
    missed = not_applied(program, booking.near, receipt) if booking is not None else []
    if ready is None:
        totals, lines = totals_of(receipt, points if member else {}), lines_of(receipt, {})
    else:
        totals = Totals(*ready.sums, points if member else {}, {})
        lines = cast("list[LineAnswer]", msgspec.Raw(ready.lines))  # JSON is all that becomes of an answer
    told_ = PurchaseAnswer(
        purchase_id=running.ids.purchase(*recorded_first(*place, receipt)) if place is not None else "",
        policy_version=policy.version,
        currency=receipt.currency,
        member_id=running.ids.member(line.owner) if member else None,
        occurred_at=text(receipt.occurred_at, running.zone),
        totals=totals,
        lines=lines,
        discounts=[],
        awards=told(program, awards, legs, receipt, language) if member else [],
        not_applied=[*withheld_of(work.withheld), *missed][:MOST_MISSES] if work.withheld else missed,
        codes_refused=codes_refused(policy, receipt, guest=not member),
        gift_cards_issued=[],
        balance=_balance(batch, line, now, work, place),
        would_earn={} if member else points,
        warnings=list(work.warnings),
    )
    if ready is not None and not (member and program.gives_cards):
        return told_
    return _with_more(batch, now, told_, work, place)


def _with_more(
    batch: Batch, now: int, plain: PurchaseAnswer, work: Draft, place: tuple[int, int] | None
) -> PurchaseAnswer:
    """Tell also what few purchases have: our discounts, tenders of ours, gift cards, rewards."""
    running, receipt, entry = batch.running, work.receipt, work.entry
    language = batch.language(work.line)
    cards = entry.awards if entry is not None and work.line.kind == "member" and running.ready().gives_cards else []
    legs = entry.postings if entry is not None else []
    return msgspec.structs.replace(
        plain,
        discounts=discounts_of(running.policy_on(receipt.day), receipt, language),
        tenders=card_tenders.told(batch, receipt, tenders.told(running, receipt, legs), now),
        gift_cards_issued=[
            *issued(batch, receipt, place),
            *rewards.issued(batch, receipt, place),
            *(rule_cards.issued(batch, place, cards, language) if cards else ()),
        ],
        gift_cards_voided=rule_cards.voided(batch, place, cards) if cards and place is not None else [],
        redemptions=rewards.bought(batch, receipt, place, language),
    )


def _balance(batch: Batch, line: Timeline, now: int, work: Draft, place: Place | None) -> dict[str, WalletBalance]:
    """Return the balance after a purchase and what was bought with it."""
    if not work.receipt.bought:
        return balance_of(batch, line, now, work.booking)
    if place is not None:  # it is booked
        return balance_of(batch, line, now)
    found = balance_of(batch, line, now, work.booking)
    for one in work.receipt.bought:
        was = found[one.wallet]
        found[one.wallet] = msgspec.structs.replace(was, available=was.available - one.points)
    return found


def balance_of(batch: Batch, line: Timeline, now: int, booking: Booking | None = None) -> dict[str, WalletBalance]:
    """Return a member's balance after a booking, or as it stands."""
    if line.kind != "member":
        return {}
    line = batch.line(batch.now_of(line.owner)) or line if line.near.merged_into else line
    if booking is None:
        hold_ends.lapse(batch, line)
    return wallets(batch.running.ready(), booking.near if booking is not None else line.near, now)


def again(batch: Batch, now: int, owner: int, number: int) -> PurchaseAnswer:
    """Tell a purchase from the journal: as it was booked, what was booked about it since, and today's balance."""
    line = batch.line(owner)
    assert line is not None
    receipt = read_receipt(batch.event(owner, number)[9])
    returns = batch.returns.get(owner, number)
    places = [*reversed(origins(batch, line, number)), (owner, number)]
    of_place = [(at[0], [at[1], *(event for event, _ in batch.returns.get(*at))]) for at in places]
    rows = [row for there, events in of_place for row in entries_of(batch, there, events)]
    booked = ((row, legs) for row, legs in rows if (row[0], row[2]) in places and row[3] == "purchase")
    entry = next((_entry(row, legs) for row, legs in booked), None)
    plain = answer(batch, now, Draft(line, receipt, None), (owner, number))
    legs, awards = (entry.postings, entry.awards) if entry is not None else ([], [])
    back = total([read_return(body) for _, body in returns])
    later = [entry_answer(batch, row, legs) for row, legs in rows if (row[0], row[2]) not in places]
    program = batch.running.ready()
    return msgspec.structs.replace(
        plain,
        policy_version=entry.policy_version if entry is not None else plain.policy_version,
        totals=totals_of(receipt, earned(awards)),
        lines=lines_of(receipt, back),
        awards=told(program, awards, legs, receipt, batch.language(line)),
        gift_cards_issued=[*plain.gift_cards_issued, *rule_cards.issued(batch, (owner, number), awards)],
        gift_cards_voided=rule_cards.voided(batch, (owner, number), awards),
        tenders=card_tenders.told(batch, receipt, tenders.told(batch.running, receipt, legs), now),
        adjustments=later,
    )


def entries_of(batch: Batch, owner: int, events: Sequence[int]) -> list[tuple[Row, list[Posting]]]:
    """Return the entries that some events brought about, each with its postings, oldest first."""
    rows = batch.session.keyed(statements.ENTRIES_OF_EVENT, [(owner, number) for number in events])
    rows += [row for row in batch.rows.entries if row[0] == owner and row[2] in events]
    return with_postings(batch, sorted(rows, key=lambda row: int(row[1])))


def with_postings(batch: Batch, rows: Sequence[Row]) -> list[tuple[Row, list[Posting]]]:
    """Return entries' rows with their postings."""
    legs: dict[tuple[int, int], list[Posting]] = {row[:2]: [] for row in rows}
    events = list({(row[0], row[2]): None for row in rows})
    stored = batch.session.keyed(statements.POSTINGS_OF_EVENT, events)
    for owner, number, _, account, unit, amount, day, available_at, expires_at in [*stored, *batch.rows.postings]:
        if (owner, number) in legs:
            end = NEVER if expires_at is None else expires_at
            legs[owner, number].append(Posting(account, unit, amount, day or 0, available_at or 0, end))
    return [(row, legs[row[:2]]) for row in rows]


def _entry(row: Row, legs: list[Posting]) -> Entry:
    return Entry(kind=row[3], occurred_at=row[6], policy_version=row[4], postings=legs, awards=read_awards(row[8]))


def entry_answer(batch: Batch, row: Row, legs: Sequence[Posting], tongue: Tongue | None = None) -> EntryAnswer:
    """Tell an entry: what it changed and why, and about which event; in a customer's words if a language is given."""
    owner, number, event_number, kind, _, _, occurred_at, recorded_at, awards, _, _ = row
    running = batch.running
    event = batch.event(owner, event_number)
    changes = [_change(running, award, tongue) for award in read_awards(awards)]
    facts: dict[str, Any] = {}
    if kind == "expiry":
        changes = passing(running, legs, tongue)
    elif event[0] == "adjustment":
        note = note_of(batch, owner, event_number)
        changes.append(
            Change(
                read_adjustment(event[9]).wallet,
                read_adjustment(event[9]).points,
                note or _said(tongue, marked("given by staff")),
            )
        )
        facts = {"reason": note, "actor": event[7], "approved_by": read_adjustment(event[9]).approved_by or ""}
    elif event[0] == "activity":
        activity = read_activity(event[9])
        facts = {"activity": activity.name, "score": activity.score}
    elif event[0] == "merge":
        note = note_of(batch, owner, event_number)
        facts, told_ = merge_told(batch, event, legs, note, tongue)
        changes += told_
    elif event[0] in {"redemption", "cancellation"}:
        name, facts = about(batch, (owner, event_number), event, tongue.language if tongue is not None else "")
        facts |= {"reason": note_of(batch, owner, event_number), "actor": event[7]} if event[2] else {}
        changes += [msgspec.structs.replace(one, title=name) for one in _moved(legs, tongue, _OF_REWARDS)]
    elif event[0] in {"purchase", "return"}:
        facts = _about(batch, owner, event_number, event)
        changes += _moved(legs, tongue, _MOVES)
    elif event[0] == "hold":
        facts = {"hold_id": event[1].lstrip("\x1f")}
        changes += _moved(legs, tongue, _OF_HOLDS)
    if kind != "expiry":
        changes += _overtaken(legs, tongue)
    return EntryAnswer(
        entry=number,
        kind="adjustment" if kind == "spending" else kind,
        occurred_at=text(occurred_at, running.zone),
        recorded_at=text(recorded_at, running.zone),
        points=net(legs),
        changes=changes,
        **facts,
    )


def _about(batch: Batch, owner: int, number: int, event: Row) -> dict[str, str]:
    kind, external_id, of_number, store_id = event[0], event[1], event[2], event[5]
    place = (owner, of_number or number)
    bought = batch.event(*place)
    if bought[0] == "purchase":
        place = recorded_first(*place, read_receipt(bought[9]))
    name = "receipt_id" if kind == "purchase" else "return_id"
    return {"purchase_id": batch.running.ids.purchase(*place), name: external_id, "store_id": store_id}


def note_of(batch: Batch, owner: int, number: int) -> str:
    """Return the reason that was given with an event, if it is still there."""
    rows = [row for row in batch.more.get(statements.ADD_NOTE, ()) if row[:2] == (owner, number)]
    rows = rows or batch.session.keyed(statements.NOTES, [(owner, number)])
    return read_note(rows[0][2]).reason if rows else ""


def _change(running: Running, award: Award, tongue: Tongue | None) -> Change:
    program = running.ready()
    rule = program.on(award.day).policy.rules.get(award.rule)
    product = rule.card.product if rule is not None and rule.card is not None else ""
    return Change(
        wallet=award.wallet,
        points=award.points if not product else 0,
        gift_card=product,
        count=award.points if product else 0,
        why=why(program, award) if tongue is None else reason(program, award, tongue),
        rule=award.rule,
        title=title(rule.title, tongue.language if tongue is not None else "") if rule is not None else "",
        day=day_text(award.day),
    )


def _said(tongue: Tongue | None, text_: str) -> str:
    return tongue.say(text_) if tongue is not None else text_


def passing(running: Running, legs: Sequence[Posting], tongue: Tongue | None = None) -> list[Change]:
    """Tell what time alone changed: lots that ended or paid what was owed, and how much less is owed."""
    told_ = []
    for leg in legs:
        if leg.account == "debt":
            told_.append(Change(leg.wallet, leg.points, _said(tongue, marked("so much less is owed"))))
        elif leg.account == "lot":
            accounts = {other.account for other in legs if other.wallet == leg.wallet}
            why_ = _WHERE[frozenset(accounts & {"debt", "expired"})]
            if why_ == _ENDED and leg.expires_at != NEVER:
                words = _ended(running, leg.expires_at, tongue)
            else:
                words = _said(tongue, why_)
            told_.append(Change(leg.wallet, leg.points, words, day=day_text(abs(leg.day))))
    return told_


def _ended(running: Running, end: int, tongue: Tongue | None) -> str:
    if tongue is None:
        return f"{_ENDED} {text(end, running.zone)}"
    return tongue.say("could be used until {date}", date=tongue.day(moment(end - 1, running.zone).date()))


_ENDED = marked("ended")
_WHERE = {
    frozenset({"expired"}): _ENDED,
    frozenset({"debt"}): marked("paid what was owed"),
    frozenset({"debt", "expired"}): marked("paid what was owed, or ended"),
    frozenset(): _ENDED,
}


def _moved(legs: Sequence[Posting], tongue: Tongue | None, words: Mapping[str, str]) -> list[Change]:
    """Tell of points that paid, were given back, settled or held, or no longer are."""
    sums: dict[tuple[str, str], int] = {}
    for leg in legs:
        if leg.account in words:
            sums[leg.account, leg.wallet] = sums.get((leg.account, leg.wallet), 0) - leg.points
    found = []
    for (account, wallet), points in sums.items():
        if points:
            said = _FREED if account == "held" and points > 0 else words[account]
            found.append(Change(wallet, points, _said(tongue, said)))
    return found


_MOVES = {
    "spent": marked("paid for this purchase"),
    "restored": marked("given back: they had paid for what came back"),
    "settled": marked("given once more: theirs had ended, or money was kept for them"),
    "held": marked("set aside"),
}
_FREED = marked("no longer set aside")


_OF_HOLDS = {**_MOVES, "spent": marked("used")}
_OF_REWARDS = {
    "spent": marked("paid for a reward"),
    "restored": marked("given back: the reward was taken back"),
    "settled": _MOVES["settled"],
}


def _overtaken(legs: Sequence[Posting], tongue: Tongue | None) -> list[Change]:
    """Tell of points that an event moved and that had ended by then."""
    return [
        Change(leg.wallet, -leg.points, _said(tongue, marked("had ended before this was booked")))
        for leg in legs
        if leg.account == "expired"
    ]


def net(legs: Sequence[Posting]) -> dict[str, int]:
    """Return by wallet how what the member has changed: points gained, less debts made."""
    sums: dict[str, int] = {}
    for leg in legs:
        if leg.account in {"lot", "debt"}:
            sums[leg.wallet] = sums.get(leg.wallet, 0) + leg.points
    return sums


def coming(running: Running, near: Near, now: int, tongue: Tongue | None = None) -> EntryAnswer | None:
    """Return what time alone has changed since the last event, as an entry that the next event will book; or None."""
    program = running.ready()
    if now <= near.clock:
        return None
    after = purses(program, near, now)
    legs = [leg for key, purse in after.items() for leg in postings(key, near.purses[key], purse)]
    if not legs:
        return None
    return EntryAnswer(
        entry=0,
        kind="expiry",
        occurred_at=text(now, running.zone),
        recorded_at=text(now, running.zone),
        points=net(legs),
        changes=passing(running, legs, tongue),
    )
