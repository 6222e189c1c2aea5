"""API keys: how they are made, recognised and revoked, and what the scopes are. Runs on the loop.

A key reads `semantik_<its id, 16 hexadecimal digits>_<its secret, 64>`: one word, which scanners find by its form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from semantik.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from semantik.core.models import API_KEY_SCOPES, ApiKey, ApiKeyScope, User, now
from semantik.storage.mongo import Store

REVOKED = "The API key is not known; it may have been revoked."
EXPIRED = "The API key has expired; make a new one."

_PREFIX = "semantik_"
_FORM = re.compile(_PREFIX + "([0-9a-f]{16})_([0-9a-f]{64})")
_ID_BYTES, _SECRET_BYTES = 8, 32
_MOST_KEYS = 100  # of a user
_MAX_NAME = 200
_REMEMBER_S = 1.0  # a key that another server has revoked is refused after this long at the latest
_REMEMBER_MAX = 10_000
_USE_NOTED = timedelta(minutes=1)  # a use so soon after the last one is not noted


@dataclass(frozen=True)
class NewKey:
    """A key that was made just now; `text` is the whole of it, and is kept nowhere."""

    key: ApiKey
    text: str


def is_api_key(token: str) -> bool:
    """Whether this is, or was meant to be, an API key."""
    return token.startswith(_PREFIX)


def prefix_of(key: ApiKey) -> str:
    """What of a key may be shown, so that a person finds it again."""
    return f"{_PREFIX}{key.id}_"


class ApiKeyService:
    """The keys of all users."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: dict[str, tuple[float, ApiKey, User]] = {}

    async def make(
        self, user: User, name: str, scopes: Sequence[ApiKeyScope], life: timedelta | None
    ) -> NewKey:
        """Make a key that is good for `life`, or for ever. Raises Invalid, Forbidden or Conflict."""
        name = name.strip()
        if not name or len(name) > _MAX_NAME or not name.isprintable():
            raise Invalid(f"The key's name must have 1 to {_MAX_NAME} printable characters.")
        if not scopes:
            raise Invalid(f"The key needs at least one of the scopes {', '.join(API_KEY_SCOPES)}.")
        granted = API_KEY_SCOPES[: max(map(API_KEY_SCOPES.index, scopes)) + 1]
        if "admin" in granted and not user.is_admin:
            raise Forbidden("Only an administrator may give a key the scope admin.")
        if len(await self._store.api_keys.of_user(user.id)) >= _MOST_KEYS:
            raise Conflict(f"You have {_MOST_KEYS} API keys, which is the most; revoke one first.")
        secret = secrets.token_hex(_SECRET_BYTES)
        moment = now()
        key = ApiKey(
            id=secrets.token_hex(_ID_BYTES),
            user_id=user.id,
            name=name,
            secret_hash=_digest(secret),
            scopes=granted,
            created_at=moment,
            expires_at=None if life is None else moment + life,
        )
        await self._store.api_keys.add(key)
        return NewKey(key, prefix_of(key) + secret)

    async def of_user(self, user: User) -> list[ApiKey]:
        """The user's keys, the oldest first; expired ones too."""
        return await self._store.api_keys.of_user(user.id)

    async def revoke(self, user: User, key_id: str) -> None:
        """Refuse a key of the user's from now on. Raises NotFound."""
        removed = await self._store.api_keys.remove(user.id, key_id)
        if not removed:
            raise NotFound(f"There is no API key {key_id}.")
        self._recent.pop(key_id, None)

    async def recognise(self, text: str) -> tuple[ApiKey, User]:
        """The key that this text is, and whose it is. Raises Unauthorized with the reason."""
        form = _FORM.fullmatch(text)
        if form is None:
            raise Unauthorized("The API key is not valid; copy the whole of it.")
        key_id, secret = form.groups()
        remembered = self._remembered(key_id)
        key, user = remembered or await self._look_up(key_id)
        if key is None or not hmac.compare_digest(key.secret_hash, _digest(secret)):
            raise Unauthorized(REVOKED)
        if key.expires_at is not None and key.expires_at <= now():
            raise Unauthorized(EXPIRED)
        if user is None or user.disabled:
            raise Unauthorized("The user is disabled.")
        if remembered is None:
            self._remember(await self._used(key), user)
        return key, user

    async def _look_up(self, key_id: str) -> tuple[ApiKey | None, User | None]:
        key = await self._store.api_keys.get(key_id)
        return key, None if key is None else await self._store.users.get(key.user_id)

    async def _used(self, key: ApiKey) -> ApiKey:
        moment = now()
        if key.last_used_at is not None and moment - key.last_used_at < _USE_NOTED:
            return key
        await self._store.api_keys.record_use(key, moment)
        return replace(key, last_used_at=moment)

    def _remembered(self, key_id: str) -> tuple[ApiKey, User] | None:
        known = self._recent.get(key_id)
        return known[1:] if known is not None and time.monotonic() < known[0] else None

    def _remember(self, key: ApiKey, user: User) -> None:
        if len(self._recent) >= _REMEMBER_MAX:
            self._recent.clear()
        self._recent[key.id] = (time.monotonic() + _REMEMBER_S, key, user)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
