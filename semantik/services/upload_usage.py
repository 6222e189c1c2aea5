"""How much each user has uploaded: counted once, and then kept up to date for a while. Runs on the loop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from semantik.config.upload_settings import UploadSettings
from semantik.core.errors import Busy, TooLarge
from semantik.storage.mongo.uploads import UploadTable

_KNOWN_S = 60.0  # what other servers receive is known after this time
_MAX_USERS = 10_000


class UploadUsage:
    """`limits()` are the current settings."""

    def __init__(self, uploads: UploadTable, limits: Callable[[], UploadSettings]) -> None:
        self._uploads = uploads
        self._limits = limits
        self._known: dict[str, list[float]] = {}  # until when, bytes, unfinished uploads
        self._requests: Counter[str] = Counter()

    async def check(self, user_id: str, more_bytes: int) -> None:
        """Raises TooLarge when the user has no room for so many more bytes."""
        quota = self._limits().quota_bytes
        if quota:
            _, used, _ = await self._of(user_id)
            if used + more_bytes > quota:
                raise TooLarge(
                    f"Your uploads have {used:,.0f} bytes and may have {quota:,} (uploads.quota_bytes): "
                    "remove some first."
                )

    async def check_unfinished(self, user_id: str) -> None:
        """Raises Busy when the user has begun too many uploads."""
        limit = self._limits().unfinished
        _, _, unfinished = await self._of(user_id)
        if unfinished >= limit:
            raise Busy(
                f"You have {limit} unfinished uploads (uploads.unfinished): finish or remove some.", 60
            )

    def add(self, user_id: str, more_bytes: int, unfinished: int = 0) -> None:
        """Note what changes a user's sums."""
        if known := self._known.get(user_id):
            known[1] += more_bytes
            known[2] += unfinished

    def begin_request(self, user_id: str) -> None:
        """Count a request with files; `end_request` must follow. Raises Busy."""
        limit = self._limits().concurrent
        if self._requests[user_id] >= limit:
            raise Busy(f"You send {limit} requests with files at the same time (uploads.concurrent).", 1)
        self._requests[user_id] += 1

    def end_request(self, user_id: str) -> None:
        self._requests[user_id] -= 1
        if not self._requests[user_id]:
            del self._requests[user_id]

    async def _of(self, user_id: str) -> list[float]:
        known = self._known.get(user_id)
        if known is None or known[0] < time.monotonic():
            used, unfinished = await self._uploads.used(user_id)
            if len(self._known) >= _MAX_USERS:
                self._known.clear()
            known = self._known[user_id] = [time.monotonic() + _KNOWN_S, used, unfinished]
        return known
