"""What the stories of a file exercised of its policy, and what they never did.

The goals: each rule and offer gave something; each condition, and each schedule,
held and failed on a receipt that the rule or offer selects; each limit, budget and
`at_most` cut what would have been given. A limit that is reached and cuts nothing
is not exercised: without it everything would have come out the same. Whether it
did is asked of the engine itself, with that limit and without. What activities give is not
among the goals yet.

What does not live here: playing (`play`) and showing (`rewards.cli`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from rewards.days import periods
from rewards.engine.lines import holds, selects
from rewards.engine.misses import failure, lacking, word
from rewards.engine.offer_conditions import basket_amount, reads_member
from rewards.engine.offers import OfferBook
from rewards.engine.plan import RulePlan, offer_gate
from rewards.engine.step import HEAD, Compiled, compile_step
from rewards.engine.till import decide
from rewards.policy.activity_model import EachTime
from rewards.policy.model import AmountIs, Condition, EarningRule, HasAttribute, HasCode, Not, Offer, Policy
from rewards.policy.problems import START, Report, Span
from rewards.policy.source import List, Map, Node, read_source
from rewards.receipt import Receipt
from rewards.scenario.play import Watch
from rewards.scenario.story import Stories, Story
from rewards.service.inspection import Inspected

Path = tuple[str | int, ...]  # keys and places in lists, from the top of the policy file

GIVES, HOLDS, FAILS, CUTS = "gives", "holds", "fails", "cuts"


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing that some story should do: `what` is a path below the rule or offer, `way` one of the words above."""

    section: str  # earn, offers
    name: str
    what: Path
    way: str

    def text(self) -> str:
        """Return the goal in words.

        >>> Goal("earn", "fuel", ("when", "spend"), "fails").text()
        '`when: spend` fails'
        """
        words = [str(part + 1) if isinstance(part, int) else part for part in self.what]
        return f"`{': '.join(words)}` {self.way}" if words else self.way


@dataclass(slots=True)
class Coverage:
    """The goals of a policy in the order of the file, each with the first story that reached it, or None."""

    stories: Stories
    places: dict[Goal, Span] = field(default_factory=dict)
    reached: dict[Goal, str | None] = field(default_factory=dict)
    _bounds: _Bounds = field(init=False)

    def __post_init__(self) -> None:
        """Find the goals in the policy and their places in its file."""
        root = read_source(self.stories.source, Report(self.stories.file))
        for goal in sorted(_goals(self.stories.policy), key=lambda goal: _place(root, goal)):
            self.places[goal] = _place(root, goal)
            self.reached[goal] = None
        self._bounds = _Bounds(self.stories.policy)

    @property
    def missing(self) -> list[Goal]:
        """The goals that no story reached."""
        return [goal for goal, story in self.reached.items() if story is None]

    @property
    def percent(self) -> int:
        """How many of a hundred goals were reached, rounded down: 100 are all."""
        return 100 * (len(self.reached) - len(self.missing)) // len(self.reached) if self.reached else 100

    def watch(self, story: Story) -> Watch:
        """Return what is told of a story's baskets."""

        def watching(seen: Inspected) -> None:
            """Take note of every goal that a basket reached first."""
            if seen.version.policy.version == self.stories.policy.version:
                for goal in (*_of_rules(seen), *_of_offers(seen), *self._bounds.cut(seen)):
                    if self.reached[goal] is None:
                        self.reached[goal] = story.name

        return watching


def _goals(policy: Policy) -> Iterator[Goal]:
    for section, name, one in _entries(policy):
        yield Goal(section, name, (), GIVES)
        parts = [path for path, _ in _leaves(one.when)] + ([("schedule",)] if one.schedule is not None else [])
        yield from (Goal(section, name, path, way) for path in parts for way in (HOLDS, FAILS))
        yield from (Goal(section, name, bound, CUTS) for bound in _bounds(one))


def _entries(policy: Policy) -> Iterator[tuple[str, str, EarningRule | Offer]]:
    bought = (rule for rule in policy.rules.values() if not isinstance(rule.gives, EachTime))
    yield from (("earn", rule.id, rule) for rule in bought)
    yield from (("offers", name, offer) for name, offer in policy.offers.items())


def _leaves(conditions: Iterable[Condition], path: Path = ("when",)) -> Iterator[tuple[Path, Condition]]:
    """Yield every condition with its path; of a `not`, those inside."""
    for condition in conditions:
        if isinstance(condition, Not):
            yield from _leaves(condition.all_of, (*path, "not"))
        else:
            name = (condition.name,) if isinstance(condition, HasAttribute) else ()
            yield (*path, word(condition), *name), condition


def _bounds(one: EarningRule | Offer) -> list[Path]:
    found = _numbered("limit", len(one.limits))
    if isinstance(one, Offer):
        found += _numbered("budget", len(one.budgets)) + ([("at_most",)] if one.at_most is not None else [])
    return found


def _numbered(key: str, count: int) -> list[Path]:
    """Return the paths of what may be one map or a list of them."""
    return [(key,)] if count == 1 else [(key, number) for number in range(count)]


def _place(root: Node | None, goal: Goal) -> Span:
    """Return where the goal's key stands; of what is not found, where the nearest key above it does."""
    node: Node | None = root
    span = START
    for part in (goal.section, goal.name, *goal.what):
        if isinstance(node, Map):
            entry = next((one for one in node.entries if one.key.text == part), None)
            if entry is None:
                return span
            node, span = entry.value, entry.key.span
        elif isinstance(node, List) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            span = node.span
    return span


def _both_ways(section: str, name: str, path: Path, *, held: bool) -> Goal:
    return Goal(section, name, path, HOLDS if held else FAILS)


def _of_rules(seen: Inspected) -> Iterator[Goal]:
    """Yield what the receipt shows of the earning rules that select a line of it; nothing for a guest."""
    if seen.row is None:
        return
    for plan in seen.version.plan.rules:
        rule = plan.rule
        if plan.is_activity:
            continue
        if seen.row.points.get(plan.index, 0) > 0:
            yield Goal("earn", rule.id, (), GIVES)
        if not any(selects(rule.on, line) for line in seen.after.lines):
            continue
        if rule.schedule is not None:
            yield _both_ways("earn", rule.id, ("schedule",), held=holds(rule.schedule, seen.after))
        for path, condition in _leaves(rule.when):
            yield _both_ways("earn", rule.id, path, held=_holds_for_rule(seen, plan, condition))


def _holds_for_rule(seen: Inspected, plan: RulePlan, condition: Condition) -> bool:
    scene = seen.scene(receipt_alone=plan.rule.measure == "receipt")
    assert scene is not None
    return lacking(scene, plan, condition, seen.after.codes) is None


def _of_offers(seen: Inspected) -> Iterator[Goal]:
    """Yield what the receipt shows of the offers that select a line of it."""
    taken = {discount.offer for discount in seen.after.discounts}
    for offer in seen.version.policy.offers.values():
        if offer.id in taken:
            yield Goal("offers", offer.id, (), GIVES)
        if offer.on is not None and not any(selects(offer.on, line) for line in seen.before.lines):
            continue
        if offer.schedule is not None:
            yield _both_ways("offers", offer.id, ("schedule",), held=holds(offer.schedule, seen.before))
        for path, condition in _leaves(offer.when):
            held = _holds_for_offer(seen, offer, condition)
            if held is not None:
                yield _both_ways("offers", offer.id, path, held=held)


def _holds_for_offer(seen: Inspected, offer: Offer, condition: Condition) -> bool | None:
    """Return whether the condition holds; None if it reads a member and there is none."""
    if reads_member(condition):
        if seen.buyer is None:
            return None
        return failure(seen.buyer.scene, offer.id, offer_gate(offer, condition)) is None
    if isinstance(condition, HasCode):
        return condition.code in seen.before.codes
    assert isinstance(condition, AmountIs)
    amount = basket_amount(condition, offer, seen.before, seen.version.policy.eligible)
    least, most = condition.at_least, condition.at_most
    return (least is None or amount >= least) and (most is None or amount <= most)


class _Bounds:
    """Which limits cut: the engine is asked with one of them, and with none."""

    def __init__(self, policy: Policy) -> None:
        """Compile the policy without its rules' limits, and with the first, the second … of each rule alone."""
        self.policy = policy
        most = max((len(rule.limits) for rule in policy.rules.values()), default=0)
        self.free = compile_step(_limited(policy, None)) if most else None
        self.with_one = [compile_step(_limited(policy, i)) for i in range(most)]

    def cut(self, seen: Inspected) -> Iterator[Goal]:
        """Yield the limits that took something off what this receipt's day, or the receipt, would have got."""
        if self.free is not None and seen.row is not None:
            full = _points(self.free, seen)
            for i, version in enumerate(self.with_one):
                for rule, whole, left in zip(version.rule_ids, full, _points(version, seen), strict=True):
                    if isinstance(self.policy.rules[rule].gives, EachTime):
                        continue
                    if left < whole and i < len(bounds := _bounds(self.policy.rules[rule])):
                        yield Goal("earn", rule, bounds[i], CUTS)
        for offer in self.policy.offers.values():
            yield from (Goal("offers", offer.id, path, CUTS) for path in _bounds(offer) if _cuts(seen, offer, path))


def _limited(policy: Policy, number: int | None) -> Policy:
    """Return the policy with one limit of each rule, where it has so many, or none."""
    kept = slice(0) if number is None else slice(number, number + 1)
    return replace(policy, rules={name: replace(rule, limits=rule.limits[kept]) for name, rule in policy.rules.items()})


def _points(version: Compiled, seen: Inspected) -> list[int]:
    """Return what another version of the same rules would have given on the day."""
    assert seen.row is not None
    known = dict(zip_longest(seen.version.plan.slots, seen.row.carry[HEAD:]))
    carry = [*seen.row.carry[:HEAD], *(known[slot] for slot in version.plan.slots)]
    vectors = list(seen.row.rows.values())
    return version.step(carry, periods(seen.row.day), seen.row.day, vectors, seen.member)[1]


def _cuts(seen: Inspected, offer: Offer, path: Path) -> bool:
    number = path[1] if len(path) > 1 else 0
    assert isinstance(number, int)
    free = replace(offer, limits=(), budgets=(), at_most=None)
    match path[0]:
        case "limit":
            if seen.buyer is None and offer.limits[number].per != "receipt":
                return False  # a guest is refused for being one
            one = replace(free, limits=(offer.limits[number],))
        case "budget":
            one = replace(free, budgets=(offer.budgets[number],))
        case _:
            one = replace(free, at_most=offer.at_most)
    return _taken_off(seen, one) < _taken_off(seen, free)


def _taken_off(seen: Inspected, offer: Offer) -> int:
    """Return what the offer would take off in place of the policy's own of that name (minor units)."""
    version = seen.version
    offers = {**version.policy.offers, offer.id: offer}
    book = OfferBook(offers, version.policy.offer_groups, version.policy.eligible)
    other = replace(version, policy=replace(version.policy, offers=offers), offers=book)
    asked = {**seen.asked, offer.id: offer} if offer.id in seen.asked else seen.asked
    receipt: Receipt = decide(other, seen.before, seen.buyer, asked, seen.drawn).receipt
    return sum(discount.amount_minor for discount in receipt.discounts if discount.offer == offer.id)
