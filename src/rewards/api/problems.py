"""Problem documents (RFC 9457): the one table from our errors to HTTP, and how each is answered.

400 says that the document is not what the schema asks for; 422 that it is, but
does not agree with itself or with the program; 409 that it contradicts what was
recorded or what is there. What does not live here: where errors come from.
"""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any, NamedTuple, cast

import msgspec
from litestar.connection import Request
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Response

from rewards.api.wording import worded
from rewards.errors import Conflict, InvalidRequest, KeyReused, NotFound, RewardsError, TryAgain

MEDIA_TYPE = "application/problem+json"
PAGE = "/schema"  # a problem's `type` is its place on this page

_LOG = logging.getLogger("rewards.api")
_ENCODE = msgspec.json.Encoder(enc_hook=str).encode


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, its title, and what the caller does about it."""

    status: int
    title: str
    remedy: str


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault: where in the document that was sent, or in which parameter of the request.

    `line` and `column` count from 1 in the text at the pointer; `code` is what `rewards explain` knows.
    """

    pointer: str | None = None
    parameter: str | None = None
    line: int | None = None
    column: int | None = None
    code: str = ""
    message: str
    help: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, as RFC 9457 has it; further members carry the facts (amounts, ids)."""

    type: str
    title: str
    status: int
    detail: str
    help: str
    code: str
    faults: list[Fault]
    retryable: bool
    instance: str | None = None


KINDS: dict[str, Kind] = {
    # the request is not one that can be read
    "body-missing": Kind(400, "No body", "send a JSON object"),
    "body-incomplete": Kind(400, "Body ended early", "send the request again"),
    "body-too-large": Kind(
        413, "Body too large", "a body has at most 1 MiB, a batch 8 MiB; `rewards import` takes longer receipts"
    ),
    "broken-json": Kind(400, "Not JSON", "correct the text at the byte that is named"),
    "not-utf8": Kind(400, "Not UTF-8", "encode the body in UTF-8"),
    "too-deep": Kind(400, "Nested too deep", "no body here needs more than 32 levels"),
    "content-type": Kind(415, "Not JSON by its content type", "send `Content-Type: application/json`"),
    "encoding-not-supported": Kind(415, "Compressed body", "send the body without `Content-Encoding`"),
    # the document does not have the form of the schema
    "unknown-field": Kind(400, "Unknown field", "remove the field, or correct its name"),
    "missing-field": Kind(400, "Missing field", "add the field"),
    "duplicate-key": Kind(400, "Key given twice", "give every key of an object once"),
    "wrong-type": Kind(400, "Wrong type", "integers are written without quotes and without a fraction"),
    "value-not-allowed": Kind(400, "Value not allowed", "see the limits of the field in the schema"),
    "naive-time": Kind(400, "Time without an offset", "write instants with `Z` or an offset such as `+01:00`"),
    "nul-character": Kind(400, "NUL character", "remove the character NUL from the text"),
    "bad-parameter": Kind(400, "Parameter not allowed", "correct the part of the address or the header that is named"),
    "key-missing": Kind(400, "No Idempotency-Key", "send a fresh `Idempotency-Key`, and the same one on a retry"),
    "key-invalid": Kind(400, "Idempotency-Key not allowed", "a key is 1 to 200 printable characters"),
    # the document does not agree with itself, or with the program
    "member-ambiguous": Kind(422, "Which member?", "name the member by exactly one key"),
    "purchase-ambiguous": Kind(422, "Which purchase?", "give its id, or store and receipt number"),
    "contact-ambiguous": Kind(422, "Which contact?", "name a contact by one key, and add it or take it away"),
    "too-many-contacts": Kind(422, "Too many contacts", "take away what is not used any more"),
    "card-invalid": Kind(422, "Not a card number", "leave `card` out and a number is issued"),
    "card-check-digit": Kind(422, "Wrong check digit", "read the card again"),
    "phone-invalid": Kind(422, "Not a phone number", "write it with the country's code, such as `+49 30 901820`"),
    "email-invalid": Kind(422, "Not an e-mail address", "correct the address"),
    "too-many-lines": Kind(
        422, "Too many lines", "a receipt has at most 2000 lines; `rewards import` takes longer ones"
    ),
    "line-repeated": Kind(422, "Line given twice", "give every line an id of its own"),
    "amount-missing": Kind(422, "No amount", "give a price per unit, or the line's amount"),
    "unknown-reward": Kind(422, "Unknown reward", "use a reward of the policy's `rewards`"),
    "reward-needs-member": Kind(422, "Whose reward?", "name the member who asks for the reward"),
    "reward-points": Kind(422, "Not what the reward costs", "send `points` for an open cost alone, in its steps"),
    "reward-needs-basket": Kind(422, "A reward of a basket", "ask for it in `rewards` of a quote or purchase"),
    "reward-not-held": Kind(422, "Not a reward to hold", "hold points, and redeem the reward with them later"),
    "reward-not-in-basket": Kind(422, "Not in a basket", "ask for it by a redemption of its own, with `points`"),
    "reward-once": Kind(422, "Once for a receipt", "ask for the reward once, or for one that gives units or an amount"),
    "tender-ambiguous": Kind(422, "Unclear tender", "say once how much it pays; of points also the wallet"),
    "tender-needs-member": Kind(422, "Whose points?", "name the member whose points pay"),
    "points-do-not-pay": Kind(422, "Points that do not pay", "use a wallet for which the policy says what it `pays`"),
    "hold-ambiguous": Kind(422, "Unclear hold", "give what the kind of hold takes, and nothing else"),
    "hold-missing": Kind(422, "Which hold?", "name the hold by its `hold_id`"),
    "code-not-held": Kind(422, "Nothing to hold", "send the word with the purchase; it is not used up"),
    "offer-given-online": Kind(
        422, "Offers are decided here", "leave `offer` out; a till that was offline sends a batch"
    ),
    "store-differs": Kind(422, "Event of another store", "send the events of one store in a batch"),
    "amount-mismatch": Kind(422, "Amounts disagree", "give one of price and amount, or make them agree"),
    "amount-too-large": Kind(422, "Amount too large", "sums go up to 9007199254740991 minor units"),
    "quantity-zero": Kind(422, "Quantity is zero", "leave the line out"),
    "discount-too-large": Kind(422, "Discount too large", "a discount is at most what it is taken off"),
    "time-out-of-range": Kind(422, "Time out of range", "check the clock; older events come in by `rewards import`"),
    "currency-mismatch": Kind(422, "Foreign currency", "send amounts in the program's currency"),
    "return-ambiguous": Kind(422, "What is returned?", "give `all` or `lines`, and the purchase that they are of"),
    "return-empty": Kind(422, "Nothing returned", "give `all` or `lines`"),
    "unknown-line": Kind(422, "Unknown line", "use the `line_id` of the purchase"),
    "unknown-wallet": Kind(422, "Unknown wallet", "use a wallet of the policy's `points`"),
    "unknown-activity": Kind(422, "Unknown activity", "use one of the policy's `activities`"),
    "activity-by-itself": Kind(422, "Comes by itself", "leave it to the engine; it books it on its day"),
    "points-zero": Kind(422, "No points", "give with a number above zero, take with one below"),
    "unknown-product": Kind(422, "Unknown gift card", "use a gift card of the policy's `gift_cards`"),
    "gift-card-needs-member": Kind(422, "For one member", "name the `member` who gets it"),
    "activity-not-supported": Kind(422, "Not for this gift card", "see which activities its kind takes"),
    "voucher-without-money": Kind(422, "A voucher holds no money", "leave amount and PIN out"),
    "load-not-allowed": Kind(422, "Not an amount of this gift card", "use an amount that the policy allows"),
    "code-slip": Kind(422, "Not a code", "read the code again: 16 symbols and a check symbol"),
    "code-missing": Kind(422, "No code", "send the gift card's `code`, and its `pin` if it has one"),
    "gift-card-twice": Kind(422, "One gift card twice", "send one tender for each gift card"),
    "not-for-sale": Kind(422, "Given, not sold", "sell a product of `kind: paid`"),
    "one-card-a-line": Kind(422, "One gift card a line", "write a line for each gift card"),
    "amount-not-taken": Kind(422, "No amount here", "leave `amount_minor` out"),
    "approver-is-actor": Kind(422, "Approved by the actor", "name in `approved_by` somebody else, or nobody"),
    "reason-missing": Kind(422, "Reason or actor missing", "say why, and who does it"),
    "transfer-where": Kind(422, "Where to?", "name in `to` the id of another gift card, for TRANSFER_BALANCE alone"),
    "quote-invalid": Kind(422, "Not a quote", "send `quote` as it was answered, or leave it out"),
    "cursor-invalid": Kind(422, "Cursor not understood", "use `next_cursor` of the page before, unchanged"),
    "unknown-language": Kind(422, "Language not spoken", "ask for `en`, `ka`, `hy`, `kk` or `ru`"),
    "month-out-of-range": Kind(422, "Month out of range", "ask for months up to this one, at most 120 of them"),
    "limit-out-of-range": Kind(422, "Page too long", "ask for 1 to 200 entries"),
    "key-reused": Kind(422, "Idempotency-Key used before", "use a fresh key for other content"),
    "policy-refused": Kind(422, "Policy refused", "correct what `faults` lists"),
    "policy-invalid": Kind(422, "Policy refused", "correct what `faults` lists"),
    "scenarios-failed": Kind(422, "Stories failed", "correct the policy, or what its stories expect"),
    # what was named is not here
    "no-such-path": Kind(404, "No such address", "see the list of operations"),
    "unknown-member": Kind(404, "Unknown member", "enrol the member first, or send `member: null`"),
    "unknown-contact": Kind(404, "Not the member's", "read the member: contacts are taken away as they are told there"),
    "unknown-purchase": Kind(404, "Unknown purchase", "check the id, or the store and receipt number"),
    "unknown-redemption": Kind(
        404, "Unknown redemption", "use the `redemption_id` that the member's was answered with"
    ),
    "unknown-gift-card": Kind(404, "Unknown gift card", "read the code again"),
    "unknown-hold": Kind(404, "Unknown hold", "check the `hold_id`"),
    "no-policy": Kind(404, "No policy", "publish one with `rewards publish FILE`"),
    # it contradicts what was recorded, or what is there
    "unknown-attribute": Kind(422, "Unknown attribute", "send attributes that the policy declares for members"),
    "attribute-value": Kind(422, "Attribute value", "send a value of the kind that the policy declares"),
    "birthday-invalid": Kind(422, "Birthday invalid", "send month and day, such as `03-27`"),
    "member-exists": Kind(409, "Member exists", "look the member up by the contact that is named"),
    "member-blocked": Kind(409, "Member blocked", "record a purchase with `member: null`; nothing else counts now"),
    "member-merged": Kind(409, "Member merged", "name the member of `member_id`, who this one is now"),
    "holds-open": Kind(409, "Points are held", "capture or void the `holds`, or wait until they have run out"),
    "same-member": Kind(409, "One member already", "nothing: what both have is one member's"),
    "receipt-conflict": Kind(409, "Receipt recorded differently", "a receipt number is used once in a store"),
    "card-replaced": Kind(409, "Card was lost", "ask for the member's new card; staff find the member by `member_id`"),
    "already-claimed": Kind(409, "Claimed already", "nothing: the purchase counts for a member"),
    "purchase-returned": Kind(409, "Goods came back", "goods came back before the claim; it can't be claimed any more"),
    "claim-expired": Kind(409, "Claimed too late", "a purchase is claimed within seven days"),
    "return-conflict": Kind(409, "Return recorded differently", "a return number is used once in a store"),
    "adjustment-conflict": Kind(409, "Adjustment recorded differently", "an `adjustment_id` is used once for a member"),
    "recorded-already": Kind(409, "Recorded already", "read what is recorded; nothing was added"),
    "points-below-minimum": Kind(409, "Too few points", "pay with at least `minimum` points, or with none"),
    "points-not-in-steps": Kind(409, "Points out of step", "pay with a multiple of `step` points"),
    "points-above-share": Kind(409, "Too large a share in points", "pay at most `at_most_minor` with points"),
    "due-changed": Kind(409, "Tenders do not pay the sum", "ask for a new quote, or correct the tenders"),
    "quote-expired": Kind(409, "Quote expired", "ask for a new quote, or leave `quote` out"),
    "offer-gone": Kind(409, "Offer used up", "ask for a new quote; another purchase used the offer first"),
    "quote-mismatch": Kind(409, "Quote of another basket", "ask for a quote of this basket, or leave `quote` out"),
    "return-exceeds": Kind(409, "More than is left", "return at most what is still returnable"),
    "needs-approval": Kind(
        409, "A second person is needed", "send it with `approved_by`, under a fresh Idempotency-Key"
    ),
    "reward-not-now": Kind(409, "Not now", "see `detail`: the balance tells which rewards can be had"),
    "reward-limit": Kind(409, "Limit of the reward", "see `detail`: the member has had as much of it as there is"),
    "reward-used": Kind(409, "Used up", "nothing can be taken back; staff may adjust the points"),
    "not-enough-points": Kind(409, "Not enough points", "take at most what is available"),
    "hold-conflict": Kind(409, "Hold made differently", "a `hold_id` is used once; `differs` says where"),
    "hold-already-captured": Kind(409, "Hold captured already", "read the hold: what it gave can be returned"),
    "hold-already-voided": Kind(409, "Hold released already", "open another hold"),
    "hold-expired": Kind(409, "Hold has run out", "open another hold"),
    "hold-too-small": Kind(409, "More than is held", "take at most what is held, the rest by another tender"),
    "hold-not-used": Kind(409, "Hold of no use here", "leave the hold out; it stays open until it is voided"),
    "hold-other-member": Kind(409, "Another member's hold", "name the member whose points are held"),
    "gift-card-not-usable": Kind(409, "Gift card not usable", "pay in another way; `state` says why"),
    "tender-not-on-these": Kind(409, "Not for these goods", "let it pay at most `at_most_minor`"),
    "balance-too-high": Kind(409, "Too much for one gift card", "load less, or issue another gift card"),
    "balance-too-low": Kind(409, "Not enough on the gift card", "take at most `balance_minor`"),
    "balance-left": Kind(409, "Money on the gift card", "CASH_OUT, TRANSFER_BALANCE or CLEAR_BALANCE first"),
    "refund-exceeds": Kind(409, "More than was redeemed", "refund at most `refundable_minor`"),
    "transfer-not-possible": Kind(409, "Not to that gift card", "use an active card of the same kind and member"),
    "activity-not-possible": Kind(409, "Not possible now", "look the gift card up: its `state` says what it is"),
    "effective-not-to-come": Kind(409, "Too early", "publish for a midnight to come"),
    "currency-changed": Kind(409, "Currency changed", "a program keeps its currency; start another database"),
    "timezone-changed": Kind(409, "Time zone changed", "a program keeps its time zone; start another database"),
    # the server
    "method-not-allowed": Kind(405, "Method not allowed", "use a method of the `Allow` header"),
    "host-not-allowed": Kind(
        403, "Not for this host", "an open server answers to `localhost`, `127.0.0.1` and `[::1]`"
    ),
    "too-many-guesses": Kind(429, "Too many wrong codes", "wait for `Retry-After` seconds; money is still taken"),
    "too-busy": Kind(503, "Too busy", "send the same request again after `Retry-After` seconds"),
    "database-unavailable": Kind(
        503, "Database not available", "send the same request again after `Retry-After` seconds"
    ),
    "writer-lost": Kind(
        503, "Writer lost", "send the same request again once the server is back; what was written counts once"
    ),
    "closing": Kind(503, "Closing", "send the same request again once the server is back"),
    "internal-error": Kind(500, "Our fault", "tell the operator the `instance`; the log has it"),
}

_FALLBACK = {NotFound: 404, Conflict: 409, KeyReused: 422, TryAgain: 503, InvalidRequest: 422}
_NAMES = {"idempotency_key": "Idempotency-Key", "from_month": "from", "until_month": "until"}  # as callers write them
_UNKNOWN = "the server failed; whether anything was recorded is known by sending the same request again"
_RETRY_AFTER = {"Retry-After": "1"}


def kind_of(error: RewardsError) -> Kind:
    """Return the row of the error's code; a code without one gets the status of its class."""
    if kind := KINDS.get(error.code):
        return kind
    status = next((status for base, status in _FALLBACK.items() if isinstance(error, base)), 422)
    return Kind(status, error.code.replace("-", " ").capitalize(), "see `detail`")


def answer_error(request: Request[Any, Any, Any], error: RewardsError) -> Response[bytes]:
    """Answer an error of ours; its facts become members of the document."""
    kind = kind_of(error)
    facts = dict(error.facts)
    faults = [_of_text(error.pointer, one) for one in cast("list[dict[str, Any]]", facts.pop("problems", []))]
    if faults:
        pass
    elif error.pointer and request.method == "GET":  # there is no document: the pointer's name is a parameter's
        faults = [Fault(parameter=error.pointer[1:], message=error.message)]
    elif error.pointer or isinstance(error, InvalidRequest):
        faults = [Fault(pointer=error.pointer, message=error.message)]
    wait = facts.get("retry_after_seconds")
    headers = {"Retry-After": str(wait)} if wait is not None else None
    return _answer(error.code, kind, error.message, faults, facts=facts, headers=headers)


def _of_text(pointer: str, problem: dict[str, Any]) -> Fault:
    known = {name: problem[name] for name in ("line", "column", "code", "message", "help") if name in problem}
    return Fault(pointer=pointer, **known)


def answer_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: an address, a method, a parameter."""
    if isinstance(error, ValidationException):
        return _answer_parameters(error)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return no_such_path(request.scope["path"])
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allow = ", ".join(sorted((error.headers or {}).get("allow", "").split(", ")))
        detail = f"`{request.method}` is not for this address; it takes {allow}"
        return _answer("method-not-allowed", KINDS["method-not-allowed"], detail, [], headers={"Allow": allow})
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_unexpected(request, error)
    return _answer(
        "bad-parameter", KINDS["bad-parameter"], _lowered(error.detail), [Fault(message=_lowered(error.detail))]
    )


def no_such_path(path: str) -> Response[bytes]:
    """Answer an address that nothing is at."""
    return _answer("no-such-path", KINDS["no-such-path"], f"there is nothing at `{path[:200]}`", [])


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer a fault of our own with a number that the log has too."""
    instance = f"urn:rewards:fault:{secrets.token_hex(8)}"
    _LOG.error("%s %s failed, %s", request.method, request.scope["path"], instance, exc_info=error)
    return _answer("internal-error", KINDS["internal-error"], _UNKNOWN, [], instance=instance)


HANDLERS: dict[int | type[Exception], Any] = {
    RewardsError: answer_error,
    HTTPException: answer_framework,
    Exception: answer_unexpected,
}


def _answer_parameters(error: ValidationException) -> Response[bytes]:
    found = error.extra if isinstance(error.extra, list) else []
    faults = [
        Fault(parameter=_NAMES.get(key := str(one.get("key", "")), key), message=worded(str(one.get("message", "")))[1])
        for one in found
        if isinstance(one, dict)
    ]
    if not faults:
        faults = [_missing(error.detail)]
    code = (
        "key-missing" if faults[0].message.startswith("missing") and "Idempotency" in error.detail else "bad-parameter"
    )
    return _answer(code, KINDS[code], f"`{faults[0].parameter}`: {faults[0].message}", faults)


def _missing(detail: str) -> Fault:
    """Return the fault of a required parameter that is not there; the framework says so in a sentence alone."""
    name = detail.split("'")[1] if detail.count("'") > 1 else ""
    return Fault(parameter=name, message="missing" if name else _lowered(detail))


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _answer(
    code: str,
    kind: Kind,
    detail: str,
    faults: list[Fault],
    *,
    facts: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
    instance: str | None = None,
) -> Response[bytes]:
    body = _document(code, kind, detail, faults, facts, instance)
    sent = headers or (_RETRY_AFTER if kind.status == HTTPStatus.SERVICE_UNAVAILABLE else None)
    return Response(body, status_code=kind.status, media_type=MEDIA_TYPE, headers=sent)


def _document(
    code: str, kind: Kind, detail: str, faults: list[Fault], facts: dict[str, object] | None, instance: str | None
) -> bytes:
    document: dict[str, object] = {
        "type": f"{PAGE}#{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "help": kind.remedy,
        "code": code,
        "faults": faults,
        "retryable": kind.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE},
    }
    if instance:
        document["instance"] = instance
    return _ENCODE({**(facts or {}), **document})


def document_of(error: BaseException, place: str) -> tuple[int, bytes]:
    """Return status and document of what became of a part of a request; `place` points to the part."""
    if isinstance(error, RewardsError):
        kind = kind_of(error)
        faults = [Fault(pointer=place + error.pointer, message=error.message)]
        return kind.status, _document(error.code, kind, error.message, faults, error.facts, None)
    instance, kind = f"urn:rewards:fault:{secrets.token_hex(8)}", KINDS["internal-error"]
    _LOG.error("the event at %s failed, %s", place, instance, exc_info=error)
    return kind.status, _document("internal-error", kind, _UNKNOWN, [], None, instance)
