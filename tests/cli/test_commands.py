"""Every command, as somebody at a terminal uses it, in this process; mistakes end in a message and an exit code."""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click import Argument, Command, Group, Option

from rewards.basket import Basket, BasketLine, BasketTender, MemberRef
from rewards.cli.commands import cli, run
from rewards.cli.database import service
from rewards.policy.codes import CODES
from rewards.service.commands import ActOnGiftCard, ChangeMember, Enrol, IssueGiftCard, OfflinePurchase
from tests.policies import program

ROOT = Path(__file__).parents[2]
CAFE = str(ROOT / "rules/corner-cafe.yaml")


class Say:
    """Somebody at a terminal, in an empty folder: what is said is answered with the exit code, the output, the errors."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        out, err = self._capsys.readouterr()
        return code, out, err

    def out(self, *arguments: str, code: int = 0) -> str:
        """Say something that ends with this exit code; return the output."""
        ended, out, err = self(*arguments)
        assert ended == code, err
        return out

    def err(self, *arguments: str, code: int = 1) -> str:
        """Say something that ends with this exit code; return the errors."""
        ended, _, err = self(*arguments)
        assert ended == code
        return err


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "HOST", "PORT", "LOG_LEVEL"):
        monkeypatch.delenv(f"REWARDS_{name}", raising=False)
    return Say(capsys)


@pytest.fixture
def imported(say: Say, tmp_path: Path) -> Path:
    """A database with the café's policy and a history; it is the one that commands use."""
    say.out("publish", CAFE)
    say.out("import", history(tmp_path / "h.jsonl.gz"))
    return tmp_path / "rewards.db"


def leaves(group: Group, before: str = "") -> Iterator[tuple[str, Command]]:
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if isinstance(command, Group):
            yield from leaves(command, f"{before}{name} ")


def test_every_command_and_option_has_help(say: Say) -> None:
    assert isinstance(cli, Group)
    for name, command in leaves(cli):
        assert command.help, name
        assert command.get_short_help_str(), name
        for parameter in command.params:
            assert isinstance(parameter, Argument) or (isinstance(parameter, Option) and parameter.help), (
                name,
                parameter,
            )
        out = say.out(*name.split(), "--help")
        assert f"rewards {name}" in out
    policies = {"init", "check", "test", "schema", "explain", "publish"}
    assert set(cli.commands) == {
        "demo",
        "serve",
        *policies,
        "import",
        "due",
        "verify",
        "rebuild",
        "report",
        "statement",
    }


def test_help_and_version(say: Say) -> None:
    assert "rewards demo" in say.out("--help")
    assert say("--version")[:2] == (0, "rewards, version 0.1.0\n")


@pytest.mark.parametrize(
    "arguments", [("frob",), ("check",), ("check", "nope.yaml"), ("check", "--form", "x"), ("serve", "--port", "x")]
)
def test_wrong_usage(say: Say, arguments: tuple[str, ...]) -> None:
    assert "Error" in say.err(*arguments, code=2)


# init, check, test, schema, explain


def test_init_writes_what_passes_check_and_test(say: Say, tmp_path: Path) -> None:
    assert "rewards test shop/my-shop.yaml" in say.out("init", "shop")
    written = sorted(
        str(path.relative_to(tmp_path / "shop")) for path in (tmp_path / "shop").rglob("*") if path.is_file()
    )
    assert written == [
        ".rewards/policy.schema.json",
        ".vscode/extensions.json",
        ".vscode/settings.json",
        "my-shop.scenarios.yaml",
        "my-shop.yaml",
    ]
    assert say("check", "shop/my-shop.yaml", "shop/my-shop.scenarios.yaml") == (
        0,
        "",
        "2 files checked: nothing found\n",
    )
    assert say("test", "shop/my-shop.yaml") == (0, "5 stories of 1 file: all as expected\n", "")
    first_line = (tmp_path / "shop/my-shop.yaml").read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=./.rewards/policy.schema.json"


def test_init_overwrites_nothing(say: Say, tmp_path: Path) -> None:
    (tmp_path / "my-shop.scenarios.yaml").write_text("mine")
    assert say("init", ".") == (2, "", "rewards: `my-shop.scenarios.yaml` is there already; nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["my-shop.scenarios.yaml"]


def test_check_passes_notes(say: Say) -> None:
    code, out, err = say("check", CAFE)
    assert code == 0
    assert "note[about-absence]" in out
    assert err == "1 file checked: 3 notes\n"


def test_check_shows_every_fault_with_its_place(say: Say, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "policy: rewards/v1\nprogram: shop\ntitle: Shop\ncurency: EUR\ntimezone: Europe/Berlin\n"
    )
    code, out, err = say("check", "p.yaml")
    assert code == 1
    assert "error[unknown-key]: unknown key `curency` in a policy\n --> p.yaml:4:1" in out
    assert "did you mean `currency`?" in out
    assert err.startswith("1 file checked: 1 error")
    out = say.out("check", "p.yaml", "--format", "json", code=1)
    assert json.loads(out)[0]["line"] == 4
    out = say.out("check", "p.yaml", "--format", "github", code=1)
    assert out.startswith("::error file=p.yaml,line=4,col=1,")


def test_check_strict_counts_warnings(say: Say, tmp_path: Path) -> None:
    say("init", ".")
    policy = tmp_path / "my-shop.yaml"
    policy.write_text(policy.read_text().replace("earn:\n", "selections:\n  idle: {skus: [X]}\n\nearn:\n"))
    code, out, err = say("check", "my-shop.yaml")
    assert (code, err) == (0, "1 file checked: 1 warning\n")
    assert "warning[unused]" in out
    assert say("check", "--strict", "my-shop.yaml")[0] == 1


def test_check_reads_scenarios_too(say: Say, tmp_path: Path) -> None:
    say("init", ".")
    stories = tmp_path / "my-shop.scenarios.yaml"
    stories.write_text(stories.read_text().replace("not_gives: [welcome, saturdays]", "not_gives: [welcom]"))
    out = say.out("check", "my-shop.scenarios.yaml", code=1)
    assert "error[unknown-name]: there is no rule `welcom`" in out
    assert "did you mean `welcome`?" in out
    assert say("test", "my-shop.yaml")[0] == 1


def test_scenarios_without_a_policy(say: Say, tmp_path: Path) -> None:
    (tmp_path / "x.scenarios.yaml").write_text("scenarios: rewards/v1\n")
    assert "there is no policy `x.yaml`" in say.out("test", "x.scenarios.yaml", code=1)
    (tmp_path / "x.yaml").write_text("policy: rewards/v1\n")
    assert "error[file-refused]: `x.yaml` has errors" in say.out("test", "x.yaml", code=1)


def test_a_policy_without_scenarios(say: Say, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("policy: rewards/v1\n")
    out = say.out("test", "x.yaml", code=1)
    assert out == "x.scenarios.yaml: there is no such file; stories lie beside their policy\nno story was played\n"


def test_a_wrong_expectation_fails_and_says_what_and_why(say: Say, tmp_path: Path) -> None:
    say("init", ".")
    stories = tmp_path / "my-shop.scenarios.yaml"
    stories.write_text(stories.read_text().replace("earned: {points: 19}", "earned: {points: 20}"))
    out = say.out("test", "my-shop.scenarios.yaml", code=1)
    head, *rest = out.splitlines()
    assert head == "failed: a-first-purchase"
    assert rest[0] == "  --> my-shop.scenarios.yaml:11: step 1, purchase r1"
    assert rest[1] == "  earned: points  expected 20, got 19"
    assert rest[2].startswith("  because `base` gave 19 points: 19 whole 1.00 in 19.90")
    assert rest[-1] == "5 stories of 1 file: 1 failed"
    out = say.out("test", "my-shop.yaml", "--format", "json", code=1)
    failed = [story for story in json.loads(out)["stories"] if not story["passed"]]
    assert [story["mismatches"] for story in failed] == [[{"what": "earned: points", "expected": "20", "actual": "19"}]]
    out = say.out("test", "my-shop.yaml", "--format", "github", code=1)
    assert out == "::error file=my-shop.scenarios.yaml,line=11::a-first-purchase: earned: points: expected 20, got 19\n"


def test_only_some_stories(say: Say) -> None:
    say("init", ".")
    assert say("test", "my-shop.yaml", "--only", "end") == (0, "1 story of 1 file: all as expected\n", "")
    assert say("test", "my-shop.yaml", "--only", "nothing")[:2] == (1, "no story was played\n")


def test_coverage_names_what_no_story_exercised(say: Say, tmp_path: Path) -> None:
    say("init", ".")
    code, out, err = say("test", "my-shop.yaml", "--coverage", "--threshold", "100%")
    assert (code, err) == (0, "")
    head, *rows = out.splitlines()
    assert head == "5 stories of 1 file: all as expected"
    assert rows[0] == "policy\tpart\texercised\tnever"
    assert rows[1] == "my-shop.yaml\tearn: base\t1 of 1\t-"
    assert rows[-1] == "my-shop.yaml: 7 of 7 exercised, 100%"
    code, out, err = say("test", "my-shop.yaml", "--only", "saturdays", "--threshold", "100%")
    assert (code, err) == (1, "rewards: the stories exercise less than 100% of a policy\n")
    assert "\nmy-shop.yaml\tearn: saturdays\t" in out
    missed = [line for line in out.splitlines() if ": no story in which " in line]
    assert [text.partition(": ")[2] for text in missed] == [
        "`welcome`: no story in which it gives",
        "`welcome`: no story in which `when: spend` holds",
    ]
    policy = (tmp_path / "my-shop.yaml").read_text().splitlines()
    line, column = map(int, missed[-1].partition(": ")[0].split(":")[1:])
    assert policy[line - 1][column - 1 :] == "spend: {at_least: 20.00}}"
    percent = int(out.rpartition(", ")[2].rstrip("%\n"))
    assert say("test", "my-shop.yaml", "--only", "saturdays", "--threshold", f"{percent}%")[0] == 0
    assert say("test", "my-shop.yaml", "--only", "saturdays", "--threshold", f"{percent + 1}")[0] == 1
    assert say("test", "my-shop.yaml", "--only", "saturdays", "--coverage")[0] == 0


def test_coverage_for_programs(say: Say) -> None:
    say("init", ".")
    arguments = ("test", "my-shop.yaml", "--only", "saturdays", "--coverage")
    (found,) = json.loads(say(*arguments, "--format", "json")[1])["coverage"]
    goals = {(goal["name"], *goal["what"], goal["way"]): goal["story"] for goal in found["goals"]}
    assert found["file"] == "my-shop.yaml"
    assert goals["base", "gives"] == "saturdays-count-twice [2026-12-04 12:00, 10]"
    missing = [goal for goal in found["goals"] if goal["story"] is None]
    assert found["percent"] == 100 * (len(goals) - len(missing)) // len(goals)
    lines = say(*arguments, "--format", "github")[1].splitlines()
    assert len(lines) == len(missing) > 0
    assert lines[0].startswith(f"::warning file=my-shop.yaml,line={missing[0]['line']}::`welcome`: no story ")
    assert "coverage" not in json.loads(say("test", "my-shop.yaml", "--format", "json")[1])


@pytest.mark.parametrize("text", ["101%", "-1", "ninety", "9.5%", ""])
def test_a_threshold_is_a_percentage(say: Say, text: str) -> None:
    say("init", ".")
    assert "is not a whole percentage from 0% to 100%" in say.err("test", "my-shop.yaml", "--threshold", text, code=2)


def test_schema_is_the_policy_schema(say: Say) -> None:
    out = say.out("schema")
    assert "earn" in json.loads(out)["properties"]


def test_explain_a_code(say: Say) -> None:
    out = say.out("explain", "bad-money")
    assert out.startswith("error[bad-money]\n\n")
    assert say("explain", "out-of-order")[0] == 0
    assert say("explain", "bad-mony") == (1, "", "rewards: there is no code `bad-mony`; did you mean `bad-money`?\n")


def test_explain_knows_every_code_that_a_file_is_answered_with(say: Say) -> None:
    assert "story-failed" in CODES
    assert "unknown-key" in CODES
    for name, code in CODES.items():
        told, out, err = say("explain", name)
        assert (told, out, err) == (0, f"{code.severity}[{name}]\n\n{code.text}\n", "")


def test_check_tells_programs_the_same_as_people(say: Say) -> None:
    """Of every broken policy that the tests keep: one JSON object and one annotation for each finding."""
    files = sorted((ROOT / "tests/policy/broken").glob("*.yaml"))
    for file in files:
        code, text, _ = say("check", str(file))
        as_json = say("check", str(file), "--format", "json")
        github = say("check", str(file), "--format", "github")
        assert (as_json[0], github[0], as_json[2], github[2]) == (code, code, "", "")
        findings = json.loads(as_json[1])
        heads = [f"{one['severity']}[{one['code']}]: {one['message']}" for one in findings]
        assert [line for line in text.splitlines() if line in heads] == heads
        kinds = {"error": "error", "warning": "warning", "note": "notice"}
        places = [f"::{kinds[one['severity']]} file={file},line={one['line']},col={one['column']}," for one in findings]
        lines = github[1].splitlines()
        assert all(line.startswith(place) for line, place in zip(lines, places, strict=True))
        assert code == (1 if any(one["severity"] == "error" for one in findings) else 0)


# publish, import, explain, verify, rebuild


EVENT = {
    "purchase_id": "p1",
    "member_id": "7",
    "store_id": "s",
    "occurred_at": "2026-11-02T09:00:00Z",
    "currency": "EUR",
    "kind": "purchase",
}
LINE = {"sku": "TEA", "category": "tea", "unit_price_minor": 250}


def history(path: Path) -> str:
    sold = [[{**LINE, "quantity": 1 + number}] for number in range(9)]
    lines = [
        json.dumps({**EVENT, "purchase_id": f"p{number}", "member_id": str(number % 3), "lines": sold[number]})
        for number in range(9)
    ]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return str(path)


def test_publish_then_import_verify_rebuild(say: Say, tmp_path: Path) -> None:
    out = say.out("publish", CAFE)
    assert out.endswith("in force now\n")
    assert say("publish", CAFE)[1].endswith("in force now, as it was already\n")
    file = history(tmp_path / "h.jsonl.gz")
    code, out, err = say("import", file)
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == ["kind\toutcome\tcount", "member\trecorded\t3", "purchase\trecorded\t9"]
    assert out.splitlines()[-1].startswith("9 events in ")
    out = say.out("import", file, "--shuffle", "7")
    assert "purchase\talready here\t9" in out
    assert say("verify") == (0, "every balance is what the events give\n", "")
    assert say("verify", "--format", "json") == (0, "[]\n", "")
    code, out, _ = say("rebuild")
    assert (code, out.split()[0]) == (0, "rebuilt")
    with sqlite3.connect(tmp_path / "rewards.db") as connection:
        changed = connection.execute("UPDATE near_state SET state = (SELECT state FROM near_state LIMIT 1)").rowcount
    connection.close()
    assert changed > 1
    out = say.out("verify", code=1)
    assert out


def test_import_into_a_database_of_its_own(say: Say, tmp_path: Path) -> None:
    file = history(tmp_path / "h.jsonl.gz")
    assert say("import", file)[0] == 2
    assert "purchase\trecorded\t9" in say.out("import", file, "--policy", CAFE, "--database", "sqlite:///mine.db")
    assert (tmp_path / "mine.db").exists()
    assert not (tmp_path / "rewards.db").exists()


def test_what_is_no_history(say: Say, tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text("hello\n")
    assert "line 1 refused, line-invalid: " in say.out("import", "h.jsonl", "--policy", CAFE, code=1)


@pytest.mark.usefixtures("imported")
def test_explain_a_purchase(say: Say) -> None:
    with service(None) as opened:
        member = opened.member(MemberRef(external_id="0")).member_id
        purchase = opened.statement(member).entries[-1].purchase_id
    out = say.out("explain", purchase)
    assert f"{purchase} of {member}" in out
    assert "hello\t+20\tbeans" in out
    assert say("explain", "pur_none")[0] == 1


@pytest.mark.usefixtures("imported")
def test_report_liability(say: Say) -> None:
    out = say.out("report", "liability", "--format", "json")
    report = json.loads(out)
    assert report["currency"] == "EUR"
    (beans,) = [row for row in report["rows"] if row["unit"] == "beans" and not row["closed"]]
    assert beans["closing"] == beans["issued"] > 0
    assert beans["difference"] == 0
    month = beans["month"]
    code, out, _ = say("report", "liability", "--from", month, "--until", month)
    head, *rows = [line.split("\t") for line in out.splitlines()]
    assert head[:5] == ["month", "kind", "unit", "opening", "issued"]
    assert [month, "points", "beans", "0", str(beans["issued"])] in [row[:5] for row in rows]
    assert f"{beans['value_minor'] // 100}.{beans['value_minor'] % 100:02}" in rows[0] + rows[1]
    code, out, _ = say("report", "liability", "--from", month, "--format", "csv")
    assert out.splitlines()[0].startswith("month,kind,unit,opening")
    assert f"{month},points,beans,0,{beans['issued']}" in out
    code, _, err = say("report", "liability", "--from", "soon")
    assert (code, err) == (1, "rewards: `soon` is no month: write one such as `2027-03`\n")
    assert say("report", "liability", "--until", "9999-01")[0] == 1


def test_report_liability_of_gift_cards(say: Say) -> None:
    say("publish", CAFE)
    with service(None) as opened:
        card = json.loads(opened.do(IssueGiftCard(product="cafe-card", amount_minor=2500)).body)["gift_card_id"]
        opened.do(ActOnGiftCard(gift_card_id=card, activity="REDEEM", amount_minor=950))
    out = say.out("report", "liability")
    head, *rows = [line.split("\t") for line in out.splitlines()]
    (paid,) = [told for row in rows if (told := dict(zip(head, row, strict=True)))["kind"] == "paid"][-1:]
    assert (paid["unit"], paid["issued"], paid["spent"], paid["closing"]) == ("EUR", "25.00", "9.50", "15.50")
    assert (paid["difference"], paid["value, EUR"], paid["closed"]) == ("0.00", "15.50", "not yet")
    with service(None) as opened:
        opened.do(
            OfflinePurchase(
                Basket(
                    receipt_id="r1",
                    store_id="S1",
                    occurred_at=datetime.now(UTC),
                    currency="EUR",
                    lines=(BasketLine(line_id="1", sku="TEA", amount_minor=950),),
                    tenders=(BasketTender(kind="gift_card", code="lost", amount_minor=950),),
                )
            )
        )
    assert say("report", "liability")[1].splitlines()[-2:] == [
        "month\tshortfall\tunit\tamount",
        f"{paid['month']}\tgift_card\tEUR\t9.50",
    ]
    _, out, _ = say("report", "liability", "--format", "csv")
    assert out.splitlines()[-2].split(",")[1:6] == ["paid", "EUR", "0", "2500", "950"]


@pytest.mark.usefixtures("imported")
def test_a_month_that_does_not_add_up_is_told(say: Say, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "rewards.db") as connection:
        connection.execute(
            "UPDATE posting SET amount = amount - 1 WHERE account = 'issued' AND leg = 1 AND entry_number = 1"
        )
    assert "is not explained; run `rewards verify`" in say.err("report", "liability")


@pytest.mark.usefixtures("imported")
def test_statement(say: Say) -> None:
    with service(None) as opened:
        member = opened.member(MemberRef(external_id="0"))
        opened.do(ChangeMember(member_id=member.member_id, name="Ana", language="ru"))
    out = say.out("statement", member.member_id)
    assert out.count("Покупка, чек p") == 3
    assert say("statement", member.member_id, "--language", "ka")[1].count("შენაძენი, ჩეკი p") == 3
    code, out, _ = say("statement", member.member_id, "--format", "json")
    assert len(json.loads(out)["entries"]) == 3
    assert say("statement", "nobody") == (1, "", "rewards: no member has the card `nobody`\n")
    code, _, err = say("statement", member.member_id, "--language", "fr")
    assert (code, err) == (1, "rewards: `fr` is none of the languages `en`, `ka`, `hy`, `kk` and `ru`\n")


def test_publishing_what_is_refused(say: Say, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("policy: rewards/v1\n")
    assert "error[missing-key]" in say.out("publish", "p.yaml", code=1)
    assert not (tmp_path / "rewards.db").exists()
    assert say("publish", CAFE, "--from", "tomorrow")[0] == 2
    assert say("publish", CAFE)[0] == 0
    assert "midnight to come" in say.err("publish", str(ROOT / "rules/corner-cafe-2027.yaml"), "--from", "2020-01-01")


STORIES = """\
scenarios: rewards/v1
members: {{ana: {{}}}}
stories:
  beans:
    - {{at: 2026-12-07 09:00, purchase: r1, member: ana, lines: [{{sku: TEA, price: 2.00}}], expect: {{earned: {{beans: {}}}}}}}
"""
SHOP = program("""points:
  beans: {one: bean}
earn:
  beans: {every: 1.00, give: 5 beans}
returns: {accept_within: 90 days}
""")


@pytest.mark.parametrize("command", [("publish", "p.yaml"), ("serve", "--policy", "p.yaml", "--port", "0")])
def test_stories_must_pass_before_a_policy_is_published(say: Say, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "p.yaml").write_text(SHOP)
    (tmp_path / "p.scenarios.yaml").write_text(STORIES.format(11))
    code, out, err = say(*command)
    assert code == 1
    assert "failed: beans\n  --> p.scenarios.yaml:5: step 1, purchase r1\n  earned: beans  expected 11, got 10" in out
    assert err == "rewards: the stories have 1 fault; nothing was published, and what is in force stays\n"
    (tmp_path / "p.scenarios.yaml").write_text(STORIES.format("x"))
    assert say(*command)[0] == 1
    with service(None) as opened:
        assert opened.versions() == []


def test_publish_says_what_was_played(say: Say, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(SHOP)
    assert say("publish", "p.yaml")[1].startswith(
        "no stories played: there is no `p.scenarios.yaml`\npublished p.yaml as"
    )
    (tmp_path / "p.scenarios.yaml").write_text(STORIES.format(10))
    assert say("publish", "p.yaml")[1].startswith("1 story of `p.scenarios.yaml`: all as expected\npublished p.yaml as")


# databases that are none


def test_due(say: Say, tmp_path: Path) -> None:
    policy = tmp_path / "shop.yaml"
    policy.write_text(
        "policy: rewards/v1\nprogram: shop\ntitle: Shop\ncurrency: EUR\ntimezone: Europe/Berlin\n"
        "points: {beans: {one: bean}}\n"
        "eligible: {amount: after_discounts, tax: included, paid_by_points: does_not_count}\n"
        "activities: {anniversary: {give: 50 beans}}\nreturns: {accept_within: 90 days}\n"
    )
    assert say("publish", str(policy))[0] == 0
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    joined = today.replace(year=today.year - 4) if (today.month, today.day) != (2, 29) else today - timedelta(1461)
    with service(None) as opened:
        opened.do(Enrol(card="2600000001236", joined=joined))
    yesterday = (today - timedelta(1)).isoformat()
    assert say("due", "--until", yesterday) == (0, "nothing is due\n", "")
    assert say("due", "--format", "json") == (0, '{\n  "anniversary": 1\n}\n', "")
    assert say("due") == (0, "nothing is due\n", "")
    code, _, err = say("due", "--until", "tomorrow")
    assert (code, err.startswith("rewards: `tomorrow` is not a date")) == (2, True)
    code, _, err = say("due", "--until", "2199-01-01")
    assert (code, err) == (1, "rewards: what is due on a day to come is booked when that day has come\n")


@pytest.mark.parametrize("command", ["verify", "rebuild", "serve", "due"])
def test_a_database_that_is_not_there(say: Say, command: str, tmp_path: Path) -> None:
    err = say.err(command, code=2)
    assert err.startswith("rewards: there is no database `rewards.db`")
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_program(say: Say, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE notes(text)")
    connection.close()
    assert "another program" in say.err("verify", "--database", "sqlite:///other.db")
    (tmp_path / "junk.db").write_text("hello")
    assert "not a database" in say.err("verify", "--database", "sqlite:///junk.db")


@pytest.mark.parametrize("url", ["nothing", "postgresql://shop", "sqlite:///no/such/folder/x.db"])
def test_a_bad_database_url(say: Say, url: str) -> None:
    code, _, err = say("publish", CAFE, "--database", url)
    assert code in (1, 2)
    assert err.startswith("rewards: `")


def test_the_environment_names_the_database(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDS_DATABASE_URL", "sqlite:///env.db")
    assert say("publish", CAFE)[0] == 0
    assert (tmp_path / "env.db").exists()


# serve and demo


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "shop.example"])
def test_serve_refuses_other_addresses(say: Say, host: str) -> None:
    err = say.err("serve", "--host", host, "--policy", CAFE, code=2)
    assert (
        err
        == f"rewards: `{host}` can be reached from elsewhere, and there are no API keys yet; use `--host 127.0.0.1`\n"
    )


def test_demo_once(say: Say) -> None:
    out = say.out("demo", "--once", "--port", "0")
    assert "Ana\t996\tbeans" in out
    assert "10 whole 1.00 in 10.50" in out
    assert out.count("\ncurl -s http://127.0.0.1:") == 4
