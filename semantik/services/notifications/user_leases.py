"""The right to make the alerts of users: one server at a time holds it for a user. Runs on the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from semantik.core.models import new_id
from semantik.storage.mongo import Store

_RENEWALS = 3  # in the time of a lease


@dataclass
class UserLease:
    """`number` is the last one that was given to an alert of the user."""

    user_id: str
    token: str
    number: int
    renewed_at: float


class UserLeases:
    """Those of one round; `lease_s()` is how long one lasts without a renewal, operations.lease_s."""

    def __init__(self, store: Store, lease_s: Callable[[], float]) -> None:
        self._store = store
        self._lease_s = lease_s
        self._held: dict[str, UserLease] = {}

    def get(self, user_id: str) -> UserLease | None:
        """None where another server holds it, or has taken it."""
        return self._held.get(user_id)

    async def claim(self, user_id: str) -> bool:
        token = new_id()
        number = await self._store.alerts.claim(user_id, token, self._lease_s())
        if number is None:
            return False
        self._held[user_id] = UserLease(user_id, token, number, time.monotonic())
        return True

    async def renew(self) -> None:
        """Renew what is due; a lease that was lost is held no more."""
        due = time.monotonic() - self._lease_s() / _RENEWALS
        for lease in [each for each in self._held.values() if each.renewed_at <= due]:
            number = await self._store.alerts.claim(lease.user_id, lease.token, self._lease_s())
            if number is None:
                self.drop(lease.user_id)
            lease.renewed_at = time.monotonic()

    def drop(self, user_id: str) -> None:
        """Another server has it."""
        self._held.pop(user_id, None)

    async def release(self) -> None:
        for lease in self._held.values():
            await self._store.alerts.release(lease.user_id, lease.token)
        self._held.clear()
