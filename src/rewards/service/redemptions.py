"""Redemptions by call: a reward that points buy outside a basket, and taking one back.

What does not live here: who may have a reward, and how it is booked
(`redeeming`); rewards in a basket (`rewards`), and those that come by themselves (`due`).
"""

from __future__ import annotations

import msgspec

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, NotFound
from rewards.ledger.timeline import Redemption
from rewards.policy.model import Policy, Reward
from rewards.service import due, redeeming
from rewards.service.asked import Asked
from rewards.service.balances import day_of
from rewards.service.batch import Batch, Place
from rewards.service.commands import CancelRedemption, Outcome, Redeem
from rewards.service.gift_cards import check_room
from rewards.service.journal import Timeline
from rewards.service.named import active, named
from rewards.service.places import followed
from rewards.service.reward_answers import CancellationAnswer
from rewards.service.sold_cards import with_codes
from rewards.service.telling import entries_of, note_of
from rewards.service.tenders import spendable_at

_json = msgspec.json.Encoder()


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Have points buy a reward; raise what refuses it, with its figures."""
    command = asked.of(Redeem)
    running = batch.running
    running.ready()
    line = active(batch.member(command.member), "/member")
    at = asked.when(command.occurred_at)
    day = day_of(at, running.zone)
    policy = running.policy_on(day)
    reward = named(policy.rewards, "reward", command.reward, "/reward")
    points = _points(command, reward)
    due.touch(batch, line, asked.now)
    change = Redemption(line.events + 1, reward.id, command.times, reward.wallet, points, at, day)
    _check(batch, line, policy, reward, change)
    by = (command.store_id, command.till_id, command.operator_id)
    name = f"\x1f{line.events + 1}"  # callers' names hold no control characters
    place, codes = redeeming.book(batch, asked.now, line, change, name=name, by=by, print_=print_)
    _, legs = entries_of(batch, line.owner, [place[1]])[-1]
    body = _json.encode(redeeming.told(batch, asked.now, line, place, legs))
    return with_codes(batch.answered(asked, place, 201, body), codes)


def _points(command: Redeem, reward: Reward) -> int:
    """Return what is to be taken; raise `InvalidRequest` `reward-points` for what the reward does not cost."""
    facts = {"least": reward.points, "step": reward.step}
    if not reward.step:
        if command.points is not None:
            message = f"`{reward.id}` costs {reward.points} {reward.wallet} each time: leave `points` out"
            raise InvalidRequest("reward-points", message, pointer="/points")
        return reward.points * command.times
    if command.points is None or command.points % reward.step or command.points < reward.points:
        message = f"`{reward.id}` takes {reward.points} {reward.wallet} or more, in steps of {reward.step}"
        raise InvalidRequest("reward-points", message, pointer="/points", **facts)
    if command.times > 1:
        message = f"`{reward.id}` is had once at a time, for as many points as are sent"
        raise InvalidRequest("reward-points", message, pointer="/times", **facts)
    return command.points


def _check(batch: Batch, line: Timeline, policy: Policy, reward: Reward, change: Redemption) -> None:
    there = spendable_at(batch, line, change.at, change.day, reward.wallet, change.points)
    if there < change.points:
        message = f"{there} {reward.wallet} are there, not {change.points}"
        raise Conflict("not-enough-points", message, pointer="/reward", available=there, wanted=change.points)
    if reward.offer:
        message = f"`{reward.id}` takes something off a purchase: ask for it in `rewards` of a quote or purchase"
        raise InvalidRequest("reward-needs-basket", message, pointer="/reward")
    scene = redeeming.bare_scene(batch, line, change.at, change.day) if reward.when else None
    redeeming.check_allowed(scene, line, reward, (change.times, change.points), change.day)
    minor = reward.value_minor(change.points // change.times)
    if reward.gift_card and minor is not None:
        check_room(policy.gift_cards[reward.gift_card], 0, minor, "/points" if reward.step else "/reward")


def cancel(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Take a redemption back, or answer as the first time if it was taken back before."""
    command = asked.of(CancelRedemption)
    batch.running.ready()
    line = batch.member(MemberRef(id=command.member_id), "/member_id")
    place = batch.running.ids.read_redemption(command.redemption_id)
    place = followed(batch, place) if place is not None else None
    event = batch.events.get(*place) if place is not None and place[0] == line.owner else None
    if place is None or event is None:
        message = f"the member has no redemption `{command.redemption_id}`"
        raise NotFound("unknown-redemption", message, pointer="/redemption_id")
    known = redeeming.cancellation_of(batch, place)
    if known is not None:
        return batch.replay(asked, known, lambda: _json.encode(_told(batch, asked.now, line, known)))
    due.touch(batch, line, asked.now)
    why = redeeming.Cancelling(command.reason, command.actor, asked.now)
    own = redeeming.cancel(batch, line, place[1], why, now=asked.now, print_=print_)
    return batch.answered(asked, own, 200, _json.encode(_told(batch, asked.now, line, own)))


def _told(batch: Batch, now: int, line: Timeline, own: Place) -> CancellationAnswer:
    _, legs = entries_of(batch, line.owner, [own[1]])[-1]
    return redeeming.cancellation_told(batch, now, line, own, legs, note_of(batch, *own))
