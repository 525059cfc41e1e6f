"""Tell stories of random steps until one fails, and then the shortest that fails alike.

A story is a list of (step, seed): what a step does in particular follows from its seed, so that any part of a story is
a story again. Hypothesis draws so long stories badly: of 600 steps that it drew, 177 were the same purchase.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from random import Random

from hypothesis import Phase, settings

LENGTH = 50
_EMPTY = re.compile(r", \w+=(?:''|\(\)|\{\}|None|False)(?=[,)])")


def tell(machine, steps, seed):
    """Tell stories until so many steps were taken; return how often each was, and what was seen.

    Raises what went wrong, with the shortest story that leads there.

    `machine` is a class with `steps` (each with how often it is taken beside the others), a method for each that
    returns False if there was nothing to do, `check` for after each step, `close` for the end, `abandon` for a bad one,
    and what it has `seen`.
    """
    dice, taken, seen = Random(seed), Counter(), Counter()
    names, weights = list(machine.steps), list(machine.steps.values())
    while taken.total() < steps:
        story = [(name, dice.randrange(2**32)) for name in dice.choices(names, weights, k=LENGTH)]
        said, error = play(machine, story, taken, seen)
        if error is not None:
            if Phase.shrink in settings.default.phases:
                story, said, error = shortest(machine, story, error)
            raise AssertionError(f"the story {story} ends in:\n" + "\n".join(said)) from error
    return taken, seen


def play(machine, story, taken, seen):
    """Play a story, count, and return what was said on the way, and the error that ended it or None."""
    one, said = machine(), []
    try:
        for name, seed in story:
            known = len(one.answered)
            try:
                taken[name] += getattr(one, name)(Random(seed)) is not False
                one.check()
            finally:
                said.append(f"{name} at {one.now}:" + "".join(map(_brief, one.answered[known:])))
    except Exception as error:  # noqa: BLE001  the shortest story is wanted, whatever went wrong
        one.abandon()
        return said, error
    try:
        one.close()
    except AssertionError as error:
        return said, error
    seen.update(one.seen)
    return said, None


def shortest(machine, story, error):
    """Leave steps out, many at once and then fewer, as long as it fails at the same place."""
    place, left, said = _place(error), len(story) // 2, []
    while left:
        i = 0
        while i < len(story):
            shorter = story[:i] + story[i + left :]
            words, found = play(machine, shorter, Counter(), Counter())
            if found is not None and _place(found) == place:
                story, said, error = shorter, words, found
            else:
                i += left
        left //= 2
    return story, said, error


def _brief(answered):
    """A command and its answer, without what it does not say."""
    command, _, answer = answered
    return f"\n    {_EMPTY.sub('', str(command))}\n      -> {answer}"


def _place(error):
    frame = next((one for one in reversed(traceback.extract_tb(error.__traceback__)) if "tests" in one.filename), None)
    return type(error), frame and (frame.filename, frame.lineno)
