"""The one place that translates pymongo's errors into the domain's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from semantik.core.errors import Conflict, DiskFull, Unavailable

_DUPLICATE = 11000
_OUT_OF_DISK_SPACE = 14031
_DISK_FULL_TEXTS = ("disk is full", "No space left")  # SQLite's and the system's


@contextmanager
def translate_mongo_errors() -> Iterator[None]:
    """Turn pymongo's errors into Unavailable (try again) or Conflict (a unique key is taken)."""
    try:
        yield
    except DuplicateKeyError as error:
        raise Conflict("It exists already.") from error
    except (AutoReconnect, ExecutionTimeout, WTimeoutError) as error:
        raise Unavailable("MongoDB cannot be reached at the moment; please try again shortly.") from error
    except BulkWriteError as error:
        # The other fields contain the rows that were to be written, which must not get into a log.
        failures = [
            (e.get("code"), str(e.get("errmsg"))) for e in (error.details or {}).get("writeErrors", [])
        ]
        for code, reason in failures:
            if code != _DUPLICATE:
                raise _unavailable(code, reason) from None
        raise Conflict("It exists already.") from None
    except OperationFailure as error:
        raise _unavailable(error.code, str((error.details or {}).get("errmsg", error))) from error
    except PyMongoError as error:
        raise Unavailable(f"MongoDB answered with an error: {error}.") from error


def _unavailable(code: int | None, reason: str) -> Unavailable:
    if code == _OUT_OF_DISK_SPACE or any(text in reason for text in _DISK_FULL_TEXTS):
        return DiskFull("MongoDB")
    return Unavailable(f"MongoDB answered with an error: {reason.rstrip('.')}.")
