"""Gift cards that rules and activities give: issued with the event that earned them, voided when it counts no longer.

The step counts them as it counts points; here the difference that an event made
becomes cards. What a late event moves to another day stays the card that the
member has. What does not live here: issuing a card (`given_cards`), and what
rewards give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rewards.days import midnight
from rewards.ledger.card_money import taken, total
from rewards.ledger.entries import Award
from rewards.ledger.gift_cards import Activity, Card, balance_at, is_possible, read_activity
from rewards.ledger.timeline import Booking
from rewards.service import given_cards
from rewards.service.awards import title, why
from rewards.service.balances import day_of, day_text
from rewards.service.batch import Batch, Place
from rewards.service.gift_cards import card_of, event_name, happen, open_lots
from rewards.service.given_cards import Codes, Gift, worth
from rewards.service.journal import Row, Timeline, read_awards
from rewards.service.known_cards import lapse
from rewards.service.owing import Owed
from rewards.service.reward_answers import VoidedAnswer
from rewards.store import statements


@dataclass(frozen=True, slots=True)
class _Held:
    """A card that a rule gave a member; `day` is what it was given for, or the day of its issue."""

    place: Place  # of the event that gave it
    line: Timeline
    day: int

    @property
    def card(self) -> Card:
        """The card as it is now."""
        return card_of(self.line)


def settle(batch: Batch) -> None:
    """Issue and void the cards of what was recorded since; the codes of those that were issued go to the batch."""
    while batch.owing.events:
        owed = batch.owing.events.pop(0)
        for rule, changes in _by_rule(owed.awards):
            count = sum(award.points for award in changes)
            if count > 0:
                batch.owing.codes |= _give(batch, owed, rule, changes, count)
            for one in _chosen(batch, owed.line, rule, changes, -count):
                _void(batch, owed, one)


def spent_of(batch: Batch, line: Timeline, booking: Booking) -> int:
    """Return what was spent of the cards that a booking takes back, in minor units: it is kept off a refund."""
    awards = [award for entry in booking.entries for award in entry.awards]
    return sum(
        _spent(batch, one.line, _left(batch, one))
        for rule, changes in _by_rule(awards)
        for one in _chosen(batch, line, rule, changes, -sum(award.points for award in changes))
    )


def _by_rule(awards: Iterable[Award]) -> list[tuple[str, list[Award]]]:
    """Return what changed of cards, by rule and then by day."""
    found: defaultdict[str, list[Award]] = defaultdict(list)
    for award in awards:
        if not award.wallet:
            found[award.rule].append(award)
    return [(rule, sorted(changes, key=lambda award: award.day)) for rule, changes in sorted(found.items())]


def _give(batch: Batch, owed: Owed, rule: str, changes: Sequence[Award], count: int) -> Codes:
    running, place = batch.running, (owed.line.owner, owed.number)
    days = [award.day for award in changes for _ in range(award.points)][:count]
    codes = Codes()
    for position, day in enumerate(days):
        policy = running.policy_on(day)
        card = policy.rules[rule].card
        assert card is not None
        product = policy.gift_cards[card.product]
        at = max(midnight(day, running.zone), min(owed.happened.occurred_at, midnight(day + 1, running.zone) - 1))
        gift = Gift(rule, product, worth(product, card.value_minor), position)
        codes |= given_cards.give(batch, owed.happened.recorded_at, owed.line, place, [gift], at)
    return codes


# taking back


def _chosen(batch: Batch, line: Timeline, rule: str, changes: Sequence[Award], count: int) -> list[_Held]:
    """Return the cards to take back: of days that gave less, with least spent, with most left, the latest first."""
    if count <= 0:
        return []
    less = {award.day for award in changes if award.points < 0}
    held = [one for one in _held(batch, line, rule) if not _is_void(batch, one.line)]
    for one in held:
        lapse(batch, one.line)
    return sorted(held, key=lambda one: (one.day not in less, *_use(batch, one), -one.line.owner))[:count]


def _use(batch: Batch, one: _Held) -> tuple[bool, int, int]:
    left = _left(batch, one)
    return _is_used(one.card), _spent(batch, one.line, left), -left


def _is_used(card: Card) -> bool:
    return card.used is not None or (card.kind == "voucher" and bool(card.holds))


def _left(batch: Batch, one: _Held) -> int:
    """Return what is left of what a card was issued with, in minor units: what was put on it since is the member's."""
    return min(given_cards.issued_with(batch, one.line), balance_at(one.card, batch.now))


def _held(batch: Batch, line: Timeline, rule: str = "") -> Iterator[_Held]:
    """Yield the cards that rules gave a member, those that were taken back too."""
    owners = [line.owner, *line.near.merged]
    stored = batch.session.keyed(statements.GIVEN_CARDS_OF_OWNER, [(owner,) for owner in owners])
    rows = {*stored, *(row for row in batch.more.get(statements.ADD_GIVEN_CARD, ()) if row[0] in owners)}
    batch.foresee_lines([row[4] for row in rows])
    for owner, number, giver, _, card_owner in sorted(rows):
        card_line = batch.line(card_owner)
        assert card_line is not None
        day = day_of(card_of(card_line).issued_at, batch.running.zone)
        if giver == (rule or giver) and batch.event(owner, number)[0] != "redemption":  # that is a reward's
            yield _Held((owner, number), card_line, day)


def _events(batch: Batch, line: Timeline) -> list[Activity]:
    """Return what happened to a card, in order."""
    return [read_activity(row[11]) for row in batch.events_of(line)]


def _is_void(batch: Batch, line: Timeline) -> bool:
    return any(one.kind == "VOID" for one in _events(batch, line))


_SPENT = {"REDEEM": 1, "CAPTURE": 1, "HOLD": 1, "TRANSFER_OUT": 1, "REFUND": -1, "TRANSFER_IN": -1}


def _spent(batch: Batch, line: Timeline, left: int) -> int:
    """Return what was spent of a card before it was taken back, in minor units; what ended is not, what is held is.

    It is no more than what the card was issued with, less what was `left` of that.
    """
    minor, holds = 0, dict[str, int]()
    for one in _events(batch, line):
        if one.kind == "VOID":
            break
        if one.kind == "HOLD":
            holds[one.hold] = total(one.parts)
        minor += _SPENT.get(one.kind, 0) * total(one.parts)
        if one.hold and one.kind != "HOLD":
            minor -= holds.pop(one.hold, 0)
    return max(0, min(minor, given_cards.issued_with(batch, line) - left))


def paid_for(batch: Batch, line: Timeline, before: int, minor: int) -> int:
    """Return how much of what a card's spending gets back is money, in minor units, after `before` of it came back.

    A return that took the card back kept off its refund what was spent, or a part of it: that much was paid for.
    """
    for one in _events(batch, line):
        if one.kind == "VOID" and one.kept_minor:
            spent = _spent(batch, line, total(one.parts))
            was, now = (one.kept_minor * min(spent, back) // spent for back in (before, before + minor))
            return now - was
    return 0


def _void(batch: Batch, owed: Owed, one: _Held) -> None:
    """Take what is left off a card, and deactivate it; a voucher that was used stays used, what is held is kept."""
    line, kept, left = one.line, 0, _left(batch, one)
    if owed.happened.kind == "return":
        kept = min(batch.owing.kept_minor, _spent(batch, line, left))
        batch.owing.kept_minor -= kept
    at = max(owed.happened.recorded_at, one.card.clock)
    lots = open_lots(one.card, at)
    name, now = _name((owed.line.owner, owed.number)), owed.happened.recorded_at
    void = Activity("VOID", of=one.place, at=at, parts=taken(lots, left), kept_minor=kept)
    happen(batch, now, line, void, owed.happened.fingerprint, at=at, about=("", name))
    empty = not (card_of(line).holds or balance_at(card_of(line), at))
    if empty and is_possible(card_of(line), "DEACTIVATE"):
        happen(batch, now, line, Activity("DEACTIVATE", at=at), owed.happened.fingerprint, at=at, about=("", name))


def _name(place: Place) -> str:
    return f"{place[0]}\x1f{place[1]}"


# telling


def issued(batch: Batch, place: Place | None, awards: Iterable[Award], language: str = "") -> list[dict[str, object]]:
    """Return the cards that an event gave by rules, each with its reason; of a quote (no place), what it would."""
    program = batch.running.ready()
    changes = {(award.rule, award.day): award for award in awards if not award.wallet and award.points > 0}
    if not changes:
        return []
    found = [_would(batch, award) for award in changes.values()] if place is None else given_cards.told(batch, place)
    told = []
    for one in found:
        mine = [award for (rule, _), award in changes.items() if rule == one["giver"]]
        if mine:
            name = program.on(mine[0].day).policy.rules[mine[0].rule].title
            reason: dict[str, object] = {"why": why(program, mine[0]), "day": day_text(mine[0].day)}
            told.append({**one, **reason, **({"title": title(name, language)} if name else {})})
    return told


def _would(batch: Batch, award: Award) -> dict[str, object]:
    card = batch.running.policy_on(award.day).rules[award.rule].card
    assert card is not None
    value, count = card.value_minor, award.points
    return {"giver": award.rule, "product": card.product, "amount_minor": value, "count": count, "new": True}


def voided(batch: Batch, place: Place, awards: Iterable[Award]) -> list[VoidedAnswer]:
    """Return the cards that an event took back, and what of them was spent by then; `awards` are the event's."""
    gone = {award.rule for award in awards if not award.wallet and award.points < 0}
    line = batch.line(place[0]) if gone else None
    if line is None:
        return []
    held = [(rule, one) for rule in sorted(gone) for one in _held(batch, line, rule)]
    name = event_name("VOID", _name(place))
    batch.by_id.foresee([(one.line.owner, "card", "", name) for _, one in held])
    found = []
    for rule, one in held:
        known = batch.by_id.get(one.line.owner, "card", "", name)
        if known is not None:
            back = total(read_activity(batch.event(one.line.owner, known[0])[9]).parts)
            card_id, spent = batch.running.ids.gift_card(one.line.owner), _spent(batch, one.line, back)
            found.append(
                VoidedAnswer("", card_id, one.card.last_four, back, spent, giver=rule, used=_is_used(one.card))
            )
    return found


# verifying


def faults(batch: Batch, line: Timeline, entries: Sequence[Row]) -> Iterator[str]:
    """Yield the rules of which a member has another number of cards than they gave by the member's entries."""
    if line.state == "merged":  # they are the other's to have
        return
    counts: defaultdict[str, int] = defaultdict(int)
    merged = batch.session.keyed(statements.ENTRIES_OF_OWNER, [(owner,) for owner in line.near.merged])
    for row in [*entries, *merged]:
        for award in read_awards(row[8]):
            counts[award.rule] += award.points if not award.wallet and award.facts else 0
    for one in _held(batch, line):
        giver = next(name for name, _, owner in batch.given.get(*one.place) if owner == one.line.owner)
        counts[giver] -= not _is_void(batch, one.line)
    for rule, missing in sorted(counts.items()):
        if missing:
            yield f"`{rule}` gave {abs(missing)} gift cards {'more' if missing > 0 else 'fewer'} than it has"
