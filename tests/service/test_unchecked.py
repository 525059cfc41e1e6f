"""Baskets that are read without a look at each character are the baskets that the look would have let through."""

import msgspec
import pytest
from msgspec.structs import fields

from rewards.basket import Basket
from rewards.service.journal import pack
from rewards.service.unchecked import unchecked

FULL = {
    "receipt_id": "r1",
    "store_id": "Ödeon 🏪",
    "occurred_at": "2026-12-02T08:12:00+01:00",
    "currency": "EUR",
    "member": {"card": "2600000001236"},
    "lines": [
        {"line_id": "1", "sku": "A", "categories": ["a", "b"], "unit_price_minor": 5, "attributes": {"x": 1, "y": "z"}},
        {"line_id": "2", "sku": "B", "quantity": "0.500", "amount_minor": 5, "stored_value": {"product": "card"}},
    ],
    "codes": ["C"],
    "tenders": [{"kind": "cash", "amount_minor": 10}],
    "metadata": {"note": "n"},
}
checked, plain = msgspec.json.Decoder(Basket), msgspec.json.Decoder(unchecked(Basket))


def test_the_same_record_comes_of_the_same_bytes():
    body = msgspec.json.encode(FULL)
    assert isinstance(plain.decode(body), Basket)
    assert pack(plain.decode(body)) == pack(checked.decode(body))
    assert [field.name for field in fields(unchecked(Basket))] == [field.name for field in fields(Basket)]


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "eur"},
        {"receipt_id": ""},
        {"store_id": "s" * 101},
        {"discount_minor": -1},
        {"discount_minor": 2**53},
        {"lines": []},
        {"lines": [{**FULL["lines"][0], "quantity": 0}]},
        {"lines": [{**FULL["lines"][0], "quantity": "1e5"}]},
        {"lines": [{**FULL["lines"][0], "more": 1}]},
        {"occurred_at": "2026-12-02T08:12:00"},
        {"member": {"name": "x"}},
        {"codes": ["c"] * 51},
        {"metadata": {"a": "n" * 501}},
    ],
)
def test_every_other_bound_stays(change):
    body = msgspec.json.encode({**FULL, **change})
    told = []
    for decoder in (checked, plain):
        with pytest.raises(msgspec.ValidationError) as refused:
            decoder.decode(body)
        told.append(str(refused.value))
    assert told[0] == told[1]


@pytest.mark.parametrize("character", [*range(32), 127])
def test_json_has_no_control_character_without_an_escape_but_del(character):
    """What `api.wire` relies on: a body without an escape and without DEL has none."""
    body = msgspec.json.encode(FULL).replace(b"r1", b"r" + bytes([character]))
    with pytest.raises(msgspec.DecodeError) as refused:
        checked.decode(body)
    assert isinstance(refused.value, msgspec.ValidationError) == (character == 127)
