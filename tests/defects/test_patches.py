"""The seeded defects still fit the code; `python -m tests.defects` shows that they are caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.defects.__main__ import ROOT, Defect

PATCHES = sorted((Path(__file__).parent / "patches").glob("*.toml"))


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_a_patch_fits_the_code_and_names_its_tests(path: Path) -> None:
    defect = Defect.read(path)
    for edit in defect.edits:
        assert (ROOT / edit["file"]).read_text().count(edit["find"]) == 1, edit["file"]
        assert edit["find"] != edit["write"]
    for test in defect.tests:
        assert (ROOT / test.split("::")[0]).exists(), test


def test_ci_runs_five() -> None:
    assert len(PATCHES) >= 10
    assert sum(Defect.read(path).ci for path in PATCHES) == 5
