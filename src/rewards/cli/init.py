"""`rewards init`: a first policy, its scenarios, and settings for editors.

What does not live here: the JSON Schema (`schema`). The texts are kept as
package data beside this module, in `starter/`.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path

from rewards.cli import schema
from rewards.errors import InvalidRequest

_POLICY, _SCENARIOS = "my-shop.yaml", "my-shop.scenarios.yaml"
_SCHEMA = ".rewards/policy.schema.json"


def run(directory: str) -> int:
    """Write the files, all or none; refuse if any of them is there already."""
    root = Path(directory)
    texts = _texts()
    there = [name for name in texts if (root / name).exists()]
    if there:
        raise InvalidRequest("bad-setting", f"`{root / there[0]}` is there already; nothing was written")
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    _say_what_next(root, texts)
    return 0


def _texts() -> dict[str, str]:
    starter = files("rewards.cli") / "starter"
    return {
        **{name: (starter / name).read_text(encoding="utf-8") for name in (_POLICY, _SCENARIOS)},
        _SCHEMA: schema.text(),
        ".vscode/settings.json": json.dumps({"yaml.schemas": {_SCHEMA: _POLICY}, "files.eol": "\n"}, indent=2) + "\n",
        ".vscode/extensions.json": json.dumps({"recommendations": ["redhat.vscode-yaml"]}, indent=2) + "\n",
    }


def _say_what_next(root: Path, texts: dict[str, str]) -> None:
    sys.stdout.write("".join(f"wrote {root / name}\n" for name in texts))
    sys.stdout.write(
        f"\nnow edit {root / _POLICY}, and try\n"
        f"  rewards check {root / _POLICY} {root / _SCENARIOS}\n"
        f"  rewards test {root / _POLICY}\n"
        f"  rewards serve --policy {root / _POLICY}\n"
    )
