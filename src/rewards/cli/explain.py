"""`rewards explain`: a code of `check`, or a purchase with the reason of every point.

What does not live here: the paragraphs about codes (`rewards.policy.codes`,
`rewards.scenario.codes`) and the reasons (`rewards.engine.explain`).
"""

from __future__ import annotations

import sys

import rewards.scenario.codes  # noqa: F401  makes the codes of scenario files known
from rewards.errors import NotFound
from rewards.policy.codes import CODES
from rewards.policy.codes import explain as about
from rewards.policy.wording import nearest

_PURCHASE = "pur_"


def run(what: str, database: str | None) -> int:
    """Print the explanation; 1 if there is no such code or purchase."""
    if what.startswith(_PURCHASE):
        from rewards.cli.purchase import describe  # noqa: PLC0415  codes need no database

        return describe(what, database)
    paragraph = about(what)
    if paragraph is None:
        close = nearest(what, CODES)
        advice = f"did you mean `{close}`?" if close else f"a purchase's id begins with `{_PURCHASE}`"
        raise NotFound("unknown-code", f"there is no code `{what}`; {advice}")
    sys.stdout.write(paragraph + "\n")
    return 0
