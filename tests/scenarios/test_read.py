"""Faults of scenario files: each with its code, its place and what to do."""

import pytest

from rewards.policy.compile import compile_policy
from rewards.policy.problems import Problem
from rewards.scenario.read import read_stories
from tests.policies import program

POLICY = program("""attributes:
  lines: {organic: boolean, size: [small, large], year: integer}
points:
  points: {one: point, expires: {after: 12 months}}
earn:
  base: {every: 1.00, give: 1 point}
returns: {}
""").encode()
BESIDE = {"next.yaml": POLICY, "broken.yaml": b"policy: rewards/v1\n"}


def beside(name: str) -> bytes:
    try:
        return BESIDE[name]
    except KeyError:
        raise FileNotFoundError(2, "No such file or directory", name) from None


def problems(text: str) -> list[Problem]:
    policy, _ = compile_policy(POLICY)
    assert policy
    stories, found = read_stories(text.encode(), "s.scenarios.yaml", policy, POLICY, beside)
    assert (stories is None) == any(one.severity == "error" for one in found)
    return found


def of_step(step: str) -> list[tuple[str, int, str, str]]:
    text = f"scenarios: rewards/v1\nmembers: {{ana: {{}}}}\nstories:\n  one:\n    - {step}\n"
    return [(one.code, one.column, one.message, one.help) for one in problems(text)]


BUY = "at: 2026-12-02, purchase: r1, member: ana"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            "{at: 2026-12-02, purchase: r1, member: anna, lines: [{price: 1.00}]}",
            [("unknown-name", 46, "there is no member `anna`", "did you mean `ana`?")],
        ),
        (
            f"{{{BUY}, lines: [{{price: 1.00}}], expect: {{earned: {{point: 1}}, gives: [bas]}}}}",
            [
                ("unknown-name", 93, "there is no wallet `point`", "did you mean `points`?"),
                ("unknown-name", 112, "there is no rule `bas`", "did you mean `base`?"),
            ],
        ),
        (
            f"{{{BUY}, lines: [{{prise: 1.00}}]}}",
            [("unknown-key", 60, "unknown key `prise` in a line", "did you mean `price`?")],
        ),
        (
            f"{{{BUY}, lines: [{{price: 1.005}}]}}",
            [("too-many-decimals", 67, "`1.005` has 3 decimals; EUR has 2", "write `1.00`")],
        ),
        (
            f"{{{BUY}}}",
            [
                (
                    "missing-key",
                    24,
                    "`purchase` needs `lines`",
                    "add `lines`: the receipt's lines, such as `lines: [{sku: CROISSANT, price: 2.90}]`",
                )
            ],
        ),
        (
            "{at: 2026-12-02 8:12, balance: ana}",
            [
                (
                    "bad-moment",
                    12,
                    "`2026-12-02 8:12` is not a date or a date with a time",
                    "write a date such as `2026-12-02`, or with a time, `2026-12-02 08:12`",
                )
            ],
        ),
        (
            "{at: 2026-12-02 25:00, balance: ana}",
            [("bad-moment", 12, "`25:00` is not a time of day", "write hours and minutes, such as `08:12`")],
        ),
        (
            "{at: 2026-12-02, balance: ana, member: ana}",
            [("contradicting-keys", 38, "`member` and `balance` exclude each other", "keep one of them")],
        ),
        (
            "{at: 2026-12-02, issue: {card: c1, product: sorry}}",
            [("unknown-name", 51, "there is no gift card in the policy `sorry`", "there is none here")],
        ),
        (
            "{at: 2026-12-02, card: c1, do: block}",
            [("unknown-name", 30, "there is no gift card `c1`", "there is none here")],
        ),
        (
            "{at: 2026-12-02, balance: ana, do: block}",
            [
                (
                    "missing-key",
                    38,
                    "`do` needs `card`",
                    "add `card`: read a gift card, after `do` if that is there, such as `card: c1`",
                )
            ],
        ),
        (
            "{at: 2026-12-02, return: {of: r9, all: true}}",
            [("unknown-name", 37, "there is no purchase `r9`", "there is none here")],
        ),
        (
            "{at: 2026-12-02 10:00, publish: next.yaml}",
            [("bad-moment", 12, "a policy takes effect at a midnight", "write the date alone, `2026-12-02`")],
        ),
        (
            "{at: 2026-12-02, publish: nowhere.yaml}",
            [
                (
                    "file-missing",
                    33,
                    "`nowhere.yaml` can't be read: No such file or directory",
                    "name a policy beside this file",
                )
            ],
        ),
        (
            f"{{{BUY}, lines: [{{price: 1.00, attributes: {{organic: maybe}}}}]}}",
            [("wrong-kind", 95, "`maybe` is no value of `organic`", "write `true` or `false`")],
        ),
        (
            f"{{{BUY}, lines: [{{price: 1.00, attributes: {{bio: true}}}}]}}",
            [("unknown-name", 86, "there is no attribute of lines `bio`", "there is `organic`, `size` and `year`")],
        ),
    ],
)
def test_a_fault_of_a_step(step: str, expected: list[tuple[str, int, str, str]]) -> None:
    assert of_step(step) == expected


def test_a_policy_with_faults_is_not_published() -> None:
    ((code, _, message, _),) = of_step("{at: 2026-12-02, publish: broken.yaml}")
    assert code == "file-refused"
    assert message.startswith("`broken.yaml` has faults: ")


TABLE = """\
scenarios: rewards/v1
stories:
  one:
    table: {columns: [price], rows: %s}
    steps:
      - {at: 2026-12-02, purchase: r1, lines: [{price: $price}]}
"""


def test_a_fault_in_a_table_is_found_once_for_all_rows() -> None:
    found = problems(TABLE.replace("$price", "$prise") % "[[1.00], [2.00]]")
    assert [(one.code, one.line, one.message, one.help) for one in found] == [
        ("unknown-name", 6, "there is no column `prise`", "the columns are `price`")
    ]


def test_a_fault_of_a_value_is_shown_at_the_row() -> None:
    found = problems(TABLE % "[[1.00], [cheap]]")
    assert [(one.code, one.line, one.column) for one in found] == [("bad-money", 4, 47)]


def test_a_row_of_another_length_is_refused() -> None:
    found = problems(TABLE % "[[1.00, 2], [2.00]]")
    assert [(one.code, one.message) for one in found] == [("row-length", "the row has 2 values for 1 columns")]


@pytest.mark.parametrize(
    ("rows", "code"), [("[1.00]", "wrong-kind"), (str([[1]] * 201), "too-many-rows"), ("7", "missing-key")]
)
def test_rows_that_are_none(rows: str, code: str) -> None:
    assert code in [one.code for one in problems(TABLE % rows)]


def test_steps_stand_in_the_order_of_arrival() -> None:
    text = "scenarios: rewards/v1\nmembers: {ana: {}}\nstories:\n  one:\n"
    later = "    - {at: 2026-12-03, purchase: r1, lines: [{price: 1.00}]}\n"
    earlier = "    - {at: 2026-12-02, purchase: r2, lines: [{price: 1.00}]}\n"
    assert [(one.code, one.line) for one in problems(text + later + earlier)] == [("out-of-order", 6)]
    assert problems(text + later + earlier.replace("purchase", "arrives: 2026-12-04, purchase")) == []
    assert problems(text + later + "    - {at: 2026-12-01, balance: ana}\n") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "file-empty"),
        ("[]", "wrong-kind"),
        ("a", "wrong-kind"),
        ("stories: {one: [{at: 2026-12-02, purchase: r1, lines: [{price: 1.00}]}]}", "missing-key"),
        (
            "scenarios: rewards/v2\nstories: {one: [{at: 2026-12-02, purchase: r1, lines: [{price: 1.00}]}]}",
            "unknown-version",
        ),
        ("scenarios: rewards/v1", "missing-key"),
        ("scenarios: rewards/v1\nstories: {}", "empty"),
        ("scenarios: rewards/v1\nstories: []", "wrong-kind"),
        ("scenarios: rewards/v1\nstories: {one: []}", "empty"),
        ("scenarios: rewards/v1\nstories: {one: later}", "wrong-kind"),
        ("scenarios: rewards/v1\nstories: {one: {step: []}}", "unknown-key"),
        ("scenarios: rewards/v1\nstories: {one: {table: {}}}", "missing-key"),
        (
            "scenarios: rewards/v1\nstories: {one: {table: 1, steps: [{at: 2026-12-02, purchase: r1, lines: [{price: 1.00}]}]}}",
            "wrong-kind",
        ),
        (
            "scenarios: rewards/v1\nstory: {}\nstories: {one: [{at: 2026-12-02, purchase: r1, lines: [{price: 1.00}]}]}",
            "unknown-key",
        ),
        (
            "scenarios: rewards/v1\nmembers: {ana: {balances: {beans: 1}}}\nstories: {one: [{at: 2026-12-02, balance: ana}]}",
            "unknown-name",
        ),
        ("a: &x 1\nb: *x", "yaml-alias"),
    ],
)
def test_a_fault_of_the_file(text: str, code: str) -> None:
    assert code in [one.code for one in problems(text)]
