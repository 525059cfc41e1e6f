"""Policies that tests write: a shop in Berlin that sells for euros, of which a test says only what it is about."""

HEAD = """policy: rewards/v1
program: shop
title: Shop
currency: EUR
timezone: Europe/Berlin
"""
ELIGIBLE = "eligible: {amount: after_discounts, tax: included, paid_by_points: does_not_count}\n"


def program(sections: str) -> str:
    """Return a whole policy; `eligible` is as above unless the sections say it."""
    return HEAD + ("" if "eligible:" in sections else ELIGIBLE) + sections
