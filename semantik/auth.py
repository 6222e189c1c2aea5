"""Who somebody is: passwords, sessions and tokens. What they may do stands in `access.py`. Runs on the loop;
argon2 runs in a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from semantik import settings
from semantik.errors import Conflict, Forbidden, Invalid, Unauthorized
from semantik.records import Session, User, new_id, now
from semantik.store import Store
from semantik.store.users import FIRST_USER_ID

_ALGORITHM = "HS256"
_ACCESS = "semantik"
_BROWSER = "semantik-browser"
_MIN_PASSWORD = 8
_MAX_TEXT = 200
_REMEMBER_S = 2.0  # a revoked token is refused after this long at the latest
_REMEMBER_MAX = 10_000
_HASHES_AT_ONCE = 2  # argon2 takes 64 MiB each
_WRONG = "The user name or the password is wrong."


@dataclass(frozen=True)
class Principal:
    """Somebody who has shown who they are, until `expires_at`."""

    user: User
    session_id: str
    expires_at: datetime


@dataclass(frozen=True)
class SignedIn:
    """What a sign-in gives: an access and a refresh token for programs, a cookie for the browser."""

    user: User
    access_token: str
    refresh_token: str
    expires_in_s: int
    cookie: str
    cookie_s: int


class Auth:
    """Registers, signs in and recognises users. `rules()` are the settings of the moment; `secret` signs the tokens."""

    def __init__(self, store: Store, rules: Callable[[], settings.Auth], secret: str) -> None:
        self._store = store
        self._rules = rules
        self._secret = secret
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._recent: dict[str, tuple[float, Principal]] = {}
        self._nobody = ""

    async def needs_first_user(self) -> bool:
        return not await self._store.users.any()

    async def register(self, username: str, password: str, email: str | None = None) -> User:
        """Add a user; the first becomes the administrator. Raises Forbidden, Invalid or Conflict."""
        first = await self.needs_first_user()
        if not first and self._rules().registration != "open":
            raise Forbidden("Registration is closed; ask the administrator for an account.")
        username = username.strip()
        if not username or len(username) > _MAX_TEXT or not username.isprintable():
            raise Invalid(f"The user name must have 1 to {_MAX_TEXT} printable characters.")
        if not _MIN_PASSWORD <= len(password) <= _MAX_TEXT:
            raise Invalid(f"The password must have {_MIN_PASSWORD} to {_MAX_TEXT} characters.")
        if email is not None and ("@" not in email or len(email) > _MAX_TEXT or not email.isprintable()):
            raise Invalid(
                f"The e-mail address must hold an @ and have {_MAX_TEXT} printable characters at most."
            )
        user = User(
            id=FIRST_USER_ID if first else new_id(),
            username=username,
            email=email,
            password_hash=await self._hash(password),
            is_admin=first,
            disabled=False,
            created_at=now(),
        )
        try:
            await self._store.users.add(user)
        except Conflict as error:
            if not first or await self.needs_first_user():
                raise
            # Another became the first meanwhile, so the name may well be free.
            if self._rules().registration != "open":
                raise Forbidden(
                    "The administrator was registered just now, and with that registration is closed; "
                    "ask the administrator for an account."
                ) from error
            return await self.register(username, password, email)
        return user

    async def login(self, login: str, password: str) -> SignedIn:
        """Sign in by user name or e-mail address. Raises Unauthorized, the same for every reason."""
        user = await self._store.users.by_login(login)
        if user is None and not self._nobody:
            self._nobody = await self._hash(secrets.token_hex())
        # Unknown names take as long as known ones, so that names can't be guessed by the clock.
        good = await self._verify(user.password_hash if user else self._nobody, password)
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
            raise Unauthorized("The user is disabled.")
        new = secrets.token_urlsafe(32)
        if session.token_hash != old or not await self._store.sessions.rotate(session.id, old, _digest(new)):
            await self.logout(session.id)
            raise Unauthorized("The refresh token was used before, so the session has ended; sign in again.")
        return self._signed_in(user, session, new)

    async def logout(self, session_id: str) -> None:
        """End a session: its tokens are refused from now on."""
        await self._store.sessions.remove(session_id)
        for token in [key for key, (_, who) in self._recent.items() if who.session_id == session_id]:
            del self._recent[token]

    async def authenticate(self, token: str, browser: bool = False) -> Principal:
        """Tell whose access token (with `browser`: cookie) this is. Raises Unauthorized with the reason."""
        claims = self._claims(token, _BROWSER if browser else _ACCESS)
        known = self._recent.get(token)
        if known and known[0] > time.monotonic():
            return known[1]
        session = await self._store.sessions.get(claims["sid"])
        user = await self._store.users.get(claims["sub"])
        if session is None or session.expires_at < now():
            raise Unauthorized("The session has ended; sign in again.")
        if user is None or user.disabled:
            raise Unauthorized("The user is disabled.")
        expires_at = datetime.fromtimestamp(claims["exp"], now().tzinfo)
        principal = Principal(user, session.id, expires_at)
        if len(self._recent) >= _REMEMBER_MAX:
            self._recent.clear()
        self._recent[token] = (time.monotonic() + _REMEMBER_S, principal)
        return principal

    async def lapsed(self, users: Mapping[str, str]) -> dict[str, str]:
        """Of sessions (their id to their user's), those that are not good any more, each with the reason."""
        alive = await self._store.sessions.alive(list(users), now())
        enabled = await self._store.users.enabled(list(set(users.values())))
        reasons = {key: "The user is disabled." for key, user_id in users.items() if user_id not in enabled}
        return reasons | {key: "The session has ended; sign in again." for key in users if key not in alive}

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

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, password_hash: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, password_hash, password)
            except (VerificationError, InvalidHashError):
                return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
