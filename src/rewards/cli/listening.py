"""The HTTP server for commands: an address of this machine, taken before anything else is done.

What does not live here: the application (`rewards.api`).
"""

from __future__ import annotations

import errno
import ipaddress
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread, current_thread, main_thread

import uvicorn

from rewards.api.app import create_app
from rewards.errors import InvalidRequest, TryAgain
from rewards.service.service import Service

_STARTING_S = 20.0


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address of this machine; port 0 takes a free one.

    Raises `InvalidRequest` for another address (there are no keys yet, so whoever
    reaches the server may do everything) and for a port that is taken.
    """
    _demand_loopback(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise _refused(error, host, port) from None
    listening.listen(2048)
    return listening


def _demand_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        message = f"`{host}` can be reached from elsewhere, and there are no API keys yet; use `--host 127.0.0.1`"
        raise InvalidRequest("bad-setting", message)


def _refused(error: OSError, host: str, port: int) -> InvalidRequest:
    if error.errno == errno.EADDRINUSE:
        return InvalidRequest(
            "port-in-use", f"port {port} is in use; choose another with `--port`, or any with `--port 0`"
        )
    return InvalidRequest(
        "address-unusable", f"can't listen on {host} port {port}: {(error.strerror or str(error)).lower()}"
    )


@contextmanager
def until_stopped() -> Iterator[None]:
    """End the block quietly at Ctrl-C or SIGTERM, so that what is open is closed."""
    mine = current_thread() is main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if mine else None
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        if mine:
            signal.signal(signal.SIGTERM, before)


def address(listening: socket.socket) -> str:
    """Return the server's URL."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server(service: Service, log_level: str = "warning") -> uvicorn.Server:
    """Return a server over a service; it closes neither the service nor its sockets."""
    config = uvicorn.Config(create_app(service), log_level=log_level, access_log=log_level == "debug", lifespan="on")
    return uvicorn.Server(config)


@contextmanager
def background(service: Service, listening: socket.socket) -> Iterator[None]:
    """Run a server beside the caller, in a thread, until the block ends; raise `TryAgain` if it does not start."""
    running = server(service)
    thread = Thread(target=running.run, kwargs={"sockets": [listening]}, name="server", daemon=True)
    thread.start()
    try:
        _await(running, thread)
        yield
    finally:
        running.should_exit = True
        thread.join(_STARTING_S)


def _await(running: uvicorn.Server, thread: Thread) -> None:
    until = time.monotonic() + _STARTING_S
    while not running.started:
        if time.monotonic() > until or not thread.is_alive():
            raise TryAgain("not-started", "the server did not start")
        time.sleep(0.01)
