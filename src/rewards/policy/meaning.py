"""The meaning of an earning rule or an offer as a hash: equal for those that give the same.

What does not live here: reading files. Titles, names of selections and the
order of keys, rules and alternatives have no part in a meaning.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, is_dataclass

from rewards.policy.model import ALL, AmountIs, EarningRule, Offer, Selection, Times, Wallet

_FILTERS = ("on", "schedule", "paid_with", "when", "gives")
_OF_OFFER = ("stage", "gives", "schedule", "at_most", "limits", "budgets", "only_by", "choose")
_ALL = (*_FILTERS, "wallet", "measure", "remainder", "limits", "choose")


@dataclass(slots=True)
class Meanings:
    """Works out meanings; selections that rules share are written out once."""

    wallets: dict[str, Wallet]
    rules: dict[str, EarningRule]
    _written: dict[int, tuple[Selection, str]] = field(default_factory=dict)

    def of(self, rule: EarningRule) -> str:
        """Return the rule's meaning: its effect, its rounding or gift card, and for `times` what it multiplies."""
        parts = [self._part(rule, name) for name in _ALL]
        parts.append(self.wallets[rule.wallet].round if rule.card is None else f"card {rule.card!r}")
        if isinstance(rule.gives, Times):
            bases = [self.rules[name] for name in rule.gives.of]
            parts += sorted(self._digest(" ".join(self._part(base, name) for name in _FILTERS)) for base in bases)
        return self._digest("\n".join(parts))

    def of_offer(self, offer: Offer, competes_for: str) -> str:
        """Return the offer's meaning: everything but its texts, and what its group competes for."""
        on = offer.on or ALL
        parts = [f"{name} {self._written_out(getattr(offer, name), on)}" for name in _OF_OFFER]
        when = " ".join(self.of_conditions(offer, on))
        return self._digest("\n".join([*parts, competes_for, f"on {self.of_selection(on)}", f"when {when}"]))

    def of_conditions(self, entry: EarningRule | Offer, on: Selection) -> list[str]:
        """Return the conditions as texts, in an order of their own; `on` is what amounts read without one."""
        return sorted(self._written_out(one, on) for one in entry.when)

    def _digest(self, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def _part(self, rule: EarningRule, name: str) -> str:
        if name == "gives" and isinstance(rule.gives, Times):
            return f"times {rule.gives.numerator}/{rule.gives.denominator}"
        if name == "when":
            return "when " + " ".join(self.of_conditions(rule, rule.on))
        return f"{name} {self._written_out(getattr(rule, name), rule.on)}"

    def _written_out(self, value: object, on: Selection) -> str:
        """Write a value so that equal meanings give equal texts: sets in order, `on` in place of nothing."""
        if isinstance(value, Selection):
            return self.of_selection(value)
        if isinstance(value, AmountIs):
            bounds = (value.at_least, value.at_most, value.within)
            return f"{value.what} {bounds!r} {self.of_selection(value.of or on)}"
        if isinstance(value, frozenset):
            return "{" + ", ".join(sorted(map(repr, value))) + "}"
        if isinstance(value, tuple) and not all(isinstance(one, int) for one in value):  # hours keep their order
            return "(" + ", ".join(sorted(self._written_out(one, on) for one in value)) + ")"
        if is_dataclass(value):
            inner = (f"{one.name}={self._written_out(getattr(value, one.name), on)}" for one in fields(value))
            return f"{type(value).__name__}({', '.join(inner)})"
        return repr(value)

    def of_selection(self, selection: Selection) -> str:
        """Return the selection as a hash, equal for equal lists of maps in any order."""
        known = self._written.get(id(selection))
        if known is None:
            matches = sorted({self._written_out(match, selection) for match in selection.any_of})
            # The selection is kept beside its text, so that its id stays its own.
            known = self._written[id(selection)] = selection, self._digest("|".join(matches))
        return known[1]
