"""A gift card's code as an image for a receipt, a letter or a screen: QR code or Code 128, as SVG.

The caller sends the code and gets the image: nothing is looked up and nothing is kept. The symbols are those of
libraries; here they are drawn. What does not live here: making codes (`service.codes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from rewards.api.answers import Answer
from rewards.api.bodies import CodeImage
from rewards.api.operations import asks
from rewards.errors import InvalidRequest
from rewards.service.codes import is_code, normal

_QUIET_QR, _QUIET_BARS, _TALL = 4, 10, 40  # modules around the symbol, and how tall bars are
_SVG = "image/svg+xml"


def image(code: str, form: str) -> bytes:
    """Return a code's image; raise `InvalidRequest` `code-slip` for what can't be a code."""
    text = normal(code)
    if not is_code(text):
        raise InvalidRequest("code-slip", "this is no gift card's code: a symbol is wrong or missing", pointer="/code")
    return _FORMS[form](text)


def _qr(text: str) -> bytes:
    import segno  # noqa: PLC0415  only who asks for an image pays for it

    return _drawn([[bool(one) for one in row] for row in segno.make_qr(text, error="m").matrix], _QUIET_QR, _QUIET_QR)


def _code_128(text: str) -> bytes:
    from barcode import Code128  # noqa: PLC0415

    code = Code128(text)
    if text.startswith("99"):  # which the library takes for the sign that digits follow, and leaves out
        code._try_to_optimize = lambda encoded: encoded  # noqa: SLF001
    (bars,) = code.build()
    return _drawn([[one == "1" for one in bars]], _QUIET_BARS, 0, tall=_TALL)


_FORMS: dict[str, Callable[[str], bytes]] = {"qr": _qr, "code_128": _code_128}


def _drawn(rows: Sequence[Sequence[bool]], beside: int, above: int, *, tall: int = 1) -> bytes:
    """Draw black modules on white, a unit wide and `tall` units high, with white around them."""
    width, height = len(rows[0]) + 2 * beside, len(rows) * tall + 2 * above
    runs = (f"M{beside + x} {above + y * tall}h{n}v{tall}h-{n}z" for y, row in enumerate(rows) for x, n in _black(row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path d="{"".join(runs)}"/></svg>'
    ).encode()


def _black(row: Sequence[bool]) -> Iterable[tuple[int, int]]:
    """Yield where black begins, and how far it goes."""
    at = 0
    for black, run in groupby(row):
        length = sum(1 for _ in run)
        if black:
            yield at, length
        at += length


@asks(
    "/gift-cards/images",
    "gift cards",
    "Draw a gift card's code",
    also={200: ResponseSpec(bytes, generate_examples=False, description="The image", media_type=_SVG)},
    media_type=_SVG,
)
async def draw_gift_card_code(data: JSONBody[CodeImage]) -> Answer[bytes]:
    """As SVG: a QR code, or a Code 128 for scanners of bars. Nothing is looked up, and nothing is kept."""
    return Answer(image(data.code, data.form), status_code=200, media_type=_SVG, headers={"Cache-Control": "no-store"})
