"""How problems are shown: text with a caret, JSON, workflow commands, and one paragraph for each code."""

from __future__ import annotations

import json

import pytest

from rewards.policy.codes import CODES, POLICY_CODES, explain
from rewards.policy.compile import compile_policy, load_policy
from rewards.policy.problems import PolicyRefused, render_github, render_json, render_text

DATA = b"""policy: rewards/v1
program: shop
title: Shop
currency: EUR
timezone: Europe/Berlin
points: {points: {one: point}}
eligible: {amount: after_discounts, tax: included, paid_by_points: does_not_count}
returns: {}
earn:
  base: {every: 1.00, give: 1 point, mesure: day}
  base: {give: 5 points}
"""


def test_text_shows_the_line_and_points_at_the_fault() -> None:
    _, problems = compile_policy(DATA, "rules/shop.yaml")
    assert render_text(problems, {"rules/shop.yaml": DATA}) == (
        "error[unknown-key]: unknown key `mesure` in an earning rule\n"
        "  --> rules/shop.yaml:10:38\n"
        "   |\n"
        "10 |   base: {every: 1.00, give: 1 point, mesure: day}\n"
        "   |                                      ^^^^^^\n"
        "   = help: did you mean `measure`?\n"
        "\n"
        "error[duplicate-key]: `base` is written twice\n"
        "  --> rules/shop.yaml:11:3\n"
        "   |\n"
        "11 |   base: {give: 5 points}\n"
        "   |   ^^^^\n"
        "   |\n"
        "10 |   base: {every: 1.00, give: 1 point, mesure: day}\n"
        "   |   ---- first written here\n"
        "   = help: keep one of them"
    )


def test_json_and_github() -> None:
    _, problems = compile_policy(DATA, "rules/a,b:c.yaml")
    documents = json.loads(render_json(problems))
    assert documents[0] == {
        "code": "unknown-key",
        "severity": "error",
        "message": "unknown key `mesure` in an earning rule",
        "file": "rules/a,b:c.yaml",
        "line": 10,
        "column": 38,
        "length": 6,
        "help": "did you mean `measure`?",
    }
    assert documents[1]["also"] == {"line": 10, "column": 3, "length": 4, "message": "first written here"}
    assert render_github(problems).splitlines()[1] == (
        "::error file=rules/a%2Cb%3Ac.yaml,line=11,col=3,endColumn=7,title=duplicate-key::"
        "`base` is written twice; keep one of them"
    )


def test_what_is_shown_holds_no_control_characters() -> None:
    data = b'policy: rewards/v1\nprogram: "\\e[31m"\ntitle: \x1b[2J\n'
    _, problems = compile_policy(data, "x")
    assert "\x1b" not in render_text(problems, {"x": data})


def test_wide_letters_and_long_lines_keep_the_caret_in_place() -> None:
    data = "policy: rewards/v1\nprogram: shop\ntitle: {日本: ポイント, english: カフェ}\n".encode()
    text = render_text(compile_policy(data, "x")[1], {"x": data})
    line = next(row for row in text.splitlines() if row.startswith("3 | "))
    carets = text.splitlines()[text.splitlines().index(line) + 1]
    assert carets == "  | " + " " * len("title: {") + "^^^^"
    long = b"policy: rewards/v1\nprogram: shop # " + b"x" * 5000 + b"\ncolour: red\n" + b"y" * 5000 + b": z\n"
    text = render_text(compile_policy(long, "x")[1], {"x": long})
    assert max(map(len, text.splitlines())) < 300


def test_a_file_that_is_not_there_is_shown_without_its_lines() -> None:
    _, problems = compile_policy(b"", "gone.yaml")
    assert "gone.yaml:1:1" in render_text(problems, {})


def test_old_versions_are_loaded_or_refused() -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(DATA)
    assert refused.value.code == "policy-refused"
    assert "line 10, column 38" in str(refused.value)
    assert len(refused.value.problems) == 2


def test_every_code_has_a_paragraph() -> None:
    for code in POLICY_CODES:
        about = CODES[code]
        assert len(about.text) > 60, code
        assert explain(code) == f"{about.severity}[{code}]\n\n{about.text}"
    assert explain("no-such-code") is None
