"""One story told in a test: what went otherwise than it expects."""

from rewards.policy.compile import compile_policy
from rewards.policy.problems import render_text
from rewards.scenario.play import Failure, play
from rewards.scenario.read import read_stories

HEAD = """\
scenarios: rewards/v1
members:
  ana: {joined: 2026-01-10, balances: {points: 100}}
  ben: {}
stories:
  one:
"""


def failure(policy: bytes, steps: str, head: str = HEAD) -> Failure | None:
    """Play a story of steps, one a line, under a policy; None if all was as expected."""
    compiled, problems = compile_policy(policy)
    assert compiled, render_text(problems, {})
    text = head + "".join(f"    - {step}\n" for step in steps.splitlines())
    stories, problems = read_stories(text.encode(), "s", compiled, policy, lambda _: b"")
    assert stories is not None, render_text(problems, {"s": text.encode()})
    return play(stories, stories.stories[0]).failure
