"""Strategies proper: a program's versions and a member's story together, and several of the kind."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from rewards.days import Window
from rewards.engine.reference import Facts, Versions
from tests.strategies import words
from tests.strategies.histories import Event, Story, arrival, instants, story
from tests.strategies.policies import succession
from tests.strategies.words import Draw, pick


@dataclass(frozen=True)
class Case:
    """What happened to a member under a program."""

    zone: ZoneInfo
    anchor: int
    versions: Versions
    story: Story
    arrived: list[Event]  # the story's events in another order

    @property
    def facts(self) -> Facts:
        return self.story.facts

    @property
    def instants(self) -> list[int]:
        return instants(self.story, self.zone)


@st.composite
def cases(
    draw: Draw,
    *,
    measures: tuple[Window, ...] = (),
    drop: bool = True,
    busy: bool = True,
    most_receipts: int = 6,
) -> Case:
    """Draw a case over the whole vocabulary; the arguments narrow it."""
    zone, anchor = pick(draw, words.ANCHORS)
    versions = succession(draw, zone, anchor, measures=measures, drop=drop)
    told = story(draw, zone, anchor, most_receipts=most_receipts, busy=busy)
    return Case(zone, anchor, versions, told, arrival(draw, told.events))
