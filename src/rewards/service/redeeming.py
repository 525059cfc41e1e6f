"""What a reward of the catalogue takes and gives: who may have it, and booking it as a redemption of its own.

A redemption is made outside a basket, with a purchase from which it takes
nothing off, or by itself at a period's end. What does not live here: who asks
(`redemptions`, `rewards`, `due`), and rewards that take something off a purchase
(`rewards`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewards.days import period
from rewards.engine.misses import Scene, failure
from rewards.engine.plan import reward_gate
from rewards.errors import Conflict
from rewards.ledger.entries import Posting
from rewards.ledger.settling import settlements
from rewards.ledger.timeline import Activity, Cancellation, Redemption, of_reward
from rewards.policy.model import Policy, Reward
from rewards.receipt import Bought
from rewards.service import given_cards
from rewards.service.awards import title
from rewards.service.balances import day_of, text, wallets
from rewards.service.batch import Batch, Place
from rewards.service.given_cards import Codes, Gift
from rewards.service.journal import (
    CancellationBody,
    Happened,
    NoteBody,
    RedemptionBody,
    Row,
    Timeline,
    pack,
    read_cancellation,
    read_redemption,
)
from rewards.service.reward_answers import CancellationAnswer, RedeemedAnswer, RedemptionAnswer
from rewards.service.running import Running
from rewards.service.tenders import lots
from rewards.store import statements

MOST_TIMES = 100  # of a reward at once


def redemption_of(row: Row, running: Running) -> Redemption:
    """Return the redemption that an event records; `row` is the event's, owner and number first."""
    body = read_redemption(row[11])
    day = day_of(row[5], running.zone)
    return Redemption(row[1], body.reward, body.times, body.wallet, body.points, row[5], day, body.automatic)


# who may have it


def bare_scene(batch: Batch, line: Timeline, at: int, day: int) -> Scene:
    """Return a day as the conditions of a reward see it that is asked for outside a basket."""
    return batch.scene(line, Activity(line.events + 1, "", at, day))


def barred(scene: Scene, reward: Reward) -> str:
    """Return the first condition that keeps a member from a reward, in words; empty if all hold."""
    found = (failure(scene, reward.id, reward_gate(condition)) for condition in reward.when)
    return next((miss.why for miss in found if miss is not None), "")


def room(reward: Reward, line: Timeline, day: int) -> tuple[int, int] | None:
    """Return how many times and for how many points a member may still have a reward; None: it has no limit."""
    if not reward.limits:
        return None
    known = line.near.uses.get(of_reward(reward.id), ())
    left = {"times": MOST_TIMES, "points": MOST_TIMES * 10**9}
    for limit in reward.limits:
        now = period(day, limit.per)
        used = sum(use[2 if limit.what == "times" else 3] for use in known if period(use[1], limit.per) == now)
        left[limit.what] = max(0, min(left[limit.what], limit.amount - used))
    return left["times"], left["points"]


def check_allowed(
    scene: Scene | None, line: Timeline, reward: Reward, wanted: tuple[int, int], day: int, pointer: str = "/reward"
) -> None:
    """Raise `Conflict` `reward-not-now` or `reward-limit` unless a member may have it so many times, for such points.

    Without a `scene` the conditions were looked at before.
    """
    why = barred(scene, reward) if scene is not None else ""
    if why:
        raise Conflict("reward-not-now", f"`{reward.id}`: {why}", pointer=pointer, reward=reward.id)
    left = room(reward, line, day)
    if left is not None and (wanted[0] > left[0] or wanted[1] > left[1]):
        limits = " and ".join(f"{limit.amount} {limit.what} per {limit.per}" for limit in reward.limits)
        raise Conflict("reward-limit", f"`{reward.id}` is limited: {limits}", pointer=pointer, reward=reward.id)


# booking it


def book(
    batch: Batch,
    now: int,
    line: Timeline,
    change: Redemption,
    *,
    name: str,
    by: tuple[str, str, str] = ("", "", ""),
    print_: bytes = b"",
) -> tuple[Place, Codes]:
    """Record a redemption that was checked, and issue its gift cards; return its place and their codes.

    `name` is its own number in the journal; `by` are store, till and operator.
    """
    print_ = print_ or batch.running.print_of(name)
    happened = Happened(
        kind="redemption",
        external_id=name,
        occurred_at=change.at,
        recorded_at=now,
        store_id=by[0],
        till_id=by[1],
        operator_id=by[2],
        fingerprint=print_,
        body=RedemptionBody(change.reward, change.times, change.wallet, change.points, change.automatic),
    )
    place = (line.owner, batch.record(line, happened, batch.book(line, change)))
    batch.by_id.put((line.owner, "redemption", by[0], name), (place[1], print_))
    gifts = _gifts(batch.running.policy_on(change.day), change)
    return place, given_cards.give(batch, now, line, place, gifts, change.at) if gifts else {}


def _gifts(policy: Policy, change: Redemption) -> list[Gift]:
    """Return the gift cards that a redemption gives: one for each time."""
    reward = policy.rewards[change.reward]
    if not reward.gift_card:
        return []
    product = policy.gift_cards[reward.gift_card]
    minor = given_cards.worth(product, reward.value_minor(change.points // change.times))
    return [Gift(reward.id, product, minor, i) for i in range(change.times)]


def told(batch: Batch, now: int, line: Timeline, place: Place, legs: Sequence[Posting]) -> RedemptionAnswer:
    """Tell a redemption as it was booked, without the codes of its gift cards."""
    running = batch.running
    change = redemption_of((*place, *batch.event(*place)), running)
    policy = running.policy_on(change.day)
    one = redeemed(policy, change, batch.language(line))
    return RedemptionAnswer(
        redemption_id=running.ids.redemption(*place),
        member_id=running.ids.member(line.owner),
        reward=one.reward,
        title=one.title,
        times=one.times,
        wallet=one.wallet,
        points=one.points,
        lots=lots(running, legs, one.wallet, ("spent",), sign=-1),
        occurred_at=text(change.at, running.zone),
        policy_version=policy.version,
        item=one.item,
        value_minor=one.value_minor,
        gift_cards_issued=given_cards.told(batch, place),
        balance=wallets(running.ready(), line.near, now),
    )


def redeemed(policy: Policy, change: Redemption | Bought, language: str = "", name: str = "") -> RedeemedAnswer:
    """Return what a redemption was for; `name` is its id."""
    reward = policy.rewards.get(change.reward)
    return RedeemedAnswer(
        change.reward,
        change.times,
        change.wallet,
        change.points,
        name,
        title(reward.title, language) if reward is not None else "",
        reward.item if reward is not None else "",
        (reward.value_minor(change.points) or 0) if reward is not None else 0,
    )


def about(batch: Batch, place: Place, event: Row, language: str) -> tuple[str, dict[str, str]]:
    """Return the title of the reward that a redemption, or its cancellation, is of, and which one it is.

    `event` is the row at `place`, after owner and number.
    """
    place = (place[0], event[2] or place[1])
    one = redemption_of((*place, *batch.event(*place)), batch.running)
    reward = batch.running.policy_on(one.day).rewards.get(one.reward)
    facts = {"redemption_id": batch.running.ids.redemption(*place), "reward": one.reward, "store_id": event[5]}
    return title(reward.title, language) if reward is not None else "", facts


# taking it back


def cancel(
    batch: Batch, line: Timeline, number: int, asked: Cancelling, *, now: int, print_: bytes, of_return: int = 0
) -> Place:
    """Record that a redemption is cancelled; return the event's place.

    Points go back into their own lots and last as those of a return do. What of its gift cards is used up keeps its
    share of the points, rounded up; the rest of the cards is voided. Raises `Conflict` `reward-used` if all is used up.
    """
    place = (line.owner, number)
    of = redemption_of((*place, *batch.event(*place)), batch.running)
    kept, at = kept_points(batch, place, of, now), max(asked.at, of.at)
    if kept == of.points:
        raise Conflict("reward-used", f"what `{of.reward}` gave was used up: nothing is left to take back")
    change = Cancellation(of, kept, at)
    if found := settlements(batch.running.ready(), line.near, change, batch.days_of(line)):
        change = change.settling(found, day_of(at, batch.running.zone))
    happened = Happened(
        kind="cancellation",
        external_id=name_of_cancellation(number),
        of_number=number,
        occurred_at=at,
        recorded_at=now,
        operator_id=asked.actor,
        fingerprint=print_,
        body=CancellationBody(kept, change.settled, of_return),
    )
    own = (line.owner, batch.record(line, happened, batch.book(line, change)))
    batch.by_id.put((line.owner, "cancellation", "", happened.external_id), (own[1], print_))
    if asked.reason:
        batch.more[statements.ADD_NOTE].append((*own, pack(NoteBody(asked.reason))))
    given_cards.take_back(batch, now, place, of.reward, _about(own), print_)
    return own


class Cancelling(NamedTuple):
    """Why a redemption is cancelled, by whom, and when."""

    reason: str
    actor: str
    at: int


def _about(own: Place) -> tuple[str, str]:
    return "", f"cancellation {own[0]} {own[1]}"


def name_of_cancellation(number: int) -> str:
    """Return the number in the journal of the one cancellation that a redemption can have."""
    return f"\x1f{number}"


def cancellation_of(batch: Batch, place: Place) -> Place | None:
    """Return the event that cancelled a redemption, or None."""
    known = batch.by_id.get(place[0], "cancellation", "", name_of_cancellation(place[1]))
    return (place[0], known[0]) if known is not None else None


def kept_points(batch: Batch, place: Place, of: Redemption, now: int) -> int:
    """Return the points that stay spent if a redemption is cancelled now: for what of its gift cards is used up."""
    left, whole = given_cards.left_of(batch, place, of.reward, now)
    return of.points - of.points * left // whole if whole else 0


def cancellation_told(
    batch: Batch, now: int, line: Timeline, own: Place, legs: Sequence[Posting], reason: str
) -> CancellationAnswer:
    """Tell a cancellation as it was booked."""
    running, event = batch.running, batch.event(*own)
    body, place = read_cancellation(event[9]), (own[0], event[2])
    of = redemption_of((*place, *batch.event(*place)), running)
    return CancellationAnswer(
        redemption_id=running.ids.redemption(*place),
        member_id=running.ids.member(line.owner),
        state="cancelled",
        reward=of.reward,
        wallet=of.wallet,
        restored=of.points - body.points,
        kept=body.points,
        lots=lots(running, legs, of.wallet, ("restored", "settled")),
        gift_cards_voided=given_cards.taken_back(batch, place, _about(own)),
        reason=reason,
        actor=event[7],
        occurred_at=text(event[3], running.zone),
        balance=wallets(running.ready(), line.near, now),
    )
