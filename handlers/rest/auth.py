"""`/api/v2/auth/…`: register, log in, refresh, log out, and the current user. Sessions are in `sessions.py`."""

from __future__ import annotations

import secrets
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from http import HTTPStatus
from typing import ClassVar

import voluptuous as vol

from handlers.audit_trail import REFRESH
from handlers.authentication import COOKIE, authenticate
from handlers.base import RestHandler
from handlers.client_address import client_address
from handlers.fields import optional, roots, text
from handlers.serializers import signed_in_json, user_json
from semantik.auth.login_attempts import SignInSource
from semantik.auth.principal import ACCOUNT
from semantik.auth.sessions import LoginResult
from semantik.core.errors import Forbidden, Unauthorized
from semantik.core.models import SignInPlace, User

_REGISTER = vol.Schema(
    {
        vol.Required("username"): str,
        vol.Required("password"): str,
        vol.Optional("email"): optional(text()),
        vol.Optional("setup_code", default=""): str,
        vol.Optional("roots"): roots(),
    }
)
_DEVICE, _DEVICE_S, _MAX_DEVICE = "semantik_device", 365 * 86_400, 100
_LOGIN = vol.Schema(
    {
        vol.Required("username"): str,
        vol.Required("password"): str,
        vol.Optional("code"): optional(text(0, 100)),
    }
)
_REFRESH = vol.Schema({vol.Required("refresh_token"): str})


class SignInHandler(RestHandler):
    """Replies with tokens, and keeps the browser signed in with a cookie that its scripts can't read."""

    @property
    def source(self) -> SignInSource:
        device = self.get_cookie(_DEVICE, "") or ""
        return SignInSource(client_address(self.request), device[:_MAX_DEVICE])

    def confirming(self) -> AbstractAsyncContextManager[None]:
        """Inside, check a password that a signed-in user sends once more; wrong ones are counted as sign-ins are."""
        return self.services.login_throttle.attempt(f"confirming {self.principal.user.id}", self.source)

    def remember_device(self, device: str) -> None:
        """Give the browser a secret by which its later sign-ins are known: others cannot slow those down."""
        self.set_cookie(
            _DEVICE,
            device,
            max_age=_DEVICE_S,
            path="/api/v2/auth",
            httponly=True,
            samesite="Strict",
            secure=self.request.protocol == "https",
        )

    @property
    def place(self) -> SignInPlace:
        """Where the request comes from."""
        return SignInPlace(client_address(self.request), self.request.headers.get("User-Agent", ""))

    def reply_signed_in(self, signed_in: LoginResult) -> None:
        self.keep_signed_in(signed_in)
        self.reply(signed_in_json(signed_in))

    def keep_signed_in(self, signed_in: LoginResult) -> None:
        self.set_cookie(
            COOKIE,
            signed_in.cookie,
            max_age=signed_in.cookie_s,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self.request.protocol == "https",
        )

    def clear_session_cookie(self) -> None:
        self.clear_cookie(COOKIE, path="/", httponly=True, samesite="Strict")


class RegisterHandler(SignInHandler):
    public = True
    rate_group = "sign_in"
    audit: ClassVar = {"POST": "user.register"}

    async def post(self) -> None:
        body = self.body(_REGISTER)
        chosen = body.get("roots")
        async with self.services.login_throttle.turn(self.source):
            if chosen is not None:
                if not await self.services.sessions.needs_first_user():
                    raise Forbidden("Only who registers as the first user, the administrator, chooses roots.")
                self.services.folder_access.check_choice(chosen)
            user = await self.services.sessions.register(
                body["username"], body["password"], body.get("email"), body["setup_code"]
            )
        if chosen is not None and user.is_admin:
            await self.services.folder_access.choose_roots(chosen)
        self.note_audit(target=f"users/{user.id}", user=user)
        self.reply(user_json(user), HTTPStatus.CREATED)


class LoginHandler(SignInHandler):
    public = True
    rate_group = "sign_in"
    audit: ClassVar = {"POST": "session.sign_in"}

    async def post(self) -> None:
        body = self.body(_LOGIN)
        self.note_audit({"login": body["username"]})
        # A browser that signs in for the first time gets its secret now: it counts once this attempt has succeeded.
        source = self.source if self.source.device else replace(self.source, device=secrets.token_urlsafe(24))
        async with self.services.login_throttle.attempt(body["username"], source):
            signed_in = await self.services.sessions.login(
                body["username"], body["password"], body.get("code"), self.place
            )
        self.reply_signed_in(signed_in)
        self.remember_device(source.device)


class RefreshHandler(SignInHandler):
    public = True
    rate_group = "sign_in"
    audit: ClassVar = {"POST": REFRESH}

    async def post(self) -> None:
        self.reply_signed_in(await self.services.sessions.refresh(self.body(_REFRESH)["refresh_token"]))


class LogoutHandler(SignInHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "session.sign_out"}

    async def post(self) -> None:
        await self.services.sessions.logout(self.principal.credential_id)
        self.clear_session_cookie()
        self.set_status(HTTPStatus.NO_CONTENT)


class MeHandler(RestHandler):
    async def get(self) -> None:
        state = await self.services.second_factors.state(self.principal.user)
        self.reply({**user_json(self.principal.user), "second_factor": state.enabled})


class SetupHandler(RestHandler):
    """Tells the page who is signed in, or else whether to offer to create the first user."""

    public = True

    async def get(self) -> None:
        user = await self._user()
        needed = user is None and await self.services.sessions.needs_first_user()
        auth = self.services.settings.auth
        self.reply(
            {
                "user": user_json(user) if user is not None else None,
                "needs_first_user": needed,
                "chooses_roots": needed and not self.services.folder_access.fixed_by_settings,
                "registration": auth.registration,
                "oidc": auth.oidc.name if auth.oidc.issuer else None,
            }
        )

    async def _user(self) -> User | None:
        services = self.services
        try:
            principal = await authenticate(
                self.request, services.settings, services.sessions, services.proxy, None
            )
        except Unauthorized:
            return None
        return principal.user
