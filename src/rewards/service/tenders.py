"""Tenders of a purchase: what the till asks for becomes what is taken, in minor units and points.

A kind of tender that we hold is resolved here, before it is laid on the lines
(`basket.paid`), is booked with the purchase by the ledger, and is refunded by
`returns`. What does not live here: which lots points come from (`ledger`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewards.basket import Basket, BasketTender, payable
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.entries import Posting
from rewards.ledger.lots import NEVER, Purse, available
from rewards.ledger.timeline import Spending
from rewards.policy.model import Pays
from rewards.receipt import Line, Receipt, Tender, points_left
from rewards.service.asked import Asked
from rewards.service.balances import day_text, purses, text
from rewards.service.batch import Batch
from rewards.service.card_tenders import KIND as CARD
from rewards.service.card_tenders import PROMOTIONAL, Allowed, by_card
from rewards.service.hold_ends import HOLD, NONE, Found, Holds, too_small
from rewards.service.journal import Timeline
from rewards.service.named import named
from rewards.service.running import Running

POINTS = "points"
OURS = frozenset((POINTS, CARD, PROMOTIONAL))  # what we hold: no money is due for it
REST = ""  # in a quote: what is left to pay; no till can send this kind


def resolved(
    batch: Batch, asked: Asked, line: Timeline, receipt: Receipt, basket: Basket, holds: Holds = NONE, *, quote: bool
) -> tuple[Receipt, Allowed]:
    """Return the receipt with its tenders as they are taken, and which lines they may pay; a quote's may leave a rest.

    `holds` are those that it brings.

    Raises `Conflict` `not-enough-points`, `points-below-minimum`, `points-not-in-steps` or `points-above-share`, and
    `InvalidRequest` for what can't be a tender; each points at its own.
    """
    if not basket.tenders:
        return receipt, {}
    due = sum([payable(each) for each in receipt.lines])
    found: list[Tender] = []
    allowed: Allowed = {}
    for i, tender in enumerate(basket.tenders):
        if i in holds or (tender.kind == CARD and (tender.code or not asked.trusted)):
            if i in holds and holds[i].line.card is None:
                paid, lines = held(batch, receipt, basket, i, holds[i]), None
            else:
                paid, lines = by_card(batch, asked, line, receipt, basket, i, holds.get(i))
            if paid.card and any(one.card == paid.card for one in found):
                message = "two tenders take money of one gift card: add them up"
                raise InvalidRequest("gift-card-twice", message, pointer=f"/tenders/{i}")
            found.append(paid)
            if lines is not None:
                allowed[i] = lines
        elif tender.kind == POINTS and not asked.silent:
            others = sum(one.amount_minor for one in found)
            others += sum(one.amount_minor or 0 for one in basket.tenders[i + 1 :])
            room = min(max(0, due - others), sum([payable(each) for each in goods(receipt)]))
            found.append(_points(batch, line, receipt, basket, i, room))
        else:
            found.append(money(i, tender))
        if found[i].points and not asked.silent and len(goods(receipt)) < len(receipt.lines):
            allowed[i] = [each.stored_value is None for each in receipt.lines]
    if all(tender.kind == HOLD and tender.hold for tender in found):
        found = []  # nothing is said of how it was paid
    rest = due - sum(one.amount_minor for one in found)
    if quote and rest > 0:
        found.append(Tender(REST, rest))
    return msgspec.structs.replace(receipt, tenders=tuple(found)), allowed


def goods(receipt: Receipt) -> list[Line]:
    """Return the lines that points may pay: those that sell no stored value, which could be spent and given back."""
    return [each for each in receipt.lines if each.stored_value is None]


def held(batch: Batch, receipt: Receipt, basket: Basket, i: int, hold: Found) -> Tender:
    """Return what a hold of a member's points pays: that of a reward nothing."""
    minor, pointer, body = basket.tenders[i].amount_minor or 0, f"/tenders/{i}", hold.body
    assert body is not None
    if hold.kind == "reward":
        return Tender(HOLD, 0, hold=hold.id)
    if any(one.kind == POINTS and one.wallet == body.wallet for one in basket.tenders):
        raise InvalidRequest("tender-ambiguous", "two tenders take points of the same wallet", pointer=pointer)
    wallet = batch.running.policy_on(receipt.day).wallets.get(body.wallet)
    points = points_for(wallet.pays if wallet is not None else None, body.wallet, minor, pointer)
    assert wallet is not None
    assert wallet.pays is not None
    net = sum([each.net_minor for each in goods(receipt)])
    check_terms(wallet.pays, body.wallet, points, net, pointer)
    if points > hold.points:
        raise too_small(hold, points, pointer)
    return Tender(POINTS, minor, body.wallet, points, hold=hold.id)


def points_for(pays: Pays | None, key: str, minor: int, pointer: str) -> int:
    """Return the points that pay an amount; raise `points-do-not-pay` or `points-not-in-steps`."""
    if pays is None:
        what = f"{key} do not pay at the till: the wallet has no `pays`"
        raise InvalidRequest("points-do-not-pay", what, pointer=pointer)
    points, part = divmod(minor * pays.points, pays.buys_minor)
    if part or points % pays.step:
        raise _off_step(pays, key, pointer)
    return points


def money(i: int, tender: BasketTender) -> Tender:
    """Return a tender that we hold nothing of; raise `InvalidRequest` for what can't be one."""
    if tender.code or tender.pin:
        what = "`code` and `pin` are for a tender of kind `gift_card`"
        raise InvalidRequest("tender-ambiguous", what, pointer=f"/tenders/{i}")
    if tender.kind == PROMOTIONAL:
        what = "promotional money is on a gift card: send `gift_card` and its `code`"
        raise InvalidRequest("tender-ambiguous", what, pointer=f"/tenders/{i}/kind")
    if tender.kind != POINTS and (tender.wallet or tender.points is not None or tender.up_to):
        what = "`wallet`, `points` and `up_to` are for a tender of kind `points`"
        raise InvalidRequest("tender-ambiguous", what, pointer=f"/tenders/{i}")
    if tender.amount_minor is None:
        raise InvalidRequest(
            "amount-missing", "give what the tender pays in `amount_minor`", pointer=f"/tenders/{i}/amount_minor"
        )
    points = tender.points if tender.wallet and tender.amount_minor else 0
    return Tender(tender.kind, tender.amount_minor, tender.wallet if points else "", points or 0)


def _points(batch: Batch, line: Timeline, receipt: Receipt, basket: Basket, i: int, room_minor: int) -> Tender:
    tender, pointer = basket.tenders[i], f"/tenders/{i}"
    pays = _terms(batch, line, receipt, basket, i)
    net = sum([each.net_minor for each in goods(receipt)])
    if tender.up_to:
        taken = by_rewards(receipt, tender.wallet)
        there = max(0, spendable(batch, line, receipt, tender.wallet) - taken)
        points = pays.most(there, net, room_minor)
        return Tender(POINTS, pays.worth_minor(points), tender.wallet, points)
    points = tender.points or 0
    if tender.amount_minor is not None:
        points = points_for(pays, tender.wallet, tender.amount_minor, pointer)
    check_terms(pays, tender.wallet, points, net, pointer)
    taken = by_rewards(receipt, tender.wallet)
    there = max(0, spendable(batch, line, receipt, tender.wallet, points + taken) - taken)
    if there < points:
        raise Conflict(
            "not-enough-points",
            f"{there} {tender.wallet} are there, not {points}",
            pointer=pointer,
            available=there,
            wanted=points,
        )
    return Tender(POINTS, pays.worth_minor(points), tender.wallet, points)


def _terms(batch: Batch, line: Timeline, receipt: Receipt, basket: Basket, i: int) -> Pays:
    """Return how the tender's points pay; raise what makes it no tender of this program."""
    tender, pointer = basket.tenders[i], f"/tenders/{i}"
    if line.kind != "member":
        raise InvalidRequest("tender-needs-member", "points are a member's: name the member", pointer=pointer)
    if (tender.points is not None) + (tender.amount_minor is not None) + tender.up_to != 1:
        what = "give exactly one of `points`, `amount_minor`, `up_to`"
        raise InvalidRequest("tender-ambiguous", what, pointer=pointer)
    if any(one.kind == POINTS and one.wallet == tender.wallet for one in basket.tenders[:i]):
        raise InvalidRequest("tender-ambiguous", "two tenders take points of the same wallet", pointer=pointer)
    if not tender.wallet:
        raise InvalidRequest("unknown-wallet", "`wallet` says whose points pay", pointer=f"{pointer}/wallet")
    wallet = named(batch.running.policy_on(receipt.day).wallets, "wallet", tender.wallet, f"{pointer}/wallet")
    if wallet.pays is None:
        what = f"{tender.wallet} do not pay at the till: the wallet has no `pays`"
        raise InvalidRequest("points-do-not-pay", what, pointer=f"{pointer}/wallet")
    return wallet.pays


def check_terms(pays: Pays, key: str, points: int, net_minor: int, pointer: str) -> None:
    """Raise `Conflict` for points that a wallet's `pays` does not take for a net."""
    if points % pays.step:
        raise _off_step(pays, key, pointer)
    if points < pays.minimum:
        what = f"a receipt takes {pays.minimum} {key} at least, not {points}"
        raise Conflict("points-below-minimum", what, pointer=pointer, minimum=pays.minimum, wanted=points)
    numerator, denominator = pays.at_most
    most = net_minor * numerator // denominator
    if pays.worth_minor(points) > most:
        what = f"{key} pay at most {most} of the net of {net_minor} minor units, not {pays.worth_minor(points)}"
        raise Conflict("points-above-share", what, pointer=pointer, at_most_minor=most, net_minor=net_minor)


def _off_step(pays: Pays, key: str, pointer: str) -> Conflict:
    what = f"{key} are taken in steps of {pays.step}, each of which pays {pays.worth_minor(pays.step)} minor units"
    return Conflict("points-not-in-steps", what, pointer=pointer, step=pays.step)


def spendable(batch: Batch, line: Timeline, receipt: Receipt, key: str, wanted: int | None = None) -> int:
    """Return the points that a purchase may spend, of so many wanted: what was there at its instant, and still is.

    Its own points are not among them. A late purchase takes nothing that was spent since.
    """
    return spendable_at(batch, line, receipt.occurred_at, receipt.day, key, wanted)


def spendable_at(batch: Batch, line: Timeline, at: int, day: int, key: str, wanted: int | None = None) -> int:
    """Return the same for an instant and its day."""
    program, near = batch.running.ready(), line.near
    then = purses(program, near, at, batch.days_of(line) if at < near.clock else None)
    there = available(then.get(key, Purse()), at)
    there = there if wanted is None else min(there, wanted)
    if there and at < near.clock:
        booked = batch.book(line, Spending(at, day, key, there)).near.purses[key].debt
        there -= min(there, booked - near.purses.get(key, Purse()).debt)
    return there


def by_rewards(receipt: Receipt, key: str) -> int:
    """Return the points of a wallet that the receipt's rewards cost and no hold keeps: what pays comes after them."""
    return rewarded(receipt).get(key, 0)


def rewarded(receipt: Receipt) -> dict[str, int]:
    """Return the points that the rewards of a receipt cost and no hold keeps, by wallet."""
    found = points_left(msgspec.structs.replace(receipt, tenders=()), {}, of_holds=False)
    for one in receipt.bought:
        found[one.wallet] = found.get(one.wallet, 0) + one.points
    return found


def usable(batch: Batch, line: Timeline, receipt: Receipt) -> dict[str, dict[str, int]]:
    """Return by wallet the most points that could pay a receipt, with what they would pay in minor units."""
    if line.kind != "member":
        return {}
    net = sum([each.net_minor for each in goods(receipt)])
    due = sum([payable(each) for each in goods(receipt)])
    found = {}
    for key, wallet in batch.running.policy_on(receipt.day).wallets.items():
        if wallet.pays is not None:
            there = max(0, spendable(batch, line, receipt, key) - by_rewards(receipt, key))
            points = wallet.pays.most(there, net, due)
            found[key] = {"points": points, "amount_minor": wallet.pays.worth_minor(points)}
    return found


def told(running: Running, receipt: Receipt, legs: Sequence[Posting]) -> list[dict[str, object]]:
    """Return the tenders of a receipt that we hold something of, with the lots from which points came; else none."""
    if not any(tender.kind in OURS or tender.hold for tender in receipt.tenders):
        return []
    found = []
    for tender in receipt.tenders:
        if tender.kind != REST:
            one: dict[str, object] = {"kind": tender.kind, "amount_minor": tender.amount_minor}
            if tender.hold:
                one["hold_id"] = tender.hold
            if tender.shortfall_minor:
                one["shortfall_minor"] = tender.shortfall_minor
            if tender.wallet:
                taken = lots(running, legs, tender.wallet, ("spent",), sign=-1) if not tender.hold else []
                one |= {"wallet": tender.wallet, "points": tender.points, "lots": taken}
            found.append(one)
    return found


def lots(
    running: Running, legs: Sequence[Posting], key: str, accounts: tuple[str, ...], *, sign: int = 1
) -> list[dict[str, object]]:
    """Return the lots of a wallet that moved against these accounts, the soonest ending first.

    Legs stand in an entry in the order in which things happened, each step's lots before its contra account.
    """
    sums: dict[tuple[int, int], int] = {}
    step: list[Posting] = []
    for leg in legs:
        if leg.wallet == key and leg.account == "lot":
            step.append(leg)
        elif leg.wallet == key and leg.account not in {"debt", "expired"}:
            for one in step if leg.account in accounts else ():
                sums[one.expires_at, one.day] = sums.get((one.expires_at, one.day), 0) + sign * one.points
            step = []
    return [
        {
            "lot": f"{key}:{day_text(abs(day))}{':restored' if day < 0 else ''}",
            "points": points,
            "expires_at": None if ends == NEVER else text(ends, running.zone),
        }
        for (ends, day), points in sorted(sums.items())
        if points
    ]
