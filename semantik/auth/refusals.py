"""Counts refusals that repeat, so that nobody can fill the audit trail by being refused. Runs on the loop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from semantik.core.models import AuditEvent

FURTHER = "access.further_refusals"  # the action of refusals that were counted only
_WINDOW_S = 60.0
_PER_ADDRESS = 20  # different refusals of one address in a window


@dataclass
class _Seen:
    event: AuditEvent
    repeated: int = 0


class RefusalCounter:
    """In each minute the first of equal refusals is recorded at once, and the others as one event with their number.

    `limit()` bounds the different refusals of a minute. `clock()` is in seconds.
    """

    def __init__(self, limit: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._began = clock()
        self._seen: dict[tuple[object, ...], _Seen] = {}
        self._different: Counter[str] = Counter()
        self._further: dict[str, _Seen] = {}  # by address; those of too many addresses by ""

    def admit(self, event: AuditEvent) -> bool:
        """Whether a refusal is to be recorded; else it is counted."""
        key = (event.action, event.user_id, event.address, event.target, str(dict(event.details)))
        if key in self._seen:
            self._seen[key].repeated += 1
            return False
        if len(self._seen) < self._limit() and self._different[event.address] < _PER_ADDRESS:
            self._different[event.address] += 1
            self._seen[key] = _Seen(event)
            return True
        address = event.address if event.address in self._different else ""
        further = self._further.setdefault(address, _Seen(_anonymous(event, address)))
        further.repeated += 1
        return False

    def ended(self, *, stopping: bool = False) -> list[AuditEvent]:
        """The events that hold the counts of a minute that is over, or of the current one when the server stops."""
        if not stopping and self._clock() - self._began < _WINDOW_S:
            return []
        counted = [one for one in (*self._seen.values(), *self._further.values()) if one.repeated]
        self._began = self._clock()
        self._seen.clear()
        self._different.clear()
        self._further.clear()
        return [
            replace(one.event, details={**one.event.details, "repeated": one.repeated}) for one in counted
        ]


def _anonymous(event: AuditEvent, address: str) -> AuditEvent:
    return replace(
        event,
        action=FURTHER,
        user_id=None,
        username="",
        credential="",
        address=address,
        request_id="",
        target="",
        details={},
    )
