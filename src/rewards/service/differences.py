"""What differs between a receipt as recorded and one that claims its number.

What does not live here: what becomes of the claim.
"""

from __future__ import annotations

from rewards.receipt import Receipt

_FIELDS = {
    "occurred_at": "/occurred_at",
    "currency": "/currency",
    "codes": "/codes",
    "rewards": "/rewards",
    "till_id": "/till_id",
    "operator_id": "/operator_id",
}
_LINE = {
    "gross_minor": "amount_minor",
    "net_minor": "",
    "offers_minor": "",
    "tenders_minor": "",
    "free_units": "",
    "card": "",
}


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
    if not _same_tenders(stored, sent):
        found.append("/tenders")
    return found


def _same_tenders(stored: Receipt, sent: Receipt) -> bool:
    """Return whether the tenders are the same; of points a till says one figure, or leaves them to us."""
    if len(stored.tenders) != len(sent.tenders):
        return False
    for old, new in zip(stored.tenders, sent.tenders, strict=True):
        if old.hold or new.kind == "hold":
            if (old.hold, old.amount_minor) != (new.hold, new.amount_minor):
                return False
            continue
        kind = "gift_card" if old.card else old.kind  # money that was given has a kind of its own inside
        if (kind, old.wallet, old.last_four) != (new.kind, new.wallet, new.last_four):
            return False
        says_amount = new.amount_minor or not new.wallet
        if (says_amount and old.amount_minor != new.amount_minor) or (new.points and old.points != new.points):
            return False
    return True
