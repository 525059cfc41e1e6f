"""The operations of `/v1/policy`: read, publish, list, check.

What does not live here: all others (`routes`), and what must pass before a
policy is published (`rewards.scenario.gate`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from errno import ENOENT

import msgspec
from litestar import put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from rewards.api.answers import Answer, answer, written
from rewards.api.bodies import CheckAnswer, FindingAnswer, PolicyAnswer, PolicyText, PolicyToPublish, VersionsAnswer
from rewards.api.operations import asks, names_methods, reads, writes
from rewards.api.parameters import OptionalKey, Served
from rewards.policy.problems import Problem, as_json
from rewards.scenario import gate
from rewards.service.answers import VersionAnswer
from rewards.service.commands import Publish

_PUBLISHED = {201: ResponseSpec(VersionAnswer, generate_examples=False, description="Published as a new version")}


@reads("/policy", "policy", "Read the policy in force", 404)
async def get_policy(service: Served) -> Answer[PolicyAnswer]:
    """The file's text as it was published, and its version: the SHA-256 of its bytes."""
    data, version = service.policy()
    return answer(PolicyAnswer(**msgspec.structs.asdict(version), policy=data.decode()))


@writes("/policy", "policy", "Publish a policy", 409, method=put, also=_PUBLISHED)
async def publish_policy(
    data: JSONBody[PolicyToPublish], service: Served, idempotency_key: OptionalKey = None
) -> Answer[VersionAnswer]:
    """In force from a midnight to come; 200 says that it is published so already, and that nothing was written.

    Faults of the file, and stories that come out otherwise than expected, are refused with line and column: what is
    in force stays. The first version of a program also judges the days before it.
    """
    policy = data.policy.encode()
    verdict = await asyncio.to_thread(gate.judge, policy, "policy.yaml", _stories(data), _beside(data))
    verdict.demand()
    return written(await service.asubmit(Publish(policy, data.from_day), key=idempotency_key))


def _stories(data: PolicyToPublish) -> bytes | None:
    return None if data.scenarios is None else data.scenarios.encode()


def _beside(data: PolicyToPublish) -> Callable[[str], bytes]:
    def sent(name: str) -> bytes:
        if name not in data.beside:
            raise FileNotFoundError(ENOENT, "it was not sent in `beside`")
        return data.beside[name].encode()

    return sent


@reads("/policy/versions", "policy", "List versions")
async def list_policy_versions(service: Served) -> Answer[VersionsAnswer]:
    """All published versions, newest first, each with the day from which it is in force."""
    return answer(VersionsAnswer(service.versions()))


@asks("/policy/check", "policy", "Check a policy file")
async def check_policy(data: JSONBody[PolicyText], service: Served) -> Answer[CheckAnswer]:
    """The file's text in `policy`; answers every fault with its place and what to do. Nothing is published."""
    problems = await asyncio.to_thread(service.check, data.policy.encode())
    findings = [msgspec.convert(as_json(one), FindingAnswer) for one in problems if isinstance(one, Problem)]
    return answer(CheckAnswer(not any(one.severity == "error" for one in findings), findings))


POLICY = (names_methods("/policy", "GET, OPTIONS, PUT"), get_policy, publish_policy, list_policy_versions, check_policy)
