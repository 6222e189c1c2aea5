"""Authentication: sessions and their tokens. API keys are in `api_keys.py`, accounts in `accounts.py`, who acts in
`principal.py`, and what a user may do in `authorization.py`. Runs on the loop.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import jwt

from semantik.auth.accounts import AccountService
from semantik.auth.api_keys import REVOKED, ApiKeyService, is_api_key
from semantik.auth.groups import GroupService
from semantik.auth.passwords import Passwords
from semantik.auth.principal import ACCOUNT, Principal
from semantik.auth.setup_code import SetupCode
from semantik.config import settings
from semantik.core.errors import Unauthorized
from semantik.core.models import API_KEY_SCOPES, Session, User, new_id, now
from semantik.storage.mongo import Store

_ALGORITHM = "HS256"
_ACCESS = "semantik"
_BROWSER = "semantik-browser"
_CACHE_S = 2.0  # a revoked token is refused after this time at the latest
_CACHE_SIZE = 10_000
_WRONG_LOGIN = "The user name or the password is wrong."
_ENDED = "The session has ended; sign in again."
_DISABLED = "The user is disabled."


@dataclass(frozen=True)
class LoginResult:
    """What a sign-in returns: an access and a refresh token for programs, a cookie for the browser.

    `expires_in_s` is the lifetime of the access token, `cookie_s` that of the cookie and the refresh token.
    """

    user: User
    access_token: str
    refresh_token: str
    expires_in_s: int
    cookie: str
    cookie_s: int


class SessionService:
    """Registers, signs in and authenticates users. `limits()` are the current settings; `secret` signs the tokens."""

    def __init__(
        self, store: Store, groups: GroupService, limits: Callable[[], settings.AuthSettings], secret: str
    ) -> None:
        self.api_keys = ApiKeyService(store)
        self._groups = groups
        self.setup_code = SetupCode(store, limits().setup_code)
        self._store = store
        self._limits = limits
        self._secret = secret
        self._passwords = Passwords()
        self.accounts = AccountService(store, self._passwords)
        self._cache: dict[tuple[str, bool], tuple[float, Principal]] = {}
        self._dummy_hash = ""

    async def needs_first_user(self) -> bool:
        return not await self._store.users.any()

    async def register(
        self, username: str, password: str, email: str | None = None, setup_code: str = ""
    ) -> User:
        """Add a user; the first user becomes the administrator, and needs the `setup_code`.

        Raises Forbidden, Invalid or Conflict.
        """
        await self.setup_code.check(setup_code)
        return await self.accounts.add(
            username, password, email, first_only=self._limits().registration != "open"
        )

    async def login(self, login: str, password: str) -> LoginResult:
        """Sign in by user name or e-mail address. Raises Unauthorized, with the same message for every reason."""
        user = await self._store.users.by_login(login)
        if user is None and not self._dummy_hash:
            self._dummy_hash = await self._passwords.hash(secrets.token_hex())
        # Unknown names take as long as known ones, so that response times do not reveal names.
        matches = await self._passwords.verify(user.password_hash if user else self._dummy_hash, password)
        if user is None or user.disabled or not matches:
            raise Unauthorized(_WRONG_LOGIN)
        return await self.start_session(user, self._limits().session_s)

    async def start_session(self, user: User, lifetime_s: int) -> LoginResult:
        """Begin a session of a user who has proved, in whatever way, who they are."""
        refresh_token = secrets.token_urlsafe(32)
        session = Session(
            id=new_id(),
            user_id=user.id,
            token_hash=_digest(refresh_token),
            previous_hash=None,
            created_at=now(),
            expires_at=now() + timedelta(seconds=lifetime_s),
        )
        await self._store.sessions.remove_expired(now())
        await self._store.sessions.add(session)
        return self._login_result(user, session, refresh_token)

    async def refresh(self, refresh_token: str) -> LoginResult:
        """Exchange a refresh token for new tokens. A token that is used twice ends its session. Raises Unauthorized."""
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
        return self._login_result(user, session, new)

    async def logout(self, session_id: str) -> None:
        """End a session: its tokens are refused from now on."""
        await self._store.sessions.remove(session_id)
        for key in [key for key, (_, p) in self._cache.items() if p.credential_id == session_id]:
            del self._cache[key]

    def forget_user(self, user_id: str) -> None:
        """Check the user's tokens and API keys anew: their account has changed."""
        for key in [key for key, (_, principal) in self._cache.items() if principal.user.id == user_id]:
            del self._cache[key]
        self.api_keys.forget_user(user_id)

    async def authenticate(self, token: str, browser: bool = False) -> Principal:
        """The principal of an access token or API key (with `browser`: cookie). Raises Unauthorized with the reason."""
        principal = await self._authenticate(token, browser)
        groups = await self._groups.of_user(principal.user.id)
        return replace(principal, groups=groups) if groups else principal

    async def _authenticate(self, token: str, browser: bool) -> Principal:
        if not browser and is_api_key(token):
            key, owner = await self.api_keys.authenticate(token)
            return Principal(owner, key.id, key.expires_at, key.scopes)
        cached = self._cache.get((token, browser))
        if cached and cached[0] > time.monotonic():
            return cached[1]
        claims = self._claims(token, _BROWSER if browser else _ACCESS)
        session = await self._store.sessions.get(claims["sid"])
        user = await self._store.users.get(claims["sub"])
        if session is None or session.expires_at < now():
            raise Unauthorized(_ENDED)
        if user is None or user.disabled:
            raise Unauthorized(_DISABLED)
        expires_at = datetime.fromtimestamp(claims["exp"], now().tzinfo)
        principal = Principal(user, session.id, expires_at, (*API_KEY_SCOPES, ACCOUNT))
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        left_s = min(_CACHE_S, (expires_at - now()).total_seconds())
        self._cache[token, browser] = (time.monotonic() + left_s, principal)
        return principal

    async def invalid_credentials(self, principals: Collection[Principal]) -> dict[str, str]:
        """The sessions and API keys of these principals that are no longer valid: the reason by credential id."""
        keys = {p.credential_id for p in principals if p.by_key}
        sessions = {p.credential_id for p in principals} - keys
        users = {p.credential_id: p.user.id for p in principals}
        valid_sessions = await self._store.sessions.valid_ids(list(sessions), now()) if sessions else set()
        valid_keys = await self._store.api_keys.existing_ids(list(keys)) if keys else set()
        enabled = await self._store.users.enabled_ids(list(set(users.values())))
        reasons = {each: _DISABLED for each, user_id in users.items() if user_id not in enabled}
        return (
            reasons
            | dict.fromkeys(sessions - valid_sessions, _ENDED)
            | dict.fromkeys(keys - valid_keys, REVOKED)
        )

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

    def _login_result(self, user: User, session: Session, refresh_token: str) -> LoginResult:
        left_s = int((session.expires_at - now()).total_seconds())
        access_s = min(self._limits().access_token_s, left_s)
        access = self._token(user, session, _ACCESS, access_s)
        cookie = self._token(user, session, _BROWSER, left_s)
        return LoginResult(user, access, refresh_token, access_s, cookie, left_s)

    def _token(self, user: User, session: Session, audience: str, lifetime_s: int) -> str:
        moment = int(time.time())
        claims = {
            "sub": user.id,
            "sid": session.id,
            "aud": audience,
            "iat": moment,
            "exp": moment + lifetime_s,
            "jti": new_id(),
        }
        return jwt.encode(claims, self._secret, _ALGORITHM)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
