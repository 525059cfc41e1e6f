"""The groups of `choose`: which are there, and whether rules or offers are in them.

What does not live here: what the members of a group must agree on (`rules`, `offers`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rewards.policy.problems import Also, Report
from rewards.policy.shape import Got
from rewards.policy.wording import Hint, quoted


@dataclass(slots=True)
class Groups:
    """The groups of one file; a group is of rules or of offers by its first member."""

    named: dict[str, Got]
    broken: set[str] | None  # None: the section is broken, any name may be in it
    report: Report
    of_rules: dict[str, Got] = field(default_factory=dict)  # the `choose` of the first rule, by group
    of_offers: dict[str, Got] = field(default_factory=dict)

    def take_rule(self, choose: Got) -> bool:
        """Note that a rule is in the group; tell whether there is such a group."""
        if not self._known(choose):
            return False
        if choose.value not in self.of_rules:
            self.of_rules[choose.value] = choose
            self._of(choose.value)
        return True

    def take_offer(self, choose: Got) -> bool:
        """Note that an offer is in the group; tell whether offers may be."""
        if not self._known(choose):
            return False
        rule = self.of_rules.get(choose.value)
        if rule is not None:
            message = f"the group {quoted(choose.value)} is of earning rules, and this is an offer"
            advice = "declare a group of its own for the offers"
            self.report.add("group-mixed", message, choose.span, advice, Also(rule.span, "a rule is in it here"))
            return False
        self.of_offers.setdefault(choose.value, choose)
        return True

    def of(self, name: str) -> Literal["line", "receipt"]:
        """Return what the offers of the group compete for."""
        return "line" if self.named[name].value.value("of") == "line" else "receipt"

    def _known(self, choose: Got) -> bool:
        if choose.value in self.named:
            return True
        if self.broken is not None and choose.value not in self.broken:
            otherwise = f"declare it: `choose: {{{choose.value[:40]}: {{keep: best}}}}`"
            message = f"there is no group {quoted(choose.value)}"
            self.report.add("unknown-group", message, choose.span, Hint(choose.value, self.named, otherwise))
        return False

    def _of(self, name: str) -> None:
        of = self.named[name].value.get("of")
        if of is not None:
            message = f"`of` is for offers, and {quoted(name)} is a group of earning rules"
            self.report.add("group-of-rules", message, of.key, "leave `of` out; the best rule gives in each measure")
