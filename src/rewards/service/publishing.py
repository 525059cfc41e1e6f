"""Publishing a policy version, for a midnight to come.

Each day is judged by the version of that day for ever, so a version is never
put before, or instead of, one that has judged days. What does not live here:
reading the file (`policy.compile`).
"""

from __future__ import annotations

import msgspec

from rewards.errors import Conflict, InvalidRequest
from rewards.policy.compile import compile_policy
from rewards.policy.model import Policy
from rewards.policy.problems import as_json
from rewards.service.answers import VersionAnswer
from rewards.service.asked import Asked
from rewards.service.balances import day_of, day_text, text
from rewards.service.commands import Outcome, Publish
from rewards.service.running import Running, Version
from rewards.store import statements
from rewards.store.database import Session

_json = msgspec.json.Encoder()
_AHEAD = 5 * 60_000_000  # a till's clock may be so far ahead: that day has begun for it


def publish(session: Session, running: Running, asked: Asked) -> tuple[Outcome, Running]:
    """Write a version and return the program with it.

    What is published so already is answered with status 200, and nothing is written. Raises `InvalidRequest`
    `policy-invalid` with every error, `Conflict` for a day that has begun, or for another currency or time zone
    than the program's. That the stories pass is for whoever calls (`rewards.scenario.gate`).
    """
    command = asked.of(Publish)
    policy = _compiled(command)
    if (known := _known(running, command)) is not None:
        return Outcome(200, _json.encode(answer(running, known, asked.now)), replayed=True), running
    _check_same_program(running, policy)
    from_day = _from_day(running, asked, command, policy)
    number = len(running.versions) + 1
    session.write(statements.ADD_VERSION, [(number, policy.version, from_day, asked.now, command.data)])
    if not running.versions:
        session.write(statements.SAVE_PROGRAM, [(policy.currency, policy.timezone)])
    version = Version(number, policy, from_day, asked.now, command.data)
    after = running.with_version(version)
    return Outcome(201, _json.encode(answer(after, version, asked.now))), after


def _known(running: Running, command: Publish) -> Version | None:
    """Return the version that publishing would only repeat: the latest, or the one that governs from that day on."""
    versions = running.versions
    if not versions:
        return None
    if command.from_day is None:
        return versions[-1] if versions[-1].data == command.data else None
    day = command.from_day.toordinal()
    there = running.in_force(day)
    begins = there.from_day == day or there is versions[-1]
    return there if there.data == command.data and begins else None


def _compiled(command: Publish) -> Policy:
    policy, problems = compile_policy(command.data, command.name)
    if policy is None:
        faults = [problem for problem in problems if problem.severity == "error"]
        raise InvalidRequest(
            "policy-invalid",
            f"the policy has {len(faults)} faults; nothing was published, and what is in force stays",
            pointer="/policy",
            problems=[as_json(one) for one in faults],
        )
    return policy


def _from_day(running: Running, asked: Asked, command: Publish, policy: Policy) -> int:
    begun = day_of(asked.now + _AHEAD, policy.zone)
    asked_for = command.from_day.toordinal() if command.from_day is not None else policy.effective
    if not running.versions:
        return min(asked_for, begun) if asked_for is not None else begun
    day = asked_for if asked_for is not None else begun + 1
    if day <= begun:
        told = "asked for" if command.from_day is not None else "the file's `effective`"
        raise Conflict(
            "effective-not-to-come",
            f"a version begins at a midnight to come: {day_text(begun + 1)} or later, not {day_text(day)} ({told});"
            " days that have begun keep their version",
            pointer="/from" if command.from_day is not None else "/policy",
            earliest=day_text(begun + 1),
        )
    return day


def _check_same_program(running: Running, policy: Policy) -> None:
    if not running.versions:
        return
    first = running.versions[0].policy
    for word in ("currency", "timezone"):
        was, now = getattr(first, word), getattr(policy, word)
        if was != now:
            raise Conflict(f"{word}-changed", f"`{word}` is {was} for this program, not {now}", pointer="/policy")


def answer(running: Running, version: Version, now: int) -> VersionAnswer:
    """Tell a version."""
    return VersionAnswer(
        policy_version=version.policy.version,
        effective=day_text(version.from_day),
        published_at=text(version.published_at, running.zone),
        in_force=running.in_force(day_of(now, running.zone)) is version,
    )
