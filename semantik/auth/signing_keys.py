"""The keys that sign tokens, and how they are replaced. Runs on the loop.

A new key signs only after every server has had time to load it, and the keys before it verify until no token that
they have signed can still be valid. So a rotation refuses no token that is good.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from semantik.config.settings import AuthSettings
from semantik.core.errors import Conflict
from semantik.core.models import SigningKey, now
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.auth")

_PUBLISHED_FOR = timedelta(seconds=60)  # before a key signs; servers load the keys more often


class SigningKeys:
    """The keys of `auth.secret` and `auth.previous_secret`, or those that MongoDB holds for all servers."""

    def __init__(self, store: Store, limits: Callable[[], AuthSettings]) -> None:
        self._store = store
        self._limits = limits
        given = (limits().secret, limits().previous_secret)
        self._given = [_given_key(value) for value in given if value] if given[0] else []
        self._keys = self._given

    @property
    def current(self) -> SigningKey:
        """The key that signs: the newest that every server has."""
        if self._given:
            return self._given[0]
        moment = now() - _PUBLISHED_FOR
        return next((key for key in reversed(self._keys) if key.created_at <= moment), self._keys[0])

    def candidates(self, key_id: str | None) -> list[SigningKey]:
        """The keys that may have signed a token that names this key; without a name, all of them."""
        return [key for key in self._keys if key_id in (key.id, None)]

    async def load(self) -> None:
        """Read the keys from MongoDB; creates the first one."""
        if self._given:
            return
        keys = await self._store.signing_keys.all()
        if not keys:
            await self._store.signing_keys.add_first(now())
            keys = await self._store.signing_keys.all()
        self._keys = keys

    async def maintain(self) -> None:
        """Load the keys, replace the newest when it is due, and remove those whose tokens have all expired."""
        await self.load()
        if self._given:
            return
        limits, moment = self._limits(), now()
        newest = self._keys[-1]
        if limits.rotate_secret_s and moment - newest.created_at > timedelta(seconds=limits.rotate_secret_s):
            await self.rotate()
        lifetime = _PUBLISHED_FOR + timedelta(seconds=limits.session_s)
        followed = zip(self._keys, self._keys[1:], strict=False)
        retired = [key.id for key, successor in followed if moment - successor.created_at > lifetime]
        if retired:
            await self._store.signing_keys.remove(retired)
            await self.load()

    async def rotate(self) -> None:
        """Add a key that will sign from soon on. Raises Conflict where `auth.secret` is set."""
        if self._given:
            raise Conflict(
                "auth.secret is set: give it a new value, and the old one to auth.previous_secret, "
                "on every server, and restart them."
            )
        await self.load()
        with suppress(Conflict):  # another server has just added one
            await self._store.signing_keys.add_after(self._keys[-1], now())
            log.info("tokens get a new signing key")
        await self.load()

    async def revoke_old(self) -> None:
        """Rotate, and refuse from now on every token that another key than the new one has signed."""
        await self.rotate()
        await self._store.signing_keys.remove([key.id for key in self._keys[:-1]])
        await self.load()


def _given_key(value: str) -> SigningKey:
    # The id shows nothing of a key that has the entropy of one.
    return SigningKey(hashlib.sha256(b"semantik key id:" + value.encode()).hexdigest()[:8], value, now())
