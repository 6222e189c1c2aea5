"""Who somebody is: sessions and tokens. API keys stand in `api_keys.py`, what an account is in `accounts.py`, and what
they may do in `access.py`. Runs on the loop.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import jwt

from semantik.auth.accounts import AccountService
from semantik.auth.api_keys import EXPIRED, REVOKED, ApiKeyService, is_api_key
from semantik.auth.passwords import Passwords
from semantik.config import settings
from semantik.core.errors import Forbidden, Unauthorized
from semantik.core.models import API_KEY_SCOPES, ApiKeyScope, Session, User, new_id, now
from semantik.storage.mongo import Store

Scope = Literal[ApiKeyScope, "account"]

ACCOUNT: Final = (
    "account"  # the scope that sessions have and no API key can have: keys, passwords, signing out
)

_ALGORITHM = "HS256"
_ACCESS = "semantik"
_BROWSER = "semantik-browser"
_REMEMBER_S = 2.0  # a revoked token is refused after this long at the latest
_REMEMBER_MAX = 10_000
_WRONG = "The user name or the password is wrong."
_ENDED = "The session has ended; sign in again."
_DISABLED = "The user is disabled."


@dataclass(frozen=True)
class Principal:
    """Somebody who has shown who they are, until `expires_at` (None: for good), by a session or by an API key."""

    user: User
    credential_id: str  # the session's or the key's
    expires_at: datetime | None
    scopes: tuple[Scope, ...]

    @property
    def by_key(self) -> bool:
        return ACCOUNT not in self.scopes

    @property
    def expired(self) -> str:
        """What there is to say once `expires_at` has come."""
        return EXPIRED if self.by_key else "The token has expired; connect again with a new one."

    def need(self, scope: Scope) -> None:
        """Raises Forbidden when they came by an API key that has not this scope."""
        if scope in self.scopes:
            return
        if scope == ACCOUNT:
            raise Forbidden("An API key cannot do this; sign in with the password instead.")
        raise Forbidden(
            f"This needs an API key with the scope {scope}; this one has {', '.join(self.scopes)}."
        )


@dataclass(frozen=True)
class SignedIn:
    """What a sign-in gives: an access and a refresh token for programs, a cookie for the browser."""

    user: User
    access_token: str
    refresh_token: str
    expires_in_s: int
    cookie: str
    cookie_s: int


class SessionService:
    """Registers, signs in and recognises users. `rules()` are the settings of the moment; `secret` signs the tokens."""

    def __init__(self, store: Store, rules: Callable[[], settings.AuthSettings], secret: str) -> None:
        self.keys = ApiKeyService(store)
        self._store = store
        self._rules = rules
        self._secret = secret
        self._passwords = Passwords()
        self._accounts = AccountService(store, self._passwords)
        self._recent: dict[tuple[str, bool], tuple[float, Principal]] = {}
        self._nobody = ""

    async def needs_first_user(self) -> bool:
        return not await self._store.users.any()

    async def register(self, username: str, password: str, email: str | None = None) -> User:
        """Add a user; the first becomes the administrator. Raises Forbidden, Invalid or Conflict."""
        return await self._accounts.add(
            username, password, email, first_only=self._rules().registration != "open"
        )

    async def login(self, login: str, password: str) -> SignedIn:
        """Sign in by user name or e-mail address. Raises Unauthorized, the same for every reason."""
        user = await self._store.users.by_login(login)
        if user is None and not self._nobody:
            self._nobody = await self._passwords.hash(secrets.token_hex())
        # Unknown names take as long as known ones, so that names can't be guessed by the clock.
        good = await self._passwords.verify(user.password_hash if user else self._nobody, password)
        if user is None or user.disabled or not good:
            raise Unauthorized(_WRONG)
        refresh_token = secrets.token_urlsafe(32)
        session = Session(
            id=new_id(),
            user_id=user.id,
            token_hash=_digest(refresh_token),
            previous_hash=None,
            created_at=now(),
            expires_at=now() + timedelta(seconds=self._rules().session_s),
        )
        await self._store.sessions.remove_expired(now())
        await self._store.sessions.add(session)
        return self._signed_in(user, session, refresh_token)

    async def refresh(self, refresh_token: str) -> SignedIn:
        """Change a refresh token for new tokens. One that is used twice ends its session."""
        old = _digest(refresh_token)
        session = await self._store.sessions.by_token(old)
        if session is None or session.expires_at < now():
            raise Unauthorized("The refresh token is not known or has expired; sign in again.")
        user = await self._store.users.get(session.user_id)
        if user is None or user.disabled:
            raise Unauthorized(_DISABLED)
        new = secrets.token_urlsafe(32)
        if session.token_hash != old or not await self._store.sessions.rotate(session.id, old, _digest(new)):
            await self.logout(session.id)
            raise Unauthorized("The refresh token was used before, so the session has ended; sign in again.")
        return self._signed_in(user, session, new)

    async def logout(self, session_id: str) -> None:
        """End a session: its tokens are refused from now on."""
        await self._store.sessions.remove(session_id)
        for known in [key for key, (_, who) in self._recent.items() if who.credential_id == session_id]:
            del self._recent[known]

    async def authenticate(self, token: str, browser: bool = False) -> Principal:
        """Tell whose access token or API key (with `browser`: cookie) this is. Raises Unauthorized with the reason."""
        if not browser and is_api_key(token):
            key, owner = await self.keys.recognise(token)
            return Principal(owner, key.id, key.expires_at, key.scopes)
        known = self._recent.get((token, browser))
        if known and known[0] > time.monotonic():
            return known[1]
        claims = self._claims(token, _BROWSER if browser else _ACCESS)
        session = await self._store.sessions.get(claims["sid"])
        user = await self._store.users.get(claims["sub"])
        if session is None or session.expires_at < now():
            raise Unauthorized(_ENDED)
        if user is None or user.disabled:
            raise Unauthorized(_DISABLED)
        expires_at = datetime.fromtimestamp(claims["exp"], now().tzinfo)
        principal = Principal(user, session.id, expires_at, (*API_KEY_SCOPES, ACCOUNT))
        if len(self._recent) >= _REMEMBER_MAX:
            self._recent.clear()
        left_s = min(_REMEMBER_S, (expires_at - now()).total_seconds())
        self._recent[token, browser] = (time.monotonic() + left_s, principal)
        return principal

    async def lapsed(self, principals: Collection[Principal]) -> dict[str, str]:
        """Of the sessions and API keys by which they came, those that are not good any more, each with the reason."""
        keys = {who.credential_id for who in principals if who.by_key}
        sessions = {who.credential_id for who in principals} - keys
        users = {who.credential_id: who.user.id for who in principals}
        alive = await self._store.sessions.valid_ids(list(sessions), now()) if sessions else set()
        present = await self._store.api_keys.existing_ids(list(keys)) if keys else set()
        enabled = await self._store.users.enabled_ids(list(set(users.values())))
        reasons = {each: _DISABLED for each, user_id in users.items() if user_id not in enabled}
        return reasons | dict.fromkeys(sessions - alive, _ENDED) | dict.fromkeys(keys - present, REVOKED)

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        required = ["exp", "iat", "sub", "sid", "jti"]
        try:
            return jwt.decode(
                token, self._secret, [_ALGORITHM], audience=audience, options={"require": required}
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("The token has expired; refresh it or sign in again.") from error
        except jwt.InvalidTokenError as error:
            raise Unauthorized("The token is not valid; sign in again.") from error

    def _signed_in(self, user: User, session: Session, refresh_token: str) -> SignedIn:
        left_s = int((session.expires_at - now()).total_seconds())
        access_s = min(self._rules().access_token_s, left_s)
        access = self._token(user, session, _ACCESS, access_s)
        cookie = self._token(user, session, _BROWSER, left_s)
        return SignedIn(user, access, refresh_token, access_s, cookie, left_s)

    def _token(self, user: User, session: Session, audience: str, life_s: int) -> str:
        moment = int(time.time())
        claims = {
            "sub": user.id,
            "sid": session.id,
            "aud": audience,
            "iat": moment,
            "exp": moment + life_s,
            "jti": new_id(),
        }
        return jwt.encode(claims, self._secret, _ALGORITHM)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
