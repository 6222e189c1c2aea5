"""The sockets that the server listens on, and its URL. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import socket

from tornado.netutil import bind_sockets

from semantik.core.errors import ConfigError


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket]]:
    """The listening sockets, one for each address of `host`, closed on exit. Raises ConfigError if that fails."""
    try:
        sockets = bind_sockets(port, host)
    except OSError as error:
        raise ConfigError(
            f"Port {port} of {host} cannot be listened on: {error.strerror or error}. "
            "Choose another with --port (0 takes a free one) or --host."
        ) from error
    with ExitStack() as stack:
        for each in sockets:
            stack.callback(each.close)
        yield sockets


def can_listen(host: str, port: int) -> bool:
    """Whether the port is free at present."""
    try:
        with listening(host, port):
            return True
    except ConfigError:
        return False


def server_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
