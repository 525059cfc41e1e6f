"""Strict decoding by itself: what is taken, what is refused, and where the pointer points."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.api.wire import decode
from rewards.basket import Basket
from rewards.errors import InvalidRequest
from tests.api.conftest import line, purchase

GOOD = json.dumps(purchase("R1"))


def refused(body: bytes | str) -> tuple[str, str, str]:
    with pytest.raises(InvalidRequest) as caught:
        decode(body.encode() if isinstance(body, str) else body, Basket)
    return caught.value.code, caught.value.pointer, caught.value.message


def with_line(**fields: object) -> str:
    return json.dumps(purchase("R1", lines=[line(), line(2, **fields)]))


@pytest.mark.parametrize(
    ("body", "code", "pointer", "message"),
    [
        ("{", "broken-json", "", "the body is not JSON: it ends too early"),
        (GOOD + "x", "broken-json", "", f"the body is not JSON: trailing characters (byte {len(GOOD) + 1})"),
        (b"\xef\xbb\xbf{}", "broken-json", "", "the body is not JSON: invalid character (byte 0)"),
        (b'{"receipt_id": "\xff"}', "not-utf8", "", "the body is not UTF-8: byte 16 does not belong"),
        ('{"receipt_id": "\\ud800"}', "broken-json", "", "the body is not JSON: it ends too early, or half a surrogate pair stands alone"),
        ("[" * 100_000, "too-deep", "", "the body is nested deeper than 32 levels"),
        ('{"a":' * 100_000, "too-deep", "", "the body is nested deeper than 32 levels"),
        ('{"lines": [{"attributes": {"a": ' + "[" * 40, "too-deep", "", "the body is nested deeper than 32 levels"),
        ("[]", "wrong-type", "", "expected an object, got a list"),
        ("{}", "missing-field", "/receipt_id", "`receipt_id` is missing"),
        (with_line(quantity=None), "wrong-type", "/lines/1/quantity", "expected an integer or text, got null"),
        (with_line(quantity=1.0), "wrong-type", "/lines/1/quantity", "expected an integer or text, got a decimal number"),
        (with_line(quantity="1"), "value-not-allowed", "/lines/1/quantity", "a quantity is an integer, or text such as `0.500` for goods by weight"),
        (with_line(unit_price_minor="380"), "wrong-type", "/lines/1/unit_price_minor", "expected an integer or null, got text"),
        (with_line(unit_price_minor=-1), "value-not-allowed", "/lines/1/unit_price_minor", "must be at least 0"),
        (with_line(unit_price_minor=10**30), "value-not-allowed", "/lines/1/unit_price_minor", "must be at most 9007199254740991"),
        (with_line(price=1), "unknown-field", "/lines/1/price", "there is no field `price` here; there are `line_id`, `sku`, `name`, `categories`, `quantity`, `unit_price_minor`, `amount_minor`, `discount_minor`, `offer`, `tax_minor`, `tax_included`, `lowest_minor`, `attributes`, `stored_value`"),
        (with_line(sku="a\nb"), "value-not-allowed", "/lines/1/sku", "control characters are not allowed"),
        (with_line(sku="a\n"), "value-not-allowed", "/lines/1/sku", "control characters are not allowed"),
        (with_line(sku="a~").replace("~", "\x7f"), "value-not-allowed", "/lines/1/sku", "control characters are not allowed"),
        (with_line(sku=""), "value-not-allowed", "/lines/1/sku", "must have at least 1 character"),
        (with_line(name="a\0b"), "nul-character", "/lines/1/name", "a text has the character NUL"),
        (with_line(attributes={"a~/b": "\0"}), "nul-character", "/lines/1/attributes/a~0~1b", "a text has the character NUL"),
        (with_line(attributes={"good": 1, "bad": 2.5}), "wrong-type", "/lines/1/attributes/bad", "expected true or false, an integer, or text, got a decimal number"),
        (with_line(attributes={"good": 1, "": 2}), "value-not-allowed", "/lines/1/attributes/", "must have at least 1 character"),
        (with_line(attributes={str(i): 1 for i in range(21)}), "value-not-allowed", "/lines/1/attributes", "must have at most 20 keys"),
        (GOOD.replace('"EUR"', '"EUR", "currency": "EUR"'), "duplicate-key", "/currency", "`currency` is there twice in one object"),
        (GOOD.replace('"sku"', '"na\\u006de": "\\u003a\\u003a", "sku"'), "duplicate-key", "/lines/0/name", "`name` is there twice in one object"),
        (GOOD.replace('"EUR"', '"eur"'), "value-not-allowed", "/currency", "not a currency such as `EUR`: three capital letters"),
        (GOOD.replace('"EUR"', "1e999"), "value-not-allowed", "/currency", "the number is too large"),
        (GOOD.replace("380", "9" * 5000), "value-not-allowed", "/lines/0/unit_price_minor", "integer value out of range"),
        (GOOD.replace("+01:00", ""), "naive-time", "/occurred_at", "the instant needs an offset, such as `Z` or `+01:00`"),
        (GOOD.replace("2026-12-02T", ""), "value-not-allowed", "/occurred_at", "not an RFC 3339 instant such as `2026-12-02T08:12:00+01:00`"),
        (json.dumps({**purchase("R1"), "lines": []}), "value-not-allowed", "/lines", "must have at least 1 item"),
        (json.dumps(purchase("R1", metadata={"note": "\0"})), "nul-character", "/metadata/note", "a text has the character NUL"),
        (json.dumps(purchase("R1", member={"crad": "1"})), "unknown-field", "/member/crad", "there is no field `crad` here; there are `id`, `card`, `phone`, `email`, `external_id`"),
    ],
)  # fmt: skip
def test_the_first_fault_is_named_with_its_place(body: bytes | str, code: str, pointer: str, message: str) -> None:
    assert refused(body) == (code, pointer, message)


def test_odd_but_good_bodies_are_taken() -> None:
    assert decode(GOOD.encode(), Basket).receipt_id == "R1"
    spaced = json.dumps(purchase('R1: \\u0000 \u003a "quoted" [\'{'), indent=3, ensure_ascii=False)
    assert decode(spaced.encode(), Basket).receipt_id == 'R1: \\u0000 : "quoted" [\'{'
    escaped = GOOD.replace("Flat white", "\\u003a\\u00e9\\ud83d\\ude00\\/")
    assert decode(escaped.encode(), Basket).lines[0].name == ":é😀/"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet='ab:"\\{}[]', max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from("ab:"), inner), max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def written(value: object) -> tuple[str, bool]:
    """Return JSON for a value whose objects are tuples of pairs, and whether a key is there twice in one of them."""
    if isinstance(value, tuple):
        parts = [written(part) for _, part in value]
        twice = len({key for key, _ in value}) < len(value) or any(inner for _, inner in parts)
        return "{" + ", ".join(
            f"{json.dumps(k)}: {text}" for (k, _), (text, _) in zip(value, parts, strict=True)
        ) + "}", twice
    if isinstance(value, list):
        parts = [written(part) for part in value]
        return "[" + ",".join(text for text, _ in parts) + "]", any(inner for _, inner in parts)
    return json.dumps(value), False


@given(values)
def test_a_key_given_twice_is_found_in_any_document(value: object) -> None:
    text, twice = written(value)
    if twice:
        with pytest.raises(InvalidRequest, match="twice"):
            decode(text.encode(), object)
    else:
        assert decode(text.encode(), object) == json.loads(text)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_noise_is_refused_with_a_code(noise: bytes) -> None:
    try:
        decode(noise, Basket)
    except InvalidRequest as error:
        assert error.code  # noqa: PT017
