"""Why a connection is closed: the codes of a WebSocket's close, and the one table that maps errors to them."""

from __future__ import annotations

from typing import NamedTuple

from tornado.web import HTTPError

from handlers.sockets.send_queue import SlowReader
from semantik.core import errors

NORMAL, GOING_AWAY, NOT_TEXT, REFUSED, TOO_LONG, FAULT, LATER = 1000, 1001, 1007, 1008, 1009, 1011, 1013

_CODES: dict[type[Exception], tuple[int, str]] = {
    SlowReader: (LATER, "slow"),
    errors.Busy: (LATER, "limited"),
    errors.Unavailable: (LATER, "unavailable"),
    errors.SemantikError: (REFUSED, "refused"),
    HTTPError: (REFUSED, "refused"),
}


class CloseReason(NamedTuple):
    """The code and the reason that the client gets, and the status that the metrics count."""

    code: int
    reason: str
    status: str

    @classmethod
    def from_error(cls, error: BaseException) -> CloseReason:
        for kind, (code, status) in _CODES.items():
            if isinstance(error, kind):
                reason = error.reason or error.log_message if isinstance(error, HTTPError) else None
                return cls(code, str(reason or error), status)
        return cls(FAULT, "Something went wrong in the server.", "failed")


COMPLETED = CloseReason(NORMAL, "The operation has ended.", "completed")
LEFT = CloseReason(NORMAL, "", "left")
SHUTDOWN = CloseReason(GOING_AWAY, "The server is shutting down; connect again.", "shutdown")
