"""The forms of what an offer takes off: shares, and sums that may be meant for each unit.

What does not live here: amounts of money themselves and other values (`forms`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from rewards.policy.forms import Facts, Form, Wrong, money_above_zero
from rewards.policy.wording import quoted

WHOLE = 100  # percent


@dataclass(frozen=True, slots=True)
class Off:
    """A sum as written: minor units, once or off each unit."""

    minor: int
    per_unit: bool


def _share(text: str, _facts: Facts) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,4})?%", text):
        raise Wrong("bad-share", f"{quoted(text)} is not a share", _mended_share(text))
    percent = Fraction(text[:-1])
    if not 0 < percent <= WHOLE:
        message = f"{quoted(text)} is not above 0% and at most 100%"
        raise Wrong("out-of-range", message, "write a share in these bounds; `100%` takes everything off")
    return percent * Fraction(1, WHOLE)


def _mended_share(text: str) -> str:
    plain = text.replace(",", ".").replace(" ", "").removeprefix("-").removesuffix("%")
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", plain) and 1 <= Fraction(plain) <= WHOLE:
        return f"write `{plain}%`"
    return "write a share with its sign and at most four decimals, such as `20%` or `10.5%`"


def _amount_off(text: str, facts: Facts) -> Off:
    if "%" in text:
        message = f"{quoted(text)} is not an amount of money"
        raise Wrong("bad-money", message, "a share has a key of its own, as in `percent_off: 20%`")
    found = re.fullmatch(r"(\S+) +(.+)", text)
    if found is None:
        return Off(money_above_zero(text, facts), per_unit=False)
    if not re.fullmatch(r"per +unit", found[2]):
        message = f"{quoted(found[2])} is not `per unit`"
        amount = found[1] if len(found[1]) < WHOLE and "`" not in found[1] else "5.00"
        raise Wrong("bad-money", message, f"write `{amount} per unit`, or the amount alone to take it off once")
    try:
        return Off(money_above_zero(found[1], facts), per_unit=True)
    except Wrong as wrong:
        mended = re.fullmatch(r"write `(.+)`", wrong.help) if isinstance(wrong.help, str) else None
        help_ = f"write `{mended[1]} per unit`" if mended else wrong.help
        raise Wrong(wrong.code, wrong.message, help_) from None


SHARE = Form("a share", ("20%", "10.5%"), _share, r"^[0-9]+(\.[0-9]{1,4})?%$")
AMOUNT_OFF = Form(
    "an amount of money, with `per unit` if it is off each unit",
    ("5.00", "0.50 per unit"),
    _amount_off,
    r"^[0-9]+(\.[0-9]+)?( +per +unit)?$",
    ("number", "string"),
    minimum=0,
)
