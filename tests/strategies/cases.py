"""Strategies proper: a program's versions and a member's story together, and several of the kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from rewards.days import Window
from rewards.engine.reference import Facts, Versions
from tests.strategies import words
from tests.strategies.histories import ABOUT, MOST, RECEIPT, Event, Story, arrival, in_order, instants, story
from tests.strategies.policies import POLICY, succession
from tests.strategies.rung_up import rung_up
from tests.strategies.words import Draw, blocks, pick


@dataclass(frozen=True, repr=False)
class Case:
    """What happened to a member under a program."""

    zone: ZoneInfo
    anchor: int
    versions: Versions
    story: Story
    arrived: list[Event]  # the story's events in another order
    more: Draw = field(compare=False, repr=False)  # choices for what a test adds of its own

    def __repr__(self) -> str:
        """Say it in as many words as Hypothesis prints; a whole case can be longer, and is then cut."""
        text = f"Case(versions={self.versions}, story={self.story}, arrived={self.arrived}, zone={self.zone})"
        return text if len(text) < LONGEST else f"{text[:LONGEST]}…"

    @property
    def facts(self) -> Facts:
        return self.story.facts

    @property
    def instants(self) -> list[int]:
        return instants(self.story, self.zone)


LONGEST = 20_000
STORY, MORE = 64 + MOST * RECEIPT + ABOUT, 200


def case_of(versions: Versions, told: Story, zone: ZoneInfo, anchor: int, rest: Draw) -> Case:
    """Return a case; its events arrive in an order that `rest` has drawn, and offers are decided in that order."""
    arrived = arrival(rest.region(0, 60), told.events)
    if any(policy.offers for _, policy in versions):
        arrived = rung_up(versions, told.joined, arrived)
        told = Story(told.joined, in_order(arrived))
    return Case(zone, anchor, versions, told, arrived, rest.region(60, MORE))


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    measures: tuple[Window, ...] = (),
    drop: bool = True,
    busy: bool = True,
    most_receipts: int = 6,
) -> Case:
    """Draw a case over the whole vocabulary; the arguments narrow it."""
    block = draw(blocks(1 + POLICY + STORY + MORE + 60))
    zone, anchor = pick(block, words.ANCHORS)
    versions = succession(block.region(1, POLICY), zone, anchor, measures=measures, drop=drop)
    told = story(block.region(1 + POLICY, STORY), zone, anchor, most_receipts=most_receipts, busy=busy)
    return case_of(versions, told, zone, anchor, block.region(1 + POLICY + STORY, MORE + 60))
