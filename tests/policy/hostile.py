"""Files made to hurt: each is refused, fast and small. Run as a program, it reads one of them and tells what it cost.

The program runs in a process of its own, so that a crash of the parser is a
failed test and memory is that of this file alone.
"""

from __future__ import annotations

import random
import sys
import time

HEAD = """policy: rewards/v1
program: shop
title: Shop
currency: EUR
timezone: Europe/Berlin
points: {points: {one: point}}
eligible: {amount: after_discounts, tax: included, paid_by_points: does_not_count}
returns: {}
"""


def noise(size: int, letters: bytes) -> bytes:
    return bytes(random.Random(7).choices(letters, k=size))


def rules(count: int, rule: str) -> str:
    return "earn:\n" + "".join(f"  r{n}: {rule.replace('N', str(n))}\n" for n in range(count))


FILES: dict[str, bytes] = {
    "brackets": b"[" * 90_000,
    "brackets-closed": b"a: " + b"[" * 90_000 + b"]" * 90_000,
    "braces": b"{" * 90_000,
    "braces-with-keys": b"{a: " * 60_000,
    "dashes": b"- " * 90_000,
    "questions": b"? " * 90_000,
    "indented": b"".join(b" " * n + b"a:\n" for n in range(700)),
    "quotes": b'"' * 200_000,
    "colons": b": " * 100_000,
    "anchors": b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(5_000)),
    "billion-laughs": b"a0: &a0 [lol]\n"
    + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 30)),
    "tags": b"".join(b"k%d: !!python/object:os.system x\n" % n for n in range(5_000)),
    "megabyte": noise(1_000_000, bytes(range(256))),
    "bytes": noise(250_000, bytes(range(256))),
    "printable": noise(250_000, bytes(range(32, 127)) + b"\n"),
    "yaml-marks": noise(250_000, b"[]{}:,-?&*!|>'\"%@` \na"),
    "same-key": b"a: 1\n" * 50_000,
    "many-keys": b"".join(b"k%d: 1\n" % n for n in range(35_000)),
    "many-unknown-keys": b"".join(b"k%d: 1\n" % n for n in range(9_900)),
    "many-documents": b"--- a\n" * 40_000,
    "one-long-line": b"policy: rewards/v1\nprogram: " + b"x" * 250_000,
    "one-long-key": b"policy: rewards/v1\n" + b"x" * 1_000 + b": 1\n? " + b"y" * 200_000 + b"\n: 1\n",
    "long-number": HEAD.encode() + b"earn: {a: {every: " + b"9" * 200_000 + b", give: " + b"9" * 10_000 + b" points}}\n",
    "long-tag": b"a: !" + b"x" * 200_000 + b" b\n",
    "many-lists": (HEAD + rules(2_000, "{on: [a, a, a], every: 1.00, give: 1 point}")).encode(),
    "dangling": (HEAD + rules(2_000, "{on: no-N, times: 2, of: none-N, choose: g-N}")).encode(),
    "many-multipliers": (
        HEAD + rules(1_000, "{every: 1.00, give: 1 point}") + "  all: {times: 2, of: [" + "r1, " * 6_000 + "r2]}\n"
    ).encode(),
    "selection-chain": (
        HEAD + "selections:\n  s0: {skus: [A]}\n" + "".join(f"  s{n}: s{n - 1}\n" for n in range(1, 8_000))
    ).encode(),
    "selection-circle": (
        HEAD + "selections:\n  s0: s2999\n" + "".join(f"  s{n}: [s{n - 1}, s0]\n" for n in range(1, 3_000))
    ).encode(),
    "selection-bomb": (
        HEAD
        + "selections:\n  s0: {skus: [A]}\n"
        + "".join(f"  s{n}: [{{skus: [A], except: s{n - 1}}}, {{skus: [B], except: s{n - 1}}}]\n" for n in range(1, 900))
    ).encode(),
    "free-offers": (
        HEAD
        + "offers:\n"
        + "".join(f"  o{n}: {{on: {{price: {{at_least: {n}.00, at_most: {n}.50}}}}, free: {{units: 1}}}}\n" for n in range(1_000))
    ).encode(),
    "free-offers-of-lists": (
        HEAD
        + "selections:\n"
        + "".join(f"  s{n}: [{', '.join(f'{{skus: [{n}-{m}]}}' for m in range(40))}]\n" for n in range(60))
        + "offers:\n"
        + "".join(f"  o{n}: {{on: [s{n}, s{(n + 1) % 60}], free: {{units: 1}}, choose: g}}\n" for n in range(60))
        + "".join(f"  p{n}: {{on: s{n}, schedule: {{days: [mon]}}, free: {{units: 1}}}}\n" for n in range(60))
        + "choose: {g: {keep: best, of: line}}\n"
    ).encode(),
    "one-group": (
        HEAD.replace("points: {points: {one: point}}\n", "")
        + "offers:\n"
        + "".join(f"  o{n}: {{percent_off: 1%, stage: item, when: {{code: A{n}}}, choose: g}}\n" for n in range(1_200))
        + "choose: {g: {keep: best, of: line}}\n"
    ).encode(),
    "selection-width": (
        HEAD
        + "selections:\n  s0: [" + ", ".join(f"{{skus: [A{n}]}}" for n in range(400)) + "]\n"
        + "".join(f"  s{n}: [s0, s0]\n" for n in range(1, 2_000))
    ).encode(),
}  # fmt: skip


def memory() -> int:
    """Return the most memory that this process had, in kB."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123  pathlib is not part of the measure
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    from rewards.policy.compile import compile_policy
    from rewards.policy.problems import render_text

    data = FILES[sys.argv[1]]
    start = time.perf_counter()
    policy, problems = compile_policy(data, "hostile.yaml")
    seconds = time.perf_counter() - start
    text = render_text(problems, {"hostile.yaml": data})
    sys.stdout.write(f"{policy is None} {len(problems)} {len(text)} {seconds} {memory()}\n")
