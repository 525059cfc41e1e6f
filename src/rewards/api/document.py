"""The OpenAPI document, and a page that shows it without the internet.

The framework describes operations and parameters; the forms of bodies are
msgspec's own, which say exactly what the decoder takes (no further fields, keys
of maps, patterns). What does not live here: the operations (`routes`) and the
kinds of problems (`problems`), which the page lists.
"""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Router
from litestar.connection import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import License
from litestar.response import Response

from rewards import __version__
from rewards.api import bodies
from rewards.api.examples import EXAMPLES
from rewards.api.problems import KINDS, PAGE, Problem, no_such_path
from rewards.basket import Basket, MemberRef
from rewards.service.adjustments import AdjustmentAnswer
from rewards.service.answers import (
    ActivityAnswer,
    BalanceAnswer,
    ClaimedAnswer,
    GiftCardAnswer,
    MemberAnswer,
    PurchaseAnswer,
    ReturnAnswer,
    StatementAnswer,
)
from rewards.service.commands import Enrol, IssueGiftCard, OpenHold, RecordReturn
from rewards.service.hold_answers import HoldAnswer
from rewards.service.liability import LiabilityAnswer
from rewards.service.merging import MergeAnswer
from rewards.service.reward_answers import CancellationAnswer, RedemptionAnswer

_FORMS = (
    *(one for one in vars(bodies).values() if isinstance(one, type) and one.__module__ == bodies.__name__),
    *(Basket, Enrol, IssueGiftCard, MemberRef, OpenHold, RecordReturn, Problem),
    *(ActivityAnswer, AdjustmentAnswer, BalanceAnswer, CancellationAnswer, ClaimedAnswer, GiftCardAnswer, HoldAnswer),
    *(LiabilityAnswer, MemberAnswer, MergeAnswer, PurchaseAnswer, RedemptionAnswer, ReturnAnswer, StatementAnswer),
)

_ALSO_TEXT = {"get_statement"}  # answers in the kind that the caller accepts

_ABOUT = (
    "Loyalty rewards for the tills of one program. Money is in integer minor units (`…_minor`), points are whole, "
    "instants are RFC 3339 with an offset. Bodies are strict JSON. A write sent again, by its natural id or its "
    "`Idempotency-Key`, is answered with the same bytes. Refusals are problem documents (RFC 9457) with a stable "
    "`code`."
)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font: 14px/1.4 ui-monospace, monospace } pre { overflow: auto; background: #8881; padding: .8rem }
summary { cursor: pointer; padding: .3rem 0 }
td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }
tr:target, details:target { background: #fc06 } :root { color-scheme: light dark }
"""


def exact(document: dict[str, Any]) -> dict[str, Any]:
    """Give the document every form as the decoder has it, and parameters that are never null; return it."""
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters") or ():
                parameter["schema"] = _never_null(parameter["schema"])
            if operation["operationId"] in _ALSO_TEXT:
                operation["responses"]["200"]["content"]["text/plain"] = {"schema": {"type": "string"}}
    template = "#/components/schemas/{name}"
    _, forms = msgspec.json.schema_components(_FORMS, schema_hook=_anything, ref_template=template)
    forms["OfflineBatch"]["properties"]["events"]["items"] = {
        "description": "an event; anything else has a problem of its own in the results",
        "anyOf": [{"$ref": template.format(name=name)} for name in ("PurchaseEvent", "ReturnEvent")] + [{}],
    }
    for name, example in EXAMPLES.items():
        forms[name]["examples"] = [example]
    return {**document, "components": {**document.get("components", {}), "schemas": forms}}


def _never_null(form: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's form without the null that stands for its absence, and with whole bounds."""
    given = [one for one in form.get("oneOf", ()) if one != {"type": "null"}]
    merged = {**form, **given[0]} if len(given) == 1 else form
    return {key: int(value) if isinstance(value, float) else value for key, value in merged.items() if key != "oneOf"}


def _anything(_: type) -> dict[str, Any]:
    return {"description": "any JSON value"}


class SchemaJson(JsonRenderPlugin):
    """`/schema/openapi.json`."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the exact document as JSON."""
        return self.render_json(request, exact(openapi_schema))


class SchemaPage(OpenAPIRenderPlugin):
    """`/schema`: operations, forms and problems as one page of plain HTML."""

    def render(self, _: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page."""
        return page(exact(openapi_schema)).encode()


def page(document: dict[str, Any]) -> str:
    """Return the document for people: no script, nothing loaded from elsewhere."""
    operations = "".join(
        _operation(method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    )
    forms = "".join(_form(name, form) for name, form in sorted(document["components"]["schemas"].items()))
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code><td>{kind.status}<td>{escape(kind.title)}<td>{_prose(kind.remedy)}'
        for code, kind in KINDS.items()
    )
    title = escape(document["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{_prose(document['info']['description'])}"
        f'<p>The same for programs: <a href="{PAGE}/openapi.json">OpenAPI 3.1</a>.'
        f"<h2>Operations</h2>{operations}<h2>Forms</h2>{forms}"
        f"<h2>Problems</h2><table><tr><th>code<th>status<th>title<th>what to do{rows}</table></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(one['name'])}</code> ({one['in']}{', required' if one.get('required') else ''})"
        f" {_prose(one.get('description') or '')}"
        for one in operation.get("parameters") or ()
    )
    body = _references(operation.get("requestBody") or {})
    answers = "".join(
        f"<li>{status} {_prose(answer['description'])} {_references(answer)}"
        for status, answer in operation["responses"].items()
    )
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><code>{method.upper()} {escape(path)}</code>'
        f" {escape(operation.get('summary') or '')}</summary><p>{_prose(operation.get('description') or '')}"
        f"{f'<p>Takes {body}' if body else ''}<ul>{parameters}{answers}</ul></details>"
    )


def _references(part: dict[str, Any]) -> str:
    schemas = [medium.get("schema") or {} for medium in (part.get("content") or {}).values()]
    names = [schema["$ref"].rpartition("/")[2] for schema in schemas if "$ref" in schema]
    return ", ".join(f'<a href="#{escape(name)}"><code>{escape(name)}</code></a>' for name in names)


def _form(name: str, form: dict[str, Any]) -> str:
    text = msgspec.json.format(msgspec.json.encode(form), indent=2).decode()
    about = form.get("description", "").partition("\n")[0]
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> {_prose(about)}</summary>'
        f"<pre>{escape(text)}</pre></details>"
    )


def _prose(text: str) -> str:
    """Return escaped text with what stands in backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


async def _missing_as_problem(response: Response[Any]) -> Response[Any]:
    return no_such_path(f"{PAGE}/…") if response.status_code == HTTPStatus.NOT_FOUND else response


def document_config() -> OpenAPIConfig:
    """Return how one application serves its document."""
    return OpenAPIConfig(
        title="Rewards",
        version=__version__,
        description=_ABOUT,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        use_handler_docstrings=True,
        render_plugins=[SchemaPage(path="/"), SchemaJson()],
        openapi_router=Router(PAGE, route_handlers=[], include_in_schema=False, after_request=_missing_as_problem),
    )
