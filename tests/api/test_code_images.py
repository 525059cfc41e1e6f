"""Images of codes: drawn from what libraries say, read again here module by module; nothing is kept of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import httpx
import pytest
import segno
from barcode.charsets import code128

from rewards.api.code_images import image
from rewards.service.codes import new_code, shown

_PATTERN_OF = {pattern: value for value, pattern in enumerate(code128.CODES)}
_STOP = "1100011101011"


def painted(svg: bytes) -> list[str]:
    """Return the rows of an image, a character for each unit, 1 for black."""
    root = ET.fromstring(svg)
    width, height = map(int, root.attrib["viewBox"].split()[2:])
    rows = [["0"] * width for _ in range(height)]
    for x, y, n, tall in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", root[1].attrib["d"]):
        for row in range(int(y), int(y) + int(tall)):
            rows[row][int(x) : int(x) + int(n)] = "1" * int(n)
    return ["".join(row) for row in rows]


def read_bars(bars: str) -> str:
    """Read a Code 128: its sets B and C, its sum and its end."""
    assert bars.endswith(_STOP)
    values = [_PATTERN_OF[bars[i : i + 11]] for i in range(0, len(bars) - len(_STOP), 11)]
    start, *rest, check = values
    assert (start + sum(i * value for i, value in enumerate(rest, 1))) % 103 == check
    pairs, text = start == 105, ""
    for value in rest:
        if value in {99, 100} and not (pairs and value == 99):
            pairs = value == 99
        else:
            text += f"{value:02}" if pairs else chr(value + 32)
    return text


@pytest.mark.parametrize("_", range(20))
def test_bars_say_the_code(_: int) -> None:
    code = new_code()
    rows = painted(image(shown(code), "code_128"))
    assert len(set(rows)) == 1
    assert rows[0].startswith("0" * 10 + "1")
    assert read_bars(rows[0].strip("0")) == code


@pytest.mark.parametrize("code", ["991SAWSWK36EYC5EY", "99WZ8RSFQ73NCJRK7", "99JT0Q4C7HPN7V3GP"])
def test_bars_keep_digits_that_are_also_the_sign_for_digits(code: str) -> None:
    """In bars, 99 is two digits or says that digits follow."""
    assert read_bars(painted(image(code, "code_128"))[0].strip("0")) == code


def test_the_qr_code_is_the_librarys_with_white_around_it() -> None:
    code = new_code()
    rows = painted(image(code, "qr"))
    matrix = segno.make_qr(code, error="m").matrix
    assert [row[4:-4] for row in rows[4:-4]] == ["".join(map(str, row)) for row in matrix]
    assert {*rows[:4], *rows[-4:]} == {"0" * len(rows)}


@pytest.mark.parametrize("form", ["qr", "code_128"])
def test_over_http(client: httpx.Client, form: str) -> None:
    code = shown(new_code())
    answer = client.post("/v1/gift-cards/images", json={"code": code, "form": form})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == image(code.lower(), form)
    assert code not in answer.text


def test_a_slip_is_told(client: httpx.Client) -> None:
    answer = client.post("/v1/gift-cards/images", json={"code": new_code()[:-1]})
    assert (answer.status_code, answer.json()["code"]) == (422, "code-slip")
    assert answer.json()["faults"][0]["pointer"] == "/code"
