"""What the codes mean that only scenario files are answered with.

What does not live here: the codes that they share with policies (`policy.codes`).
Importing this module makes them known there.
"""

from __future__ import annotations

from rewards.policy.codes import CODES, Code

_CODES = {
    "bad-moment": (
        "A step happens at a local date, `2026-12-02`, which is its midnight, or at a date with a time, "
        "`2026-12-02 08:12`. Both are in the program's time zone. A policy takes effect at a midnight only."
    ),
    "unknown-name": (
        "The name stands for nothing: members are declared in `members`, purchases are the receipts of the same story, "
        "rules and wallets are those of the policies that the story plays with, columns those of its table."
    ),
    "unknown-version": "The first key of a scenario file names the language's version. There is one: `rewards/v1`.",
    "row-length": "Each row of a table has one value for each of its columns.",
    "too-many-rows": "A table tells its story once for each row, at most 200 times. Keep the rows at the limits.",
    "out-of-order": (
        "The steps of a story stand in the order in which they reach us. Something that happened earlier and reached "
        "us later says both: `at` is when it happened, `arrives` is when it came."
    ),
    "file-missing": "A story publishes a policy that lies beside the scenario file, and there is no such file.",
    "story-failed": (
        "A step of the story came out otherwise than it expects. Either the policy does not do what was meant, or the "
        "expectation is wrong; `rewards test` shows both figures with the reasons of every point. A policy is not "
        "published while its stories fail."
    ),
    "file-refused": "The file that is named here is a policy with faults of its own. Check and mend it first.",
}
CODES.update({code: Code("error", text) for code, text in _CODES.items()})
