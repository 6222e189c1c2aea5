"""The domain's errors: no status codes, no sockets. Pure.

Every message is one sentence for a person: what was wrong, where, and what to do.
`handlers/base.py` has the one table that maps them to HTTP statuses and close codes.
"""


class SemantikError(Exception):
    """Base of every expected error; `str(error)` may be shown to a user."""


class Invalid(SemantikError):
    """The request or setting is malformed or out of range."""


class Unauthorized(SemantikError):
    """No user is signed in, or the token is invalid, expired or revoked."""


class SecondFactorRequired(Unauthorized):
    """The password is right, and the user has a second factor: send its code, too."""


class Forbidden(SemantikError):
    """The user is known, but not allowed to do this."""


class NotFound(SemantikError):
    """It does not exist, or the user may not know that it exists."""


class Conflict(SemantikError):
    """It exists already, or its current state does not allow this."""


class TooLarge(SemantikError):
    """What was sent has more bytes than it may have."""


class Busy(SemantikError):
    """A limit is reached; the same request may succeed in `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(SemantikError):
    """A store or the pool cannot be reached at the moment; retry in `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: int = 2) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DiskFull(Unavailable):
    """A store's disk is full; work continues by itself once there is free space."""

    def __init__(self, store: str) -> None:
        super().__init__(
            f"The disk of {store} is full: make room there. What waits for it then goes on by itself.", 30
        )


class EngineAway(Unavailable):
    """The search engine that holds the vectors does not answer or refuses; what waits for it goes on by itself."""


class ConfigError(SemantikError):
    """A setting is invalid: the message has its name, its value and what is allowed."""


class LeaseLost(SemantikError):
    """Another server has taken the operation over: stop writing."""
