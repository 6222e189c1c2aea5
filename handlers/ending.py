"""Why a connection ends: the codes of a WebSocket's close, and the one table that maps errors to them."""

from __future__ import annotations

from typing import NamedTuple

from tornado.web import HTTPError

from handlers.outbox import SlowReader
from semantik import errors

NORMAL, GOING_AWAY, NOT_TEXT, REFUSED, TOO_LONG, FAULT, LATER = 1000, 1001, 1007, 1008, 1009, 1011, 1013


class Ending(NamedTuple):
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
LEFT = Ending(NORMAL, "", "left")


def why_ended(error: BaseException | None) -> Ending:
    """How a connection ends after this error, or with everything sent."""
    if error is None:
        return Ending(NORMAL, "The operation has ended.", "completed")
    for kind, (code, status) in _ENDINGS.items():
        if isinstance(error, kind):
            told = error.reason or error.log_message if isinstance(error, HTTPError) else None
            return Ending(code, str(told or error), status)
    return Ending(FAULT, "Something went wrong in the server.", "failed")


def going_away() -> Ending:
    return Ending(GOING_AWAY, "The server is shutting down; connect again.", "shutdown")
