"""Gift cards that an event of a member gives: by a reward that points bought, or by a rule.

A card is known by (event, rule or reward, position), so that no event gives it
twice; its code is told once and kept nowhere. It is the member's, and personal
if its product is. What does not live here: cards that are sold (`sold_cards`) or
issued by a call of their own (`gift_cards`), and who may have one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rewards.ledger.card_money import taken, total
from rewards.ledger.gift_cards import Activity, Card, is_possible, lapsed, read_activity
from rewards.ledger.lots import NEVER
from rewards.policy.model import GiftCard
from rewards.service.balances import text
from rewards.service.batch import Batch, Place
from rewards.service.codes import new_code
from rewards.service.gift_cards import card_of, event_name, hand_out, happen, new_card, open_lots
from rewards.service.journal import Timeline
from rewards.service.places import recorded_at
from rewards.service.reward_answers import VoidedAnswer
from rewards.store import statements

Codes = dict[str, str]  # by the id of the card that was issued with it


class Gift(NamedTuple):
    """What is given, and by whom: `minor` is on the card in minor units, 0 for a voucher."""

    giver: str  # the id of the rule or reward
    product: GiftCard
    minor: int
    position: int = 0  # of several that the giver gives at one event


def worth(product: GiftCard, minor: int | None) -> int:
    """Return what is on a card when it is given, in minor units: as the giver says, else as the product does."""
    if product.kind == "voucher":
        return 0
    return minor if minor is not None else product.value or 0


def give(batch: Batch, now: int, member: Timeline, place: Place, gifts: Iterable[Gift], at: int) -> Codes:
    """Issue the cards of an event that is recorded at `place`, on the terms of the day of `at`; return their codes.

    The code of a card that nobody is told (it came by itself) leads to it all the same: `gift_cards.issued_again`
    shows how a new one is made.
    """
    codes = Codes()
    print_ = batch.event(*place)[8]
    for gift in gifts:
        line = batch.open("card", None)
        batch.number(line)
        code = new_code()
        codes[batch.running.ids.gift_card(line.owner)] = code
        card = new_card(batch.running, gift.product, code, at, member.owner)
        about = ("", _name(place, gift.giver, gift.position))
        hand_out(batch, now, line, card, code, gift.minor, print_, place=place, about=about)
        batch.given.get(*place).append((gift.giver, gift.position, line.owner))
        batch.more[statements.ADD_GIVEN_CARD].append((*place, gift.giver, gift.position, line.owner))
    return codes


def _name(place: Place, giver: str, position: int) -> str:
    return f"{place[0]}\x1f{place[1]}\x1f{giver}\x1f{position}"


def cards_of(batch: Batch, place: Place, giver: str | None = None) -> Iterator[tuple[str, int, Timeline, Card]]:
    """Yield the cards that an event gave, by giver and position, those that were taken back too."""
    for name, position, owner in sorted(batch.given.get(*recorded_at(batch, place))):
        line = batch.line(owner)
        assert line is not None
        if giver in {None, name}:
            yield name, position, line, card_of(line)


def told(batch: Batch, place: Place) -> list[dict[str, object]]:
    """Return the cards that an event gave, as `gift_cards_issued` of an answer has them: without codes."""
    return [
        {
            "giver": name,
            "gift_card_id": batch.running.ids.gift_card(line.owner),
            "product": card.product,
            "last_four": card.last_four,
            "amount_minor": issued_with(batch, line),
            "expires_at": None if card.expires_at == NEVER else text(card.expires_at, batch.running.zone),
            "new": True,
        }
        for name, _, line, card in cards_of(batch, place)
    ]


def issued_with(batch: Batch, line: Timeline) -> int:
    """Return what was on a card when it was issued, in minor units."""
    return total(read_activity(batch.event(line.owner, 1)[9]).parts)


def left_of(batch: Batch, place: Place, giver: str, now: int) -> tuple[int, int]:
    """Return what is left of the cards that an event gave by a giver, and what they were issued with.

    Both in minor units; vouchers count as one each, and as none left once they are used. What is held is not left.
    """
    left = whole = 0
    for _, _, line, now_ in cards_of(batch, place, giver):
        card = lapsed(now_, now)
        if card.kind == "voucher":
            whole += 1
            left += int(not _gone(card) and card.state != "deactivated")
        else:
            issued = issued_with(batch, line)
            whole += issued
            left += min(issued, total(open_lots(card, max(now, card.clock))))
    return left, whole


def take_back(
    batch: Batch, now: int, place: Place, giver: str, about: tuple[str, str], print_: bytes, *, keep: int = 0
) -> list[VoidedAnswer]:
    """Take back the cards that an event gave by a giver, but for the first `keep`; return what was left and spent.

    What is left is voided and the card deactivated; what was spent stays spent, as does a voucher that was used.
    `about` is the store and number of what takes them back. A card that was taken back before is left alone.
    """
    found, place = [], recorded_at(batch, place)
    for name, position, line, card in list(cards_of(batch, place, giver)):
        if position >= keep and card.state != "deactivated":
            voided = _void(batch, now, line, card, (about[0], f"{about[1]}\x1f{name}\x1f{position}"), place, print_)
            spent = 0 if card.kind == "voucher" else max(0, issued_with(batch, line) - voided)
            gone = _gone(card)
            card_id = batch.running.ids.gift_card(line.owner)
            found.append(VoidedAnswer("", card_id, card.last_four, voided, spent, name, gone))
    return found


def _void(
    batch: Batch, now: int, line: Timeline, card: Card, about: tuple[str, str], place: Place, print_: bytes
) -> int:
    """Take what is left off a card and deactivate it; return what was left of what it was issued with."""
    at, minor = max(now, card.clock), 0
    if card.kind != "voucher":
        open_ = open_lots(card, at)
        parts = taken(open_, min(issued_with(batch, line), total(open_)))
        minor = total(parts)
        happen(batch, now, line, Activity("VOID", of=place, at=at, parts=parts), print_, at=at, about=about)
    after = card_of(line)
    if not (open_lots(after, at) or after.holds or after.used) and is_possible(after, "DEACTIVATE"):
        happen(batch, now, line, Activity("DEACTIVATE", at=at), print_, at=at, about=about)
    return minor


def _gone(card: Card) -> bool:
    """Return whether a voucher was used, or is held by somebody who will."""
    return card.kind == "voucher" and (card.used is not None or bool(card.holds))


def taken_back(batch: Batch, place: Place, about: tuple[str, str]) -> list[VoidedAnswer]:
    """Return what was taken back at `about` of the cards that an event gave, to tell it once more."""
    found = []
    for name, position, line, card in cards_of(batch, place):
        named = f"{about[1]}\x1f{name}\x1f{position}"
        known = batch.by_id.get(line.owner, "card", about[0], event_name("VOID", named))
        gone = batch.by_id.get(line.owner, "card", about[0], event_name("DEACTIVATE", named))
        back = total(read_activity(batch.event(line.owner, known[0])[9]).parts) if known is not None else 0
        card_id, used = batch.running.ids.gift_card(line.owner), _gone(card)
        if known is not None:
            found.append(VoidedAnswer("", card_id, card.last_four, back, issued_with(batch, line) - back, name))
        elif gone is not None or used:
            found.append(VoidedAnswer("", card_id, card.last_four, 0, 0, name, used))
    return found
