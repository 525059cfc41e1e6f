"""What came of a step beside what was expected of it.

What does not live here: doing the step (`play`). Only what is stated is
compared, and maps by the keys that they name; a wallet or rule that an answer
leaves out stands for 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rewards.errors import RewardsError
from rewards.policy.forms import Given
from rewards.policy.model import Policy
from rewards.scenario.values import Local


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One stated figure that came out otherwise; texts as people write them."""

    what: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What came of a step: the service's answer as JSON, or its refusal, and the member's wallets afterwards."""

    verb: str
    answer: dict[str, Any]
    refused: RewardsError | None
    balances: dict[str, Any]
    tier: str

    def awards(self) -> list[dict[str, Any]]:
        """Return what a purchase gave, by rule and day; below zero was taken elsewhere."""
        awards: list[dict[str, Any]] = self.answer.get("awards", [])
        return awards

    def changes(self) -> Iterator[tuple[str, str, int]]:
        """Return what a return took, as rule, wallet and points; below zero was given."""
        for key, sign in (("taken_back", 1), ("given", -1)):
            for one in self.answer.get(key, []):
                yield one["rule"], one["wallet"], sign * abs(one["points"])

    def explanation(self) -> list[str]:
        """Return the reasons of the answer, one a line."""
        if self.refused:
            return [f"refused with `{self.refused.code}`: {self.refused.message}"]
        told = ((text, one) for key, text in _REASONS for one in self.answer.get(key, []) if "why" in one)
        return [text.format_map(one) for text, one in told]


_REASONS = (
    ("discounts", "`{offer}` took off: {why}"),
    ("awards", "`{rule}` gave {points} {wallet}: {why}"),
    ("gift_cards_issued", "`{giver}` gave a `{product}`: {why}"),
    ("not_applied", "`{rule}` gave nothing: {why}"),
    ("not_given", "`{rule}` gave nothing: {why}"),
    ("taken_back", "`{rule}` took back {points} {wallet}: {why}"),
    ("given", "`{rule}` gave {points} {wallet}: {why}"),
)


def mismatches(expected: Mapping[str, Any], happened: Happened, policy: Policy) -> list[Mismatch]:
    """Return every stated figure that came out otherwise, in the order stated."""
    found: list[Mismatch] = []
    if happened.refused and "refused" not in expected:
        found.append(
            Mismatch("the step", "to be taken", f"refused with `{happened.refused.code}`: {happened.refused.message}")
        )
    for key, value in expected.items():
        compare = _COMPARE[key]
        if happened.verb not in _VERBS.get(key, (happened.verb,)):
            found.append(Mismatch(key, f"a figure of {_listed(_VERBS[key])}", f"this step is `{happened.verb}`"))
        elif not happened.refused or compare in _AFTER_REFUSAL:
            found += compare(key, value, happened, policy)
        elif "refused" in expected:
            found.append(Mismatch(key, "a figure of a step that is taken", "this step was refused"))
    return found


def _listed(verbs: Iterable[str]) -> str:
    return " or ".join(f"`{verb}`" for verb in verbs)


_SALE, _RETURN = ("purchase", "quote"), ("return",)
_EARNS = (*_SALE, "activity")
_VERBS: dict[str, tuple[str, ...]] = {  # what only steps of these verbs have; all steps of members have the rest
    **dict.fromkeys(("discount", "due", "would_earn", "codes_refused"), _SALE),
    **dict.fromkeys(("earned", "earned_by"), _EARNS),
    **dict.fromkeys(("gives", "not_gives"), (*_EARNS, "redeem")),
    "spent": (*_SALE, "redeem"),
    "restored": (*_RETURN, "cancel"),
    **dict.fromkeys(("refund", "taken_back", "taken_back_by", "parked"), _RETURN),
    "lines": (*_SALE, *_RETURN),
    "issued": (*_EARNS, "redeem", "issue"),
    "state": ("issue", "card"),
    "available": ("issue", "card", "hold", "capture", "void"),
}


def _money(minor: int | None, policy: Policy) -> str:
    if minor is None:
        return "nothing"
    whole, part = divmod(abs(minor), 10**policy.decimals)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{part:0{policy.decimals}}" if policy.decimals else f"{sign}{whole}"


def _ours(answer: dict[str, Any]) -> int:
    return sum(one["amount_minor"] for one in answer.get("discounts", []))


def _total(key: str, value: int, happened: Happened, policy: Policy) -> list[Mismatch]:
    totals = happened.answer.get("totals", {})
    return _figure(key, value, totals.get("due_minor") if key == "due" else _ours(happened.answer), policy)


def _figure(key: str, value: int, actual: int | None, policy: Policy) -> list[Mismatch]:
    return [] if actual == value else [Mismatch(key, _money(value, policy), _money(actual, policy))]


def _numbers(
    key: str, value: dict[str, int], actual: Mapping[str, int], written: Callable[[int], str] = str
) -> list[Mismatch]:
    wrong = [name for name, number in value.items() if actual.get(name, 0) != number]
    return [Mismatch(f"{key}: {name}", written(value[name]), written(actual.get(name, 0))) for name in wrong]


def _sums(pairs: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    sums: Counter[str] = Counter()
    for name, points in pairs:
        sums[name] += points
    return sums


def _earned(key: str, value: dict[str, int], happened: Happened, _: Policy) -> list[Mismatch]:
    answer = happened.answer
    source = answer.get("totals", answer) if key == "earned" else answer
    return _numbers(key, value, source.get(key, {}))


def _spent(key: str, value: dict[str, int], happened: Happened, _: Policy) -> list[Mismatch]:
    answer = happened.answer
    if key == "spent":
        spent = {answer["wallet"]: answer["points"]} if happened.verb == "redeem" else answer["totals"]["spent"]
        return _numbers(key, value, spent)
    cancelled = [answer] if happened.verb == "cancel" else answer.get("redemptions_cancelled", [])
    restored = answer.get("restored", {}) if happened.verb == "return" else {}
    pairs = [*restored.items(), *((one["wallet"], one["restored"]) for one in cancelled)]
    return _numbers(key, value, _sums(pairs))


def _by_rule(happened: Happened) -> Mapping[str, int]:
    return _sums((one["rule"], one["points"]) for one in happened.awards())


def _earned_by(key: str, value: dict[str, int], happened: Happened, _: Policy) -> list[Mismatch]:
    return _numbers(key, value, _by_rule(happened))


def _taken(key: str, value: dict[str, int], happened: Happened, _: Policy) -> list[Mismatch]:
    pairs = ((wallet if key == "taken_back" else rule, points) for rule, wallet, points in happened.changes())
    return _numbers(key, value, _sums(pairs))


def _gives(key: str, value: list[str], happened: Happened, _: Policy) -> list[Mismatch]:
    gave = {rule for rule, points in _by_rule(happened).items() if points > 0}
    gave |= {one["giver"] for one in happened.answer.get("gift_cards_issued", []) if "giver" in one}
    gave |= {one[key] for one in happened.answer.get("discounts", []) for key in ("offer", "reward") if key in one}
    gave |= {one["reward"] for one in [happened.answer, *happened.answer.get("redemptions", [])] if "reward" in one}
    wrong = [rule for rule in value if (rule in gave) == (key == "not_gives")]
    did, did_not = "gave something", "gave nothing"
    says = (did, did_not) if key == "gives" else (did_not, did)
    return [Mismatch(f"{key}: {rule}", *says) for rule in wrong]


def _lines(key: str, value: dict[str, dict[str, int]], happened: Happened, policy: Policy) -> list[Mismatch]:
    actual = {line["line_id"]: line for line in happened.answer.get("lines", [])}
    found = []
    for line, figures in value.items():
        for name, minor in figures.items():
            got = actual.get(line, {}).get(f"{name}_minor")
            if got != minor:
                found.append(Mismatch(f"{key}: {line}: {name}", _money(minor, policy), _money(got, policy)))
    return found


def _refund(key: str, value: dict[str, int], happened: Happened, policy: Policy) -> list[Mismatch]:
    actual = _sums((one["kind"], one["amount_minor"]) for one in happened.answer.get("refund", []))
    return _numbers(key, value, actual, lambda minor: _money(minor, policy))


def _parked(key: str, _: object, happened: Happened, __: Policy) -> list[Mismatch]:
    state = happened.answer.get("state", "booked")
    return [] if state == "parked" else [Mismatch(key, "the return waits for its purchase", f"it is {state}")]


def _codes(key: str, value: dict[str, str], happened: Happened, _: Policy) -> list[Mismatch]:
    actual = {one["code"]: one["reason"] for one in happened.answer.get("codes_refused", [])}
    wrong = [code for code, reason in value.items() if actual.get(code) != reason]
    return [Mismatch(f"{key}: {code}", value[code], actual.get(code, "not refused")) for code in wrong]


def _issued(key: str, value: dict[str, int], happened: Happened, _: Policy) -> list[Mismatch]:
    answer = happened.answer
    cards = [answer] if happened.verb == "issue" else answer.get("gift_cards_issued", [])
    return _numbers(key, value, Counter(card["product"] for card in cards))


def _state(key: str, value: str, happened: Happened, _: Policy) -> list[Mismatch]:
    actual = happened.answer.get("state", "")
    return [] if actual == value else [Mismatch(key, f"`{value}`", f"`{actual}`")]


def _available(key: str, value: int, happened: Happened, policy: Policy) -> list[Mismatch]:
    card = happened.answer.get("card", {})
    return _figure(key, value, happened.answer.get("balance_minor", card.get("available_minor")), policy)


def _held(key: str, value: int | dict[str, int], happened: Happened, policy: Policy) -> list[Mismatch]:
    """Compare points of a member by wallet, or money on a gift card."""
    if isinstance(value, dict):
        return _balance(key, value, happened, policy)
    card = happened.answer.get("card", {})
    return _figure(key, value, happened.answer.get("held_minor", card.get("held_minor")), policy)


def _balance(key: str, value: dict[str, int], happened: Happened, _: Policy) -> list[Mismatch]:
    if not happened.balances and value:
        return [Mismatch(key, "a member's wallets", "this step has no member")]
    name = "available" if key == "balance" else key
    return _numbers(key, value, {wallet: one[name] for wallet, one in happened.balances.items()})


def _tier(key: str, value: str, happened: Happened, _: Policy) -> list[Mismatch]:
    return [] if happened.tier == value else [Mismatch(key, value, happened.tier or "no tier")]


def _next_expiry(key: str, value: dict[str, Any], happened: Happened, _: Policy) -> list[Mismatch]:
    found = []
    for wallet, wanted in value.items():
        expiries = happened.balances.get(wallet, {}).get("expiries", [])
        first = expiries[0] if expiries else None
        points = wanted["points"] if isinstance(wanted, dict) else None
        local: Local = wanted["at"] if isinstance(wanted, dict) else wanted
        expected, actual = _ending(points, local.moment), "never"
        if first:
            at = datetime.fromisoformat(first["expires_at"]).replace(tzinfo=None)
            actual = _ending(Given(first["points"], wallet) if points else None, at)
        if expected != actual:
            found.append(Mismatch(f"{key}: {wallet}", expected, actual))
    return found


def _ending(points: Given | None, at: datetime) -> str:
    when = at.date().isoformat() if at.time() == datetime.min.time() else at.isoformat(" ", "minutes")
    return f"{points.points} on {when}" if points else when


def _refused(key: str, value: str, happened: Happened, _: Policy) -> list[Mismatch]:
    if happened.refused is None:
        return [Mismatch(key, "to be refused" if value == "true" else f"refused with `{value}`", "it was taken")]
    fits = value in ("true", happened.refused.code)
    return [] if fits else [Mismatch(key, f"`{value}`", f"`{happened.refused.code}`: {happened.refused.message}")]


def _why(key: str, value: str | list[str], happened: Happened, _: Policy) -> list[Mismatch]:
    texts = happened.explanation()
    wanted = [value] if isinstance(value, str) else value
    missing = [text for text in wanted if not any(text in one for one in texts)]
    return [Mismatch(key, f"`{text}` in the explanation", "; ".join(texts) or "no explanation") for text in missing]


_Compare = Callable[[str, Any, Happened, Policy], list[Mismatch]]
_COMPARE: dict[str, _Compare] = {
    "discount": _total,
    "due": _total,
    "earned": _earned,
    "would_earn": _earned,
    "earned_by": _earned_by,
    "spent": _spent,
    "restored": _spent,
    "lines": _lines,
    "gives": _gives,
    "not_gives": _gives,
    "refund": _refund,
    "taken_back": _taken,
    "taken_back_by": _taken,
    "parked": _parked,
    "codes_refused": _codes,
    "issued": _issued,
    "state": _state,
    "available": _available,
    "balance": _balance,
    "pending": _balance,
    "held": _held,
    "debt": _balance,
    "tier": _tier,
    "next_expiry": _next_expiry,
    "refused": _refused,
    "why": _why,
}
_AFTER_REFUSAL = (_balance, _held, _tier, _next_expiry, _refused, _why)
