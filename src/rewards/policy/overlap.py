"""Whether two selections may select the same line, and two schedules hold for the same receipt.

Answered by what the file says. What does not live here: which line a selection
does select (`engine`).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from rewards.policy.model import Match, Schedule, Selection

DAY = 24 * 60  # minutes
NAMES_AT_ONCE = 32  # compared in the time that a match takes


def may_share_a_line(one: Selection, other: Selection) -> bool:
    """Tell whether a line may be in both, as far as articles, categories, prices, attributes and `except` tell.

    Two categories are taken to be apart. A till may still send a line that has
    both; the engine decides such a basket exactly too.
    """
    return any(not _apart(left, right) for left in one.any_of for right in other.any_of)


def holds_all(wide: Selection, narrow: Selection) -> bool:
    """Tell whether every line that `narrow` selects is certainly selected by `wide`, by one of its maps."""
    return all(any(_within(one, wider) for wider in wide.any_of) for one in narrow.any_of)


def work_to_compare(one: Selection, other: Selection) -> int:
    """Return about how much `may_share_a_line` does at most; 2 for two short maps."""
    return sum(map(_size, one.any_of)) * len(other.any_of) + sum(map(_size, other.any_of)) * len(one.any_of)


def may_share_a_receipt(one: Schedule | None, other: Schedule | None) -> bool:
    """Tell whether some receipt may be in both. Past midnight, days are those on which the hours started."""
    if one is None or other is None:
        return True
    if _disjoint(one.stores, other.stores) or not _hours_meet(one.hours, other.hours):
        return False
    if (_past_midnight(one) or _past_midnight(other)) and one.hours != other.hours:
        return True  # the same instant may belong to two days
    first = max(one.starts or 0, other.starts or 0)
    last = min(one.ends or first, other.ends or first)
    return first <= last and not (_disjoint(one.days, other.days) or _disjoint(one.dates, other.dates))


def _size(match: Match) -> int:
    names = sum(len(one) for one in (match.skus, match.categories, match.stored_value) if one is not None)
    return 1 + names // NAMES_AT_ONCE + (sum(map(_size, match.excluding.any_of)) if match.excluding else 0)


def _disjoint(one: AbstractSet[object] | None, other: AbstractSet[object] | None) -> bool:
    return one is not None and other is not None and one.isdisjoint(other)


def _apart(one: Match, other: Match) -> bool:
    if (one.stored_value is None) != (other.stored_value is None) or _disjoint(one.stored_value, other.stored_value):
        return True
    if _disjoint(one.skus, other.skus) or _disjoint(one.categories, other.categories):
        return True
    if _prices_apart(one, other) or _prices_apart(other, one):
        return True
    values = dict(other.attributes)
    if any(_disjoint(wanted, values.get(name)) for name, wanted in one.attributes):
        return True
    return _left_out(one, other) or _left_out(other, one)


def _prices_apart(low: Match, high: Match) -> bool:
    most, least = low.price_at_most, high.price_at_least
    return most is not None and least is not None and most < least


def _left_out(one: Match, other: Match) -> bool:
    """Tell whether what `one` excepts holds everything that `other` selects."""
    return one.excluding is not None and any(_within(other, wider) for wider in one.excluding.any_of)


def _within(narrow: Match, wide: Match) -> bool:
    """Tell whether every line that `narrow` selects is certainly selected by `wide`."""
    sets = ((narrow.skus, wide.skus), (narrow.categories, wide.categories), (narrow.stored_value, wide.stored_value))
    values = dict(narrow.attributes)
    least, most = wide.price_at_least, wide.price_at_most
    return (
        wide.excluding is None
        and (narrow.stored_value is None) == (wide.stored_value is None)
        and all(_subset(inner, outer) for inner, outer in sets)
        and all(_subset(values.get(name), wanted) for name, wanted in wide.attributes)
        and (least is None or (narrow.price_at_least is not None and narrow.price_at_least >= least))
        and (most is None or (narrow.price_at_most is not None and narrow.price_at_most <= most))
    )


def _subset(inner: AbstractSet[object] | None, outer: AbstractSet[object] | None) -> bool:
    return outer is None or (inner is not None and inner <= outer)


def _past_midnight(schedule: Schedule) -> bool:
    return schedule.hours is not None and schedule.hours[0] > schedule.hours[1]


def _hours_meet(one: tuple[int, int] | None, other: tuple[int, int] | None) -> bool:
    if one is None or other is None:
        return True
    return any(
        max(left[0], right[0]) < min(left[1], right[1]) for left in _stretches(one) for right in _stretches(other)
    )


def _stretches(hours: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    start, end = hours
    return ((start, end),) if start < end else ((start, DAY), (0, end))
