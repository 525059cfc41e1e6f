"""The application: routes, strict requests and problem documents put together over one service.

What does not live here: listening on an address (`rewards.cli`), and opening
and closing the service, which whoever passes it does.
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Router
from litestar.connection import Request
from litestar.datastructures import State
from litestar.di import Provide

from rewards.api.card_routes import CARDS
from rewards.api.document import document_config
from rewards.api.hold_routes import HOLDS
from rewards.api.policy_routes import POLICY
from rewards.api.problems import HANDLERS
from rewards.api.routes import HEALTH, V1
from rewards.api.wire import MOST_BYTES, StrictRequest
from rewards.errors import RewardsError
from rewards.service.service import Service

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def create_app(service: Service, *, loopback_only: bool = True) -> Litestar:
    """Return the application over an open service, which it does not close.

    `loopback_only`: only requests whose `Host` is this machine are answered, so
    that no page in a browser can reach an open server by a name of its own.
    """

    async def provide_service() -> Service:
        return service

    return Litestar(
        route_handlers=[Router("/v1", route_handlers=(*V1, *CARDS, *HOLDS, *POLICY)), *HEALTH],
        dependencies={"service": Provide(provide_service)},
        before_request=_only_loopback if loopback_only else None,  # a guard would copy the handler every time
        request_class=StrictRequest,
        request_max_body_size=MOST_BYTES,
        exception_handlers=HANDLERS,
        openapi_config=document_config(),
        logging_config=None,
    )


async def _only_loopback(request: Request[Any, Any, State]) -> None:
    host = next((value for name, value in request.scope["headers"] if name == b"host"), b"").decode("latin-1")
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name.lower() not in _LOOPBACK:
        raise RewardsError("host-not-allowed", f"this server is open and does not answer to `{host[:100]}`")
