"""Rewards that come by themselves at the end of a month, a quarter or a year, for the points that there are then.

One is a redemption of the period's last instant, so that points which end with the
period still count. It is booked at the first touch of the member after that, or by
`rewards due`: whichever comes first, with the same result. Its number in the journal
is its name and day. What does not live here: who touches (`due`), and booking (`redeeming`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rewards.days import end_of, midnight
from rewards.engine.program import Program
from rewards.ledger.timeline import Near, Redemption, of_reward
from rewards.policy.model import Policy, Reward
from rewards.service import redeeming
from rewards.service.balances import day_of
from rewards.service.batch import Batch
from rewards.service.journal import Timeline
from rewards.service.tenders import spendable_at


def book(batch: Batch, line: Timeline, now: int, recorded_at: int) -> list[str]:
    """Book the rewards that have become due for a member up to an instant; return their names, oldest first."""
    program, names = batch.running.ready(), []
    for reward, day in list(_due(program, line.near, day_of(now, program.zone))):
        at = midnight(day + 1, program.zone) - 1
        change = _redemption(batch, line, reward, at, day)
        if change is not None:
            name = f"\x1f{reward.id} {date.fromordinal(day).isoformat()}"  # callers' names hold no control characters
            redeeming.book(batch, recorded_at, line, change, name=name)
            names.append(reward.id)
    return names


def _due(program: Program, near: Near, today: int) -> Iterator[tuple[Reward, int]]:
    """Yield the rewards of periods that are over, by their last day and name; booked ones are left out.

    Whatever happened to a member touched them first. So what ended before their last event was looked at, but for a
    day: a till's clock may be ahead.
    """
    first = max(near.since, day_of(near.clock, program.zone) - 1) if near.clock else near.since
    after = end_of(first, "end_of_month")
    while after <= today:
        day = after - 1
        for reward in sorted(program.on(day).policy.rewards.values(), key=lambda reward: reward.id):
            comes = reward.automatic is not None and end_of(day, reward.automatic) == after
            if comes and near.booked.get(of_reward(reward.id), 0) < day:
                yield reward, day
        after = end_of(after, "end_of_month")


def _redemption(batch: Batch, line: Timeline, reward: Reward, at: int, day: int) -> Redemption | None:
    """Return what a member gets of a reward on the last day of a period; None for nothing."""
    if reward.when and redeeming.barred(redeeming.bare_scene(batch, line, at, day), reward):
        return None
    there = spendable_at(batch, line, at, day, reward.wallet)
    most = redeeming.room(reward, line, day) or (redeeming.MOST_TIMES, there)
    times, points = _most(batch.running.policy_on(day), reward, min(there, most[1]), most[0])
    if not times:
        return None
    return Redemption(line.events + 1, reward.id, times, reward.wallet, points, at, day, automatic=True)


def _most(policy: Policy, reward: Reward, there: int, times: int) -> tuple[int, int]:
    """Return the most times that a reward can be had for so many points, and what they cost together."""
    if not reward.step:
        times = min(times, there // reward.points, redeeming.MOST_TIMES)
        return times, times * reward.points
    points = there // reward.step * reward.step
    most = policy.gift_cards[reward.gift_card].max_balance if reward.gift_card else None
    if most is not None and reward.value is not None:
        minor, each = reward.value
        points = min(points, most * each // minor // reward.step * reward.step)
    return (1, points) if times and points >= reward.points else (0, 0)
