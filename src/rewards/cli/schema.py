"""`rewards schema`: the JSON Schema of policy files.

What does not live here: the schema itself (`rewards.policy.json_schema`).
"""

from __future__ import annotations

import json
import sys

from rewards.policy.json_schema import json_schema


def text() -> str:
    """Return the schema as it is written to files."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def run() -> int:
    """Print the schema."""
    sys.stdout.write(text())
    return 0
