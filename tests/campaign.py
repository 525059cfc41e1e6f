"""How much a test that can go on for long does: a little by default, more on CI, all of it on request.

REWARDS_CAMPAIGN=ci is a step of `.ci/run`; REWARDS_CAMPAIGN=long is for an evening.
"""

import os
from typing import Final

CAMPAIGN: Final = os.environ.get("REWARDS_CAMPAIGN", "")


def size(*, default: int, ci: int, long: int) -> int:
    """The number of tries of this run."""
    return {"ci": ci, "long": long}.get(CAMPAIGN, default)
