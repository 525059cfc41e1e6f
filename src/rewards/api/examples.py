"""One example body for every form that is sent, shown in the document; a test sends them.

What does not live here: the forms. The instants are of a day in 2026: a server
of another day refuses them as out of range.
"""

from __future__ import annotations

_POLICY = """\
policy: rewards/v1
program: corner-cafe
title: Corner Cafe Club
currency: EUR
timezone: Europe/Berlin
points:
  beans: {one: bean}
eligible: {amount: after_discounts, tax: included, paid_by_points: does_not_count}
earn:
  beans: {every: 1.00, give: 6 beans}
returns: {accept_within: 90 days}
"""
_STORIES = """\
scenarios: rewards/v1
members:
  ana: {}
stories:
  beans-for-whole-euros:
    - at: 2027-01-04 08:12
      purchase: r1
      member: ana
      lines: [{sku: FLATWHITE, categories: [coffee], price: 3.80}]
      expect: {earned: {beans: 18}}
"""

EXAMPLES: dict[str, dict[str, object]] = {
    "Enrol": {"phone": "+49 30 901820", "email": "ana@example.org", "name": "Ana", "language": "de"},
    "MemberRef": {"phone": "+49 30 901820"},
    "Basket": {
        "receipt_id": "S12-2026-12-02-0031",
        "store_id": "S12",
        "till_id": "T1",
        "operator_id": "kim",
        "occurred_at": "2026-12-02T08:12:00+01:00",
        "currency": "EUR",
        "member": None,
        "lines": [
            {
                "line_id": "1",
                "sku": "FLATWHITE",
                "name": "Flat white",
                "categories": ["coffee"],
                "quantity": 2,
                "unit_price_minor": 380,
            },
            {
                "line_id": "2",
                "sku": "CROISSANT",
                "name": "Croissant",
                "categories": ["bakery"],
                "unit_price_minor": 290,
            },
        ],
        "tenders": [{"kind": "cash", "amount_minor": 1050}],
    },
    "Claim": {"member": {"phone": "+49 30 901820"}, "claim_code": "8F2K-Q7MD"},
    "RecordReturn": {
        "return_id": "S12-R-0007",
        "store_id": "S12",
        "till_id": "T2",
        "operator_id": "lee",
        "occurred_at": "2026-12-02T11:00:00+01:00",
        "of": {"store_id": "S12", "receipt_id": "S12-2026-12-02-0031"},
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": "cold",
    },
    "Adjustment": {"wallet": "beans", "points": 50, "reason": "sorry for the wait", "actor": "lee"},
    "Merge": {"member": {"card": "2600000009997"}, "actor": "lee", "reason": "two cards"},
    "Redemption": {"reward": "mug", "times": 1, "store_id": "S12", "operator_id": "lee"},
    "Cancellation": {"reason": "chosen by mistake", "actor": "lee"},
    "MemberChange": {"birthday": "03-27", "attributes": {}},
    "IssueGiftCard": {"product": "sorry", "actor": "lee"},
    "GiftCardCode": {"code": "7ZZZ-0000-0000-00004"},
    "CodeImage": {"code": "7ZZZ-0000-0000-00004", "form": "code_128"},
    "CardActivity": {"activity": "BLOCK", "reason": "lost", "actor": "lee"},
    "Activity": {
        "name": "review",
        "occurred_at": "2026-12-02T11:20:00+01:00",
        "score": 5,
        "metadata": {"sku": "TEA-1"},
    },
    "OpenHold": {
        "hold_id": "S12-T1-H88",
        "store_id": "S12",
        "till_id": "T1",
        "kind": "points",
        "member": {"phone": "+49 30 901820"},
        "wallet": "beans",
        "points": 40,
        "expires_in_seconds": 900,
    },
    "Capture": {"points": 30, "reason": "event ticket"},
    "Release": {"reason": "customer left"},
    "ContactsChange": {"add": [{"email": "ana@example.net"}], "issue_card": True, "actor": "lee"},
    "OfflineBatch": {
        "store_id": "S12",
        "till_id": "T3",
        "events": [
            {
                "idempotency_key": "T3-000911",
                "kind": "purchase",
                "body": {
                    "receipt_id": "S12-T3-0911",
                    "store_id": "S12",
                    "till_id": "T3",
                    "occurred_at": "2026-12-02T09:05:00+01:00",
                    "currency": "EUR",
                    "member": {"card": "2600000002042"},
                    "lines": [{"line_id": "1", "sku": "CROISSANT", "quantity": 2, "unit_price_minor": 230}],
                    "tenders": [{"kind": "cash", "amount_minor": 460}],
                },
            },
            {
                "idempotency_key": "T3-000912",
                "kind": "purchase",
                "body": {
                    "receipt_id": "S12-T3-0912",
                    "store_id": "S12",
                    "till_id": "T3",
                    "occurred_at": "2026-12-02T09:09:00+01:00",
                    "currency": "EUR",
                    "lines": [{"line_id": "1", "sku": "TEA", "unit_price_minor": 300}],
                    "tenders": [{"kind": "gift_card", "code": "7K3M-2QZP-5TXA-9WQXC", "amount_minor": 300}],
                },
            },
        ],
    },
    "PolicyText": {"policy": "policy: rewards/v1\nprogram: my-shop\ntitle: My shop\n"},
    "PolicyToPublish": {
        "policy": _POLICY,
        "scenarios": _STORIES,
        "from": "2027-01-01",
    },
}
