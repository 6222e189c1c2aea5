"""What can go wrong, in the words of the domain: no status codes, no sockets.

Every message is one sentence for a person: what was wrong, where, and what to do.
`handlers/base.py` holds the one table that turns these into HTTP statuses and close codes.
"""


class SemantikError(Exception):
    """Base of every expected error; `str(error)` may be shown to a user."""


class Invalid(SemantikError):
    """The request or setting is malformed or out of range."""


class Unauthorized(SemantikError):
    """Nobody is signed in, or the token is bad, expired or revoked."""


class Forbidden(SemantikError):
    """Somebody is signed in, and may not do this."""


class NotFound(SemantikError):
    """There is no such thing, or the asker may not know that it exists."""


class Conflict(SemantikError):
    """The thing exists already, or its present state does not allow this."""


class Busy(SemantikError):
    """A limit is reached; the same request may succeed later."""


class Unavailable(SemantikError):
    """A store or the pool cannot be reached at the moment; try again in `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: int = 2) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DiskFull(Unavailable):
    """A store's disk takes nothing more; everything goes on once somebody has made room."""

    def __init__(self, store: str) -> None:
        super().__init__(
            f"The disk of {store} is full: make room there. What waits for it then goes on by itself.", 30
        )


class ConfigError(SemantikError):
    """A setting is wrong: the message has its name, its value and what is allowed."""


class LeaseLost(SemantikError):
    """Another instance has taken the operation over: stop writing."""
