"""Which failed requests are sent again, and when. Pure."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from semantik.core.errors import SemantikError, Unavailable

_LONGEST_PAUSE_S = 5.0
# A proxy answers 502 and 504 while the server restarts.
_TEMPORARY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


class Refused(SemantikError):
    """The server refused: `status` is the HTTP status or the close code, the message is the server's.

    `problem` is the type of a problem document, such as "second_factor_required"; `retry_after_s` is None where the
    server did not say when to try again.
    """

    def __init__(
        self, status: int, detail: str, problem: str = "about:blank", retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = problem
        self.retry_after_s = retry_after_s


class NotSent(Unavailable):
    """No connection was made, so the server knows nothing of the request."""


@dataclass(frozen=True)
class Retries:
    """At most `attempts` for a call, with at most `patience_s` seconds of pauses between them; 1: no retries."""

    attempts: int = 4
    patience_s: float = 30.0
    first_pause_s: float = 0.25

    def pause(self, error: SemantikError, repeatable: bool, attempts: int, waited_s: float) -> float | None:
        """Seconds to wait after so many attempts before the next one; None: the error is final.

        A request that is not `repeatable` is sent again only if the server cannot have executed it: it was not
        reached, or refused by a limit (429).
        """
        if attempts >= self.attempts or not _may_help(error, repeatable):
            return None
        pause = min(_LONGEST_PAUSE_S, self.first_pause_s * 2.0 ** (attempts - 1)) * random.uniform(0.5, 1.0)
        if isinstance(error, Refused) and error.retry_after_s is not None:
            pause = max(pause, error.retry_after_s)
        return pause if waited_s + pause <= self.patience_s else None


def _may_help(error: SemantikError, repeatable: bool) -> bool:
    if isinstance(error, Refused):
        return error.status == HTTPStatus.TOO_MANY_REQUESTS or (repeatable and error.status in _TEMPORARY)
    return isinstance(error, NotSent) or (repeatable and isinstance(error, Unavailable))


def retry_after_s(header: str | None) -> float | None:
    """The header `Retry-After`: seconds or a date; None where it is neither."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
