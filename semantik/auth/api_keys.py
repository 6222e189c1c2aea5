"""API keys: how they are created, checked and revoked, and their scopes. Runs on the loop.

A key is `semantik_<id, 16 hexadecimal digits>_<secret, 64 of them>`: one word of a form that secret scanners find.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from semantik.config.settings import AuthSettings
from semantik.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from semantik.core.models import API_KEY_SCOPES, ApiKey, ApiKeyScope, User, now
from semantik.storage.mongo import Store

REVOKED = "The API key is not known; it may have been revoked."
EXPIRED = "The API key has expired; create a new one."

_PREFIX = "semantik_"
_PATTERN = re.compile(_PREFIX + "([0-9a-f]{16})_([0-9a-f]{64})")
_ID_BYTES, _SECRET_BYTES = 8, 32
_MAX_NAME = 200
_CACHE_S = 1.0  # a key that another server has revoked is refused after this time at the latest
_CACHE_SIZE = 10_000
_USE_INTERVAL = timedelta(minutes=1)  # the last use is stored to this precision


@dataclass(frozen=True)
class NewKey:
    """A new key; `text` is the key itself, secret included, which is not stored anywhere."""

    key: ApiKey
    text: str


def is_api_key(token: str) -> bool:
    """Whether this has the prefix of an API key, valid or not."""
    return token.startswith(_PREFIX)


def prefix_of(key: ApiKey) -> str:
    """The part of a key that may be shown, so that its owner can identify it."""
    return f"{_PREFIX}{key.id}_"


class ApiKeyService:
    """Creates, checks and revokes the keys of all users."""

    def __init__(self, store: Store, limits: Callable[[], AuthSettings]) -> None:
        self._store = store
        self._limits = limits
        self._recent: dict[str, tuple[float, ApiKey, User]] = {}

    async def create(
        self,
        user: User,
        name: str,
        scopes: Sequence[ApiKeyScope],
        lifetime: timedelta | None,
        collections: Sequence[str] | None = None,
    ) -> NewKey:
        """Create a key that is valid for `lifetime` (None: for ever). Raises Invalid, Forbidden or Conflict.

        `collections` are the ids of those that it is good for, which the user may see; None: all, now and later.
        """
        name = name.strip()
        if not name or len(name) > _MAX_NAME or not name.isprintable():
            raise Invalid(f"The key's name must have 1 to {_MAX_NAME} printable characters.")
        if not scopes:
            raise Invalid(f"The key needs at least one of the scopes {', '.join(API_KEY_SCOPES)}.")
        granted = API_KEY_SCOPES[: max(map(API_KEY_SCOPES.index, scopes)) + 1]
        if "admin" in granted and not user.is_admin:
            raise Forbidden("Only an administrator may give a key the scope admin.")
        if collections is not None and not collections:
            raise Invalid("The key needs at least one collection; null stands for all.")
        if collections is not None and "admin" in granted:
            raise Invalid("A key with the scope admin is good for the whole server; leave collections out.")
        most = self._limits().api_keys_per_user
        if len(await self._store.api_keys.of_user(user.id)) >= most:
            raise Conflict(f"You have {most} API keys, which is the limit; revoke one first.")
        secret = secrets.token_hex(_SECRET_BYTES)
        moment = now()
        key = ApiKey(
            id=secrets.token_hex(_ID_BYTES),
            user_id=user.id,
            name=name,
            secret_hash=_digest(secret),
            scopes=granted,
            created_at=moment,
            expires_at=None if lifetime is None else moment + lifetime,
            collections=None if collections is None else tuple(dict.fromkeys(collections)),
            credentials_version=user.credentials_version,
        )
        await self._store.api_keys.add(key)
        return NewKey(key, prefix_of(key) + secret)

    async def of_user(self, user: User) -> list[ApiKey]:
        """The user's keys, the oldest first, expired ones included."""
        return await self._store.api_keys.of_user(user.id)

    async def revoke(self, user: User, key_id: str) -> None:
        """Revoke a key of the user. Raises NotFound."""
        removed = await self._store.api_keys.remove(user.id, key_id)
        if not removed:
            raise NotFound(f"There is no API key {key_id}.")
        self._recent.pop(key_id, None)

    async def revoke_all(self, user: User) -> None:
        """Revoke every key of the user."""
        await self._store.api_keys.remove_of(user.id)
        self.forget_user(user.id)

    def forget_user(self, user_id: str) -> None:
        """Check the user's keys anew: their account has changed."""
        self._recent = {key: entry for key, entry in self._recent.items() if entry[1].user_id != user_id}

    async def authenticate(self, text: str) -> tuple[ApiKey, User]:
        """The key with this text, and its user. Raises Unauthorized with the reason."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise Unauthorized("The API key is not valid; copy the whole of it.")
        key_id, secret = match.groups()
        cached = self._cached(key_id)
        key, user = cached or await self._load(key_id)
        if key is None or not hmac.compare_digest(key.secret_hash, _digest(secret)):
            raise Unauthorized(REVOKED)
        if key.expires_at is not None and key.expires_at <= now():
            raise Unauthorized(EXPIRED)
        if user is None or user.disabled:
            raise Unauthorized("The user is disabled.")
        if key.credentials_version < user.oldest_key_version:
            raise Unauthorized(REVOKED)
        if cached is None:
            self._cache(await self._note_use(key), user)
        return key, user

    async def _load(self, key_id: str) -> tuple[ApiKey | None, User | None]:
        key = await self._store.api_keys.get(key_id)
        return key, None if key is None else await self._store.users.get(key.user_id)

    async def _note_use(self, key: ApiKey) -> ApiKey:
        moment = now()
        if key.last_used_at is not None and moment - key.last_used_at < _USE_INTERVAL:
            return key
        await self._store.api_keys.record_use(key, moment)
        return replace(key, last_used_at=moment)

    def _cached(self, key_id: str) -> tuple[ApiKey, User] | None:
        entry = self._recent.get(key_id)
        return entry[1:] if entry is not None and time.monotonic() < entry[0] else None

    def _cache(self, key: ApiKey, user: User) -> None:
        if len(self._recent) >= _CACHE_SIZE:
            self._recent.clear()
        self._recent[key.id] = (time.monotonic() + _CACHE_S, key, user)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
