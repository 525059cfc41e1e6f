"""What differs between a receipt as recorded and one that claims its number.

What does not live here: what becomes of the claim.
"""

from __future__ import annotations

from rewards.receipt import Receipt

_FIELDS = {
    "occurred_at": "/occurred_at",
    "currency": "/currency",
    "codes": "/codes",
    "till_id": "/till_id",
    "operator_id": "/operator_id",
}
_LINE = {"gross_minor": "amount_minor", "net_minor": "", "offers_minor": "", "tenders_minor": "", "card": ""}


def between(stored: Receipt, sent: Receipt, *, same_member: bool = True) -> list[str]:
    """Return pointers into the document that was sent, in its order; none if both state the same facts."""
    found = [pointer for name, pointer in _FIELDS.items() if getattr(stored, name) != getattr(sent, name)]
    if {one.last_four for one in stored.shown} != {one.last_four for one in sent.shown} and "/codes" not in found:
        found.append("/codes")
    if not same_member:
        found.append("/member")
    if len(stored.lines) != len(sent.lines):
        found.append("/lines")
    else:
        for i, (old, new) in enumerate(zip(stored.lines, sent.lines, strict=True)):
            names = {
                _LINE.get(name, name) for name in new.__struct_fields__ if getattr(old, name) != getattr(new, name)
            }
            found += sorted(f"/lines/{i}/{name}" for name in names if name)
    if stored.tenders != sent.tenders:
        found.append("/tenders")
    return found
