"""`rewards check`: a policy of 300 rules in this process, and a small file with start-up beside `python -c pass`.

Run `python -m bench.check`. Targets: 300 rules in at most 250 ms, a small file in at most 300 ms. Each
figure is the median of rounds in turn, so that what else the machine does falls on all of them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import machine, show
from rewards.policy.compile import compile_policy

RULES, ROUNDS = 300, 15
SMALL = Path(__file__).parents[1] / "rules" / "corner-cafe.yaml"
HEAD = """\
policy: rewards/v1
program: wide-shop
title: Wide Shop
currency: EUR
timezone: Europe/Berlin
points:
  points: {one: point, expires: {after: 12 months, at: end_of_month}}
  stamps: {one: stamp}
eligible: {except: {categories: [deposit]}, amount: after_discounts, tax: included, paid_by_points: does_not_count}
returns: {accept_within: 90 days}
"""
KINDS = (  # of earning rules, in turn
    "{{on: s{0}, every: {1}.50, give: 2 points, limit: {{points: 40 points, per: month}}}}",
    '{{on: s{0}, schedule: {{days: [mon, tue], hours: "{2:02}:00-{3:02}:00"}}, times: 1.5, of: r{4}}}',
    "{{on: s{0}, every: 1 unit, give: 1 stamp, measure: week, limit: {{points: {1}0 stamps, per: ever}}}}",
    "{{when: {{spend: {{at_least: {1}0.00, on: s{0}}}, visits: {{at_least: 3, within: 30 days}}}}, give: 5 points}}",
    "{{on: [s{0}, {{skus: [A{0}, B{0}]}}], when: {{not: {{code: STAFF}}}}, every: 2.00, give: 1 point}}",
)
OFFERS = (
    "{{on: s{0}, percent_off: {1}%, schedule: {{from: 2026-12-0{1}, until: 2027-01-31}}}}",
    "{{on: s{0}, when: {{code: WORD{0}}}, amount_off: {1}.00, at_most: {1}.00, limit: {{times: 1, per: month}}}}",
    "{{on: s{0}, when: {{spend: {{at_least: {1}5.00}}}}, fixed_price: {1}.99, limit: {{units: 2, per: receipt}}}}",
)


def wide(rules: int = RULES) -> bytes:
    """Return a policy of so many rules, a tenth of them offers, over as many selections as earning rules."""
    offers = rules // 10
    earn = rules - offers
    text = HEAD + "selections:\n"
    text += "".join(f"  s{i}: {{categories: [c{i}, d{i}], except: {{skus: [X{i}]}}}}\n" for i in range(earn))
    text += "earn:\n"
    for i in range(earn):
        base = i - i % len(KINDS)  # the first kind of the round is a plain rate
        text += f"  r{i}: " + KINDS[i % len(KINDS)].format(i, 1 + i % 8, i % 12, 12 + i % 12, base) + "\n"
    text += "offers:\n"
    text += "".join(f"  o{i}: " + OFFERS[i % len(OFFERS)].format(i, 1 + i % 8) + "\n" for i in range(offers))
    return text.encode()


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def ran(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], capture_output=True, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wide.yaml"
        data = wide()
        file.write_bytes(data)
        policy, problems = compile_policy(data)
        assert policy is not None, problems[0]
        works = {
            f"{RULES} rules, {len(data) // 1024} KiB, in this process": (lambda: compile_policy(data), 250),
            f"`rewards check` of {RULES} rules": (ran("-m", "rewards", "check", str(file)), None),
            f"`rewards check` of {SMALL.name}": (ran("-m", "rewards", "check", str(SMALL)), 300),
            "`python -c pass`": (ran("-c", "pass"), None),
        }
        taken: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(ROUNDS):
            for name, (work, _) in works.items():
                taken[name].append(milliseconds(work))
    rows = [
        [name, f"{statistics.median(taken[name]):.0f}", f"{min(taken[name]):.0f}", str(most or "")]
        for name, (_, most) in works.items()
    ]
    show(f"Checking policies ({machine()})", ["what", "median ms", "least ms", "at most ms"], rows)


if __name__ == "__main__":
    main()
