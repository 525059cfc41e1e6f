"""A purchase for people: what it cost, what it gave and why, and what came later.

What does not live here: the reasons themselves (`rewards.engine.explain`).
"""

from __future__ import annotations

from rewards.cli.database import service
from rewards.cli.screen import say, table
from rewards.service.answers import EntryAnswer, PurchaseAnswer


def describe(purchase_id: str, database: str | None) -> int:
    """Print the purchase with every reason."""
    with service(database, existing=True) as opened:
        purchase = opened.purchase(purchase_id)
    say(_head(purchase))
    rows = [[award.rule, f"{award.points:+}", award.wallet, award.day, award.why] for award in purchase.awards]
    if rows:
        table("given", ("rule", "points", "wallet", "day", "why"), rows, numbers=(1,))
    for missed in purchase.not_applied:
        say(f"{missed.rule} gave nothing: {missed.why}")
    for entry in purchase.adjustments:
        _later(entry)
    return 0


def _head(purchase: PurchaseAnswer) -> str:
    who = purchase.member_id or "a guest"
    earned = ", ".join(f"{points} {wallet}" for wallet, points in purchase.totals.earned.items()) or "nothing"
    return f"{purchase.purchase_id} of {who}, {purchase.occurred_at}: earned {earned}"


def _later(entry: EntryAnswer) -> None:
    say(f"later, {entry.recorded_at}: {entry.kind}")
    for change in entry.changes:
        say(f"  {change.points:+} {change.wallet}: {change.why}")
