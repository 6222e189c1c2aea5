"""Sessions: signing in, exchanging tokens, and authenticating requests. Runs on the loop.

The tokens are in `tokens.py`, API keys in `api_keys.py`, accounts in `accounts.py`, who acts in `principal.py`, and
what a user may do in `authorization.py`.

A session is a family of tokens. A refresh begins its next generation, and a refresh token of any earlier one ends the
session, since somebody else must have it: except for `auth.refresh_grace_s`, in which parallel requests get the same
new tokens. A changed password ends every session and API key by the user's `credentials_version`.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from semantik.auth.accounts import AccountService
from semantik.auth.api_keys import ApiKeyService, is_api_key
from semantik.auth.credential_checks import (
    DISABLED,
    ENDED,
    RENEWED,
    invalid_credentials,
    is_good_generation,
)
from semantik.auth.groups import GroupService
from semantik.auth.passwords import Passwords
from semantik.auth.principal import ACCOUNT, Principal, Scope
from semantik.auth.principal_cache import PrincipalCache
from semantik.auth.second_factor import SecondFactorService
from semantik.auth.setup_code import SetupCode
from semantik.auth.tokens import Claims, Tokens
from semantik.config import settings
from semantik.core.errors import NotFound, Unauthorized
from semantik.core.models import API_KEY_SCOPES, Session, SignInPlace, User, new_id, now
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.auth")

_ALL_SCOPES: tuple[Scope, ...] = (*API_KEY_SCOPES, ACCOUNT)
_USE_INTERVAL = timedelta(minutes=1)  # the last use is stored to this precision
_MAX_CLIENT = 200  # characters of what a client calls itself
_WRONG_LOGIN = "The user name or the password is wrong."
_UNKNOWN = "The refresh token is not known or has expired; sign in again."


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
    """Registers, signs in and authenticates users. `limits()` are the current settings."""

    def __init__(
        self,
        store: Store,
        groups: GroupService,
        limits: Callable[[], settings.AuthSettings],
        tokens: Tokens,
        second_factors: SecondFactorService,
    ) -> None:
        self.passwords = Passwords()
        self.accounts = AccountService(store, self.passwords)
        self.api_keys = ApiKeyService(store, limits)
        self.setup_code = SetupCode(store, limits().setup_code)
        self._groups = groups
        self._store = store
        self._limits = limits
        self._tokens = tokens
        self._second_factors = second_factors
        self._cache = PrincipalCache()
        self._uses: dict[str, datetime] = {}  # of sessions, not saved yet
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

    async def login(
        self, login: str, password: str, code: str | None = None, place: SignInPlace | None = None
    ) -> LoginResult:
        """Sign in by user name or e-mail address, and by the code of the second factor if there is one.

        Raises Unauthorized, with the same message for every reason until the password is right, and
        SecondFactorRequired without a code.
        """
        user = await self._store.users.by_login(login)
        stored = user.password_hash if user else ""  # a user whom others vouch for has none
        if not stored and not self._dummy_hash:
            self._dummy_hash = await self.passwords.hash(secrets.token_hex())
        # Unknown names take as long as known ones, so that response times do not reveal names.
        matches = await self.passwords.verify(stored or self._dummy_hash, password) and bool(stored)
        if user is None or user.disabled or not matches:
            raise Unauthorized(_WRONG_LOGIN)
        await self._second_factors.require(user, code)
        return await self.start_session(user, place or SignInPlace(), self._limits().session_s)

    async def start_session(self, user: User, place: SignInPlace, lifetime_s: int) -> LoginResult:
        """Begin a session of a user who has proved, in whatever way, who they are."""
        moment, most = now(), self._limits().sessions_per_user
        session = Session(
            id=new_id(),
            user_id=user.id,
            created_at=moment,
            expires_at=moment + timedelta(seconds=lifetime_s),
            credentials_version=user.credentials_version,
            last_used_at=moment,
            place=replace(place, client=place.client[:_MAX_CLIENT]),
        )
        await self._store.sessions.remove_expired(moment)
        others = await self._store.sessions.of_user(user.id)
        await self._remove([each.id for each in others[most - 1 :]])
        await self._store.sessions.add(session)
        return self._login_result(user, session)

    async def refresh(self, refresh_token: str) -> LoginResult:
        """Exchange a refresh token for new tokens. Raises Unauthorized.

        A token that was exchanged before ends its session, unless that was a moment ago.
        """
        session, generation = await self._family(refresh_token)
        user = await self._store.users.get(session.user_id)
        if user is None or user.disabled:
            raise Unauthorized(DISABLED)
        if session.credentials_version != user.credentials_version:
            raise Unauthorized(ENDED)
        if generation == session.generation:
            renewed = await self._store.sessions.rotate(session, now())
            if renewed is not None:
                self._uses[session.id] = now()
                self._cache.forget(lambda one: one.credential_id == session.id)
                return self._login_result(user, renewed)
            latest = await self._store.sessions.latest(session.id)
            if latest is None:
                raise Unauthorized(ENDED)
            session = latest
        if self._is_good(session.generation, session.rotated_at, generation):
            return self._login_result(user, session)
        await self._remove([session.id])
        log.info("a refresh token of %s was used twice, so its session has ended", user.username)
        raise Unauthorized("The refresh token was used before, so the session has ended; sign in again.")

    async def logout(self, session_id: str) -> None:
        """End a session: its tokens are refused from now on."""
        await self._remove([session_id])

    async def of_user(self, user: User) -> list[Session]:
        """The user's sessions that are good, the newest first."""
        moment = now()
        return [
            replace(each, last_used_at=self._uses.get(each.id, each.last_used_at))
            for each in await self._store.sessions.of_user(user.id)
            if each.expires_at > moment and each.credentials_version == user.credentials_version
        ]

    async def end(self, user: User, session_id: str) -> None:
        """End a session of the user. Raises NotFound."""
        if session_id not in {each.id for each in await self._store.sessions.of_user(user.id)}:
            raise NotFound(f"There is no session {session_id}.")
        await self._remove([session_id])

    async def end_all(self, user: User, keep: str = "", api_keys: bool = False) -> None:
        """End all sessions of the user but `keep`, and all API keys if so asked."""
        await self._store.sessions.remove_of(user.id, keep)
        if api_keys:
            await self.api_keys.revoke_all(user)
        self._cache.forget(lambda one: one.user.id == user.id and one.credential_id != keep)

    async def change_password(
        self, principal: Principal, current: str, new: str, keep_api_keys: bool = False
    ) -> LoginResult:
        """Set the password, and end every session and API key of the user; begins a new session.

        Raises Forbidden when `current` is wrong, Invalid when `new` is not allowed.
        """
        user = await self.accounts.change_password(principal.user.id, current, new, keep_api_keys)
        session = await self._store.sessions.latest(principal.credential_id)
        await self._store.sessions.remove_of(user.id)
        self.forget_user(user.id)
        place = session.place if session else SignInPlace()
        return await self.start_session(user, place, self._limits().session_s)

    def forget_user(self, user_id: str) -> None:
        """Check the user's tokens and API keys anew: their account has changed."""
        self._cache.forget(lambda one: one.user.id == user_id)
        self.api_keys.forget_user(user_id)

    async def authenticate(self, token: str, browser: bool = False) -> Principal:
        """The principal of an access token or API key (with `browser`: cookie). Raises Unauthorized with the reason."""
        principal = await self._authenticate(token, browser)
        groups = await self._groups.of_user(principal.user.id)
        return replace(principal, groups=groups) if groups else principal

    async def _authenticate(self, token: str, browser: bool) -> Principal:
        if not browser and is_api_key(token):
            key, owner = await self.api_keys.authenticate(token)
            collections = None if key.collections is None else frozenset(key.collections)
            return Principal(owner, key.id, key.expires_at, key.scopes, collections=collections)
        if cached := self._cache.get(token, browser):
            return cached
        claims = self._tokens.decode(token, "cookie" if browser else "access")
        session = await self._store.sessions.get(claims.session_id)
        user = await self._store.users.get(claims.user_id)
        if session is None or session.expires_at < now() or session.user_id != claims.user_id:
            raise Unauthorized(ENDED)
        if user is None or user.disabled:
            raise Unauthorized(DISABLED)
        if session.credentials_version != user.credentials_version:
            raise Unauthorized(ENDED)
        generation = claims.generation if browser else None
        if browser and not self._is_good(session.generation, session.rotated_at, claims.generation):
            raise Unauthorized(RENEWED)
        principal = Principal(user, session.id, claims.expires_at, _ALL_SCOPES, cookie_generation=generation)
        self._note_use(session)
        self._cache.add(token, browser, principal)
        return principal

    async def invalid_credentials(
        self, principals: Collection[Principal]
    ) -> dict[tuple[str, int | None], str]:
        """What is no longer valid of these principals' credentials: the reason by `Principal.credential`."""
        return await invalid_credentials(self._store, principals, self._limits().refresh_grace_s)

    async def save_uses(self) -> None:
        """Save when sessions were last used; call it from time to time."""
        uses, self._uses = self._uses, {}
        await self._store.sessions.record_uses(uses)

    async def _family(self, refresh_token: str) -> tuple[Session, int]:
        """The session of a refresh token that we have issued, and its generation. Raises Unauthorized."""
        if "." in refresh_token:
            claims = self._refresh_claims(refresh_token)
            session, generation = await self._store.sessions.latest(claims.session_id), claims.generation
            if session is not None and session.user_id != claims.user_id:
                raise Unauthorized(_UNKNOWN)
        else:  # of an older build
            digest = hashlib.sha256(refresh_token.encode()).hexdigest()
            session, generation = await self._store.sessions.by_token_hash(digest), 0
        if session is None or session.expires_at < now():
            raise Unauthorized(_UNKNOWN)
        return session, generation

    def _refresh_claims(self, refresh_token: str) -> Claims:
        try:
            return self._tokens.decode(refresh_token, "refresh")
        except Unauthorized as error:
            raise Unauthorized(_UNKNOWN) from error

    def _is_good(self, current: int, rotated_at: datetime | None, generation: int) -> bool:
        return is_good_generation(current, rotated_at, generation, self._limits().refresh_grace_s)

    def _note_use(self, session: Session) -> None:
        moment = now()
        if session.last_used_at is None or moment - session.last_used_at >= _USE_INTERVAL:
            self._uses[session.id] = moment

    async def _remove(self, session_ids: list[str]) -> None:
        if session_ids:
            await self._store.sessions.remove(session_ids)
            self._cache.forget(lambda one: one.credential_id in session_ids)

    def _login_result(self, user: User, session: Session) -> LoginResult:
        left_s = int((session.expires_at - now()).total_seconds())
        access_s = min(self._limits().access_token_s, left_s)
        access = self._tokens.access(session, access_s)
        return LoginResult(
            user, access, self._tokens.refresh(session), access_s, self._tokens.cookie(session), left_s
        )
