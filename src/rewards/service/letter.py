"""A member's statement as a text for the member: what is there, what came and went, why, and what ends when.

What does not live here: the figures (`reads`), and the reasons (`reasons`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from rewards.policy.model import Policy
from rewards.service.answers import BalanceAnswer, Change, EntryAnswer
from rewards.service.awards import title
from rewards.service.balance_answers import NextTier, TierAnswer, WalletDetail
from rewards.service.tongue import Tongue, marked

_KINDS = {
    "purchase": marked("Purchase"),
    "return": marked("Goods brought back"),
    "expiry": marked("Points that ended"),
    "adjustment": marked("Correction by our staff"),
    "activity": marked("Bonus"),
    "change": marked("Change of your details"),
    "spending": marked("Points used"),
    "redemption": marked("Reward"),
    "cancellation": marked("Reward taken back"),
    "merge": marked("Cards joined"),
    "hold": marked("Points set aside"),
}
_PAID = marked("Points that became available")
_OTHER = marked("Other")
_LAST_INSTANT = timedelta(microseconds=1)


class Letter:
    """Writes one statement. `titles` are the wallets' titles of every version, by wallet."""

    def __init__(self, policy: Policy, titles: Mapping[str, dict[str, str]], tongue: Tongue) -> None:
        """Take what the policy in force calls things."""
        self._policy, self._titles, self._tongue = policy, titles, tongue

    def text(self, who: str, balance: BalanceAnswer, entries: Iterable[EntryAnswer], *, more: bool) -> str:
        """Return the whole text; `more` says that there are older entries."""
        say = self._tongue.say
        head = [title(self._policy.title, self._tongue.language) or self._policy.program]
        head.append(say("Statement for {name}, {date}", name=who, date=self._tongue.day(_day(balance.at))))
        blocks = [head, list(self._have(balance)), _heading(say("What came and went"))]
        told = [list(self._entry(entry)) for entry in entries]
        blocks += told or [[say("Nothing yet.")]]
        if more:
            blocks.append([say("There are older entries.")])
        return "\n\n".join("\n".join(block) for block in blocks) + "\n"

    def _have(self, balance: BalanceAnswer) -> Iterator[str]:
        yield from _heading(self._tongue.say("What you have"))
        for wallet, held in balance.wallets.items():
            yield f"{self._wallet(wallet)}: {self._tongue.number(held.available)}"
            yield from (f"  {line}" for line in self._coming(held))
        for voucher in balance.vouchers:
            what = self._tongue.say("Voucher: {title}", title=voucher.title or voucher.offer)
            yield what + (f" ({self._until(voucher.expires_at)})" if voucher.expires_at else "")
        for card in balance.gift_cards:
            amount = self._tongue.money(card.balance_minor, self._policy.currency, self._policy.decimals)
            what = self._tongue.say("Gift card: {amount}", amount=amount)
            yield what + (f" ({self._until(card.expires_at)})" if card.expires_at else "")
        if balance.tier is not None:
            yield from self._tier(balance.tier)

    def _coming(self, held: WalletDetail) -> Iterator[str]:
        """Tell what is owed, what comes and what ends."""
        say, number = self._tongue.say, self._tongue.number
        if held.held:
            yield say("set aside: {points}", points=number(held.held))
        if held.debt:
            yield say("owed: {points}", points=number(held.debt))
        for arrival in held.arrivals:
            day = self._tongue.day(_day(arrival.available_at))
            yield say("{points} can be used from {date}", points=number(arrival.points), date=day)
        for expiry in held.expiries:
            day = self._tongue.day(_last_day(expiry.expires_at))
            yield say("{points} can be used until {date}", points=number(expiry.points), date=day)

    def _until(self, expires_at: str) -> str:
        return self._tongue.say("until {date}", date=self._tongue.day(_last_day(expires_at)))

    def _tier(self, tier: TierAnswer) -> Iterator[str]:
        level = self._tongue.say("Level: {name}", name=tier.name)
        if tier.held_until is not None:
            day = self._tongue.day(date.fromisoformat(tier.held_until))
            level += f", {self._tongue.say('until {date}', date=day)}"
        yield level
        if tier.next is not None:
            short = self._short(tier.next)
            yield "  " + self._tongue.say("still to go to {name}: {amount}", name=tier.next.name, amount=short)

    def _short(self, following: NextTier) -> str:
        tongue, policy = self._tongue, self._policy
        if following.by == "spend":
            return tongue.money(following.short, policy.currency, policy.decimals)
        if following.by == "visits":
            return tongue.count("{number} visit", "{number} visits", following.short)
        return f"{tongue.number(following.short)} ({self._wallet(following.by)})"

    def _wallet(self, key: str) -> str:
        return title(self._titles.get(key, {}), self._tongue.language) or key

    def _entry(self, entry: EntryAnswer) -> Iterator[str]:
        say = self._tongue.say
        day = _day(entry.occurred_at)
        only_paid = entry.kind == "expiry" and not any(entry.points.values())  # what was owed, with points to come
        what = say(_PAID if only_paid else _KINDS.get(entry.kind, _OTHER))
        if entry.receipt_id:
            what += f", {say('receipt {number}', number=entry.receipt_id)}"
        sums = ", ".join(
            f"{self._wallet(key)} {self._tongue.signed(points)}" for key, points in entry.points.items() if points
        )
        yield f"{self._tongue.day(day)}: {what}" + (f"   {sums}" if sums else "")
        for change in entry.changes:
            yield f"  {self._change(change, day)}"

    def _change(self, change: Change, of: date) -> str:
        """Tell one change: how much of what, by which rule, for which day if for another, and why."""
        words = f"{self._tongue.signed(change.points)} {self._wallet(change.wallet)}"
        if change.gift_card:
            card = self._tongue.say("gift card: {name}", name=change.gift_card)
            words = f"{self._tongue.signed(change.count)} {card}"
        if change.day and (day := date.fromisoformat(change.day)) != of:
            words += f" ({self._tongue.day(day)})"
        return ": ".join(filter(None, (words, change.title, change.why)))


def _heading(text: str) -> list[str]:
    return [text, "-" * len(text)]


def _day(instant: str) -> date:
    return datetime.fromisoformat(instant).date()


def _last_day(end: str) -> date:
    """Return the last day before an end, which is exclusive."""
    return (datetime.fromisoformat(end) - _LAST_INSTANT).date()
