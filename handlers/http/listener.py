"""Accepts connections. When the process has no descriptor left, it pauses instead of failing. Runs on the loop."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import SHUT_WR, socket
from typing import Any

from handlers.http.limited_log import LimitedLog

_AT_ONCE = 128  # connections accepted before other work on the loop gets its turn
_PAUSE_S = 0.25
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_MAX_UNREAD = 1 << 16

log = logging.getLogger("semantik.http")


class Listener:
    """Passes accepted sockets and their addresses to `on_connection`; `make_room` frees a descriptor if it can."""

    def __init__(
        self,
        sockets: Sequence[socket],
        on_connection: Callable[[socket, Any], None],
        make_room: Callable[[], bool],
    ) -> None:
        self._sockets = list(sockets)
        self._on_connection = on_connection
        self._make_room = make_room
        self._loop = asyncio.get_running_loop()
        self._warnings = LimitedLog(log)

    def start(self) -> None:
        for each in self._sockets:
            self._loop.add_reader(each, self._accept, each)

    def stop(self) -> None:
        """Accept no more, and close the listening sockets."""
        for each in self._sockets:
            self._loop.remove_reader(each)
            each.close()
        self._sockets.clear()

    def _accept(self, listening: socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, address = listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._pause(listening, error)
                return
            accepted.setblocking(False)
            self._on_connection(accepted, address)

    def _pause(self, listening: socket, error: OSError) -> None:
        self._warnings.warn("No connection can be accepted at the moment: %s", error.strerror)
        self._make_room()
        self._loop.remove_reader(listening)
        self._loop.call_later(_PAUSE_S, self._resume, listening)

    def _resume(self, listening: socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)


def refuse(accepted: socket, answer: bytes) -> None:
    """Send `answer` to a connection that is not served, as far as that is possible without waiting, and close it."""
    with accepted, suppress(OSError):
        with suppress(BlockingIOError):
            accepted.recv(_MAX_UNREAD)  # what is left unread would make the kernel drop the answer
        accepted.send(answer)
        accepted.shutdown(SHUT_WR)
