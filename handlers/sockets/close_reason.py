"""Why a connection ends: the codes of a WebSocket's close, and the one table that maps errors to them."""

from __future__ import annotations

from typing import NamedTuple

from tornado.web import HTTPError

from handlers.sockets.send_queue import SlowReader
from semantik.core import errors

NORMAL, GOING_AWAY, NOT_TEXT, REFUSED, TOO_LONG, FAULT, LATER = 1000, 1001, 1007, 1008, 1009, 1011, 1013


class CloseReason(NamedTuple):
    """Why a connection is closed: its code and reason, and how the metrics call it."""

    code: int
    reason: str
    status: str


_ENDINGS: dict[type[Exception], tuple[int, str]] = {
    SlowReader: (LATER, "slow"),
    errors.Busy: (LATER, "limited"),
    errors.Unavailable: (LATER, "unavailable"),
    errors.SemantikError: (REFUSED, "refused"),
    HTTPError: (REFUSED, "refused"),
}
LEFT = CloseReason(NORMAL, "", "left")


def reason_for(error: BaseException | None) -> CloseReason:
    """How a connection ends after this error, or with everything sent."""
    if error is None:
        return CloseReason(NORMAL, "The operation has ended.", "completed")
    for kind, (code, status) in _ENDINGS.items():
        if isinstance(error, kind):
            told = error.reason or error.log_message if isinstance(error, HTTPError) else None
            return CloseReason(code, str(told or error), status)
    return CloseReason(FAULT, "Something went wrong in the server.", "failed")


def going_away() -> CloseReason:
    return CloseReason(GOING_AWAY, "The server is shutting down; connect again.", "shutdown")
