"""Where events count now: claimed purchases on the member's timeline, those of merged members on the other's.

An event keeps its place, and with it its id, for ever; what counts somewhere
else is recorded there once more. What does not live here: claiming (`claims`)
and merging (`merging`).
"""

from __future__ import annotations

from bisect import bisect_left

from rewards.service.batch import Batch, Place
from rewards.service.journal import MergeBody, Timeline, read_claim, read_merge

CLAIMED = "claim"
ENDED = "\x1fmerged"  # the last event of a merged member; callers' names hold no control characters
FIRST = 1  # the number of a guest's purchase on its own timeline


def followed(batch: Batch, place: Place) -> Place:
    """Return where a purchase counts, or an activity: a claimed one, or one of a merged member, on another timeline."""
    while (further := _further(batch, place)) is not None:
        place = further
    return place


def _further(batch: Batch, place: Place) -> Place | None:
    line = batch.line(place[0])
    if line is None:
        return None
    if line.kind == "guest" and line.events > FIRST:
        known = batch.by_id.get(line.owner, "change", "", CLAIMED)
        if known is None:
            return None
        claim = read_claim(batch.event(line.owner, known[0])[9])
        return claim.owner, claim.number
    if line.near.merged_into:
        number, body = merge_of(batch, line.near.merged_into, line.owner)
        at = bisect_left(body.numbers, place[1])
        if at < len(body.numbers) and body.numbers[at] == place[1]:
            return line.near.merged_into, number + 1 + at
    return None


def merge_of(batch: Batch, owner: int, other: int) -> tuple[int, MergeBody]:
    """Return the number of the merge by which another member came to an owner, and what it says."""
    known = batch.by_id.get(owner, "merge", "", merge_name(other))
    assert known is not None
    return known[0], read_merge(batch.event(owner, known[0])[9])


def merge_name(other: int) -> str:
    """Return what a merge is called in the journal: it comes once for each member."""
    return f"\x1f{other}"  # callers' names hold no control characters


def origins(batch: Batch, line: Timeline, number: int) -> list[Place]:
    """Return where an event was recorded before its member was merged, latest first."""
    found: list[Place] = []
    place: Place | None = (line.owner, number)
    while place is not None and (place := _before(batch, place)) is not None:
        found.append(place)
    return found


def recorded_at(batch: Batch, place: Place) -> Place:
    """Return where an event was recorded before any merge: gift cards that it gave know it by that."""
    line = batch.line(place[0])
    found = origins(batch, line, place[1]) if line is not None and line.near.merged else []
    return found[-1] if found else place


def _before(batch: Batch, place: Place) -> Place | None:
    line = batch.line(place[0])
    for other in line.near.merged if line is not None else ():
        known = batch.by_id.get(place[0], "merge", "", merge_name(other))
        if known is not None and known[0] < place[1]:
            numbers = read_merge(batch.event(place[0], known[0])[9]).numbers
            if place[1] - known[0] <= len(numbers):
                return other, numbers[place[1] - known[0] - 1]
    return None
