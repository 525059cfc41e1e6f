"""What a batch of commands will look up, read ahead by a constant number of statements.

A matter of speed alone: whatever is not foreseen is looked up when needed.
What does not live here: anything that decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rewards.basket import MemberRef
from rewards.errors import RewardsError
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.commands import (
    Adjust,
    BookDue,
    ChangeMember,
    ClaimPurchase,
    Command,
    Enrol,
    IssueGiftCard,
    PreparedPurchase,
    RecordActivity,
    RecordPurchase,
    RecordReturn,
    Redeem,
)
from rewards.service.contacts import normal
from rewards.service.enrolment import KINDS
from rewards.service.lookups import Key
from rewards.store import statements

_PURCHASES = (PreparedPurchase, RecordPurchase)
_OF_MEMBERS = (ClaimPurchase, Adjust, IssueGiftCard, RecordActivity, Redeem)


def foresee(batch: Batch, commands: Sequence[Asked]) -> None:
    """Read routes first, then the timelines and answers that they lead to."""
    keys = [(asked.caller, asked.key) for asked in commands if asked.key is not None]
    batch.keys.foresee(keys)
    asked_for = [asked.command for asked in commands]
    rarer = [command for command in asked_for if not isinstance(command, _PURCHASES)]
    names = [key for command in asked_for for key in _names(command)]
    batch.receipts.foresee(names)
    bought = [(store, name) for store, name, kind in names if kind == "purchase"]
    look = batch.parked.foresee if batch.session.rows(statements.ANY_PARKED) else batch.parked.none  # few ever wait
    look(bought)
    refs = [ref for command in asked_for if (ref := _ref(command)) is not None]
    read_member = batch.running.ids.read_member
    contacts = [key for ref in refs if ref.id is None and (key := _contact(batch, ref)) is not None]
    batch.contacts.foresee([*contacts, *(key for command in rarer for key in _enrolled(batch, command))])
    places = _places(batch, keys, names)
    owners = {place[0] for place in places}
    owners.update(route[0] for key in contacts if (route := batch.contacts.get(*key)) is not None)
    owners.update([owner for ref in refs if ref.id and (owner := read_member(ref.id)) is not None])
    if len(rarer) < len(asked_for):
        owners.update(batch.running.budgets.values())
    owners.update(owner for command in rarer if isinstance(command, BookDue) for owner in command.owners)
    batch.foresee_lines(owners)
    if batch.running.speaks_several:
        lines = [line for owner in owners if (line := batch.line(owner)) is not None]
        batch.foresee_profiles([line.owner for line in lines if line.kind == "member"])
    batch.answers.foresee(places)
    returned = [place for command in rarer if (place := _returned(batch, command)) is not None]
    batch.events.foresee(returned)
    batch.returns.foresee(returned)


def _names(command: Command) -> Iterable[tuple[str, str, str]]:
    """Return the tills' own numbers that a command names."""
    if isinstance(command, PreparedPurchase):
        yield command.receipt.store_id, command.receipt.receipt_id, "purchase"
    elif isinstance(command, RecordPurchase):
        yield command.basket.store_id, command.basket.receipt_id, "purchase"
    elif isinstance(command, RecordReturn):
        yield command.store_id, command.return_id, "return"
        if command.of is not None and command.of.store_id is not None and command.of.receipt_id is not None:
            yield command.of.store_id, command.of.receipt_id, "purchase"


def _ref(command: Command) -> MemberRef | None:
    if isinstance(command, PreparedPurchase):
        return command.member
    if isinstance(command, RecordPurchase):
        return command.basket.member
    if isinstance(command, ChangeMember):
        return MemberRef(id=command.member_id)
    if isinstance(command, Enrol):
        return command.referred_by
    return command.member if isinstance(command, _OF_MEMBERS) else None


def _contact(batch: Batch, ref: MemberRef) -> Key | None:
    try:
        kind, value = ref.named()
        return None if kind == "id" else (kind, normal(kind, value, batch.country))
    except RewardsError:  # told when the command's turn comes
        return None


def _enrolled(batch: Batch, command: Command) -> Iterable[Key]:
    if not isinstance(command, Enrol):
        return
    for kind in KINDS:
        value = getattr(command, kind)
        key = _contact(batch, MemberRef(**{kind: value})) if value is not None else None
        if key is not None:
            yield key


def _places(
    batch: Batch, keys: Sequence[tuple[str, str]], names: Sequence[tuple[str, str, str]]
) -> list[tuple[int, int]]:
    """Return the events that keys and numbers lead to already."""
    routes = [route[:2] for name in names if (route := batch.receipts.get(*name)) is not None]
    routes += [known[:2] for key in keys if (known := batch.keys.get(*key)) is not None]
    return [(owner, number) for owner, number in routes if owner is not None and number is not None]


def _returned(batch: Batch, command: Command) -> tuple[int, int] | None:
    """Return the place of the purchase that goods come back from."""
    if not isinstance(command, RecordReturn) or command.of is None:
        return None
    of = command.of
    if of.purchase_id is not None:
        return batch.running.ids.read_purchase(of.purchase_id)
    if of.store_id is None or of.receipt_id is None:
        return None
    route = batch.receipts.get(of.store_id, of.receipt_id, "purchase")
    return (route[0], route[1]) if route is not None and route[0] is not None and route[1] is not None else None
