"""Signing in and out, and the current user. Written by `make clients` from docs/openapi.yaml: do not change
it by hand.
"""

from __future__ import annotations

from semantik.client.transport import Transport
from semantik.client.types.accounts import (
    Me,
    OpenRoots,
    RecoveryCodes,
    SecondFactorSecret,
    SecondFactorState,
    SessionList,
    Setup,
    Tokens,
)
from semantik.client.types.shared import User
from semantik.client.values import UNSET, Unset, fill


class AccountsCalls(Transport):
    """Signing in and out, and the current user."""

    async def get_setup(self) -> Setup:
        """Who is signed in, or whether the first user is still to be registered.

        Raises Refused (421, 429, 503) and Unavailable.
        """
        answer: Setup = await self.read_json("GET", "auth/setup")
        return answer

    async def register(
        self,
        username: str,
        password: str,
        *,
        email: str | Unset | None = UNSET,
        setup_code: str | Unset = UNSET,
        roots: list[str] | Unset = UNSET,
    ) -> User:
        """Register a user.

        The first user becomes the administrator, and needs `setup_code`. Later ones are refused unless
        `auth.registration` is `open`.

        username: 1 to 200 printable characters.
        password: 8 to 200 characters.
        email: With an @, at most 200 characters.
        setup_code: What the server printed at its start; only the first user needs it.
        roots: Absolute paths of folders.

        Raises Refused (403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: User = await self.read_json(
            "POST",
            "auth/register",
            body={
                "username": username,
                "password": password,
                "email": email,
                "setup_code": setup_code,
                "roots": roots,
            },
        )
        return answer

    async def login(self, username: str, password: str, *, code: str | Unset | None = UNSET) -> Tokens:
        """Sign in.

        A user with a second factor sends its `code`, or a recovery code, as well. Without it the answer
        is 401 with the problem type `second_factor_required`, but only after the right password.

        username: The user name, or the e-mail address, in any case.
        code: The code of the second factor, or a recovery code.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Tokens = await self.read_json(
            "POST", "auth/login", body={"username": username, "password": password, "code": code}
        )
        return answer

    async def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens.

        The new tokens replace the refresh token and the cookie. A refresh token that was exchanged before
        ends its session, unless that was less than `auth.refresh_grace_s` ago: then the answer has the
        same new tokens.

        Raises Refused (401, 403, 408, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Tokens = await self.read_json("POST", "auth/refresh", body={"refresh_token": refresh_token})
        return answer

    async def logout(self) -> None:
        """End the session.

        Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        await self.read_json("POST", "auth/logout")

    async def get_me(self) -> Me:
        """The current user.

        Raises Refused (401, 421, 429, 503) and Unavailable.
        """
        answer: Me = await self.read_json("GET", "auth/me")
        return answer

    async def change_password(
        self, current_password: str, new_password: str, *, keep_api_keys: bool | Unset = UNSET
    ) -> Tokens:
        """Change your password.

        Ends every session, cookie, socket and API key of yours, and answers with the tokens of a new
        session. Needs a sign-in; an API key is refused.

        keep_api_keys: Whether the API keys stay good.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Tokens = await self.read_json(
            "POST",
            "auth/password",
            body={
                "current_password": current_password,
                "new_password": new_password,
                "keep_api_keys": keep_api_keys,
            },
        )
        return answer

    async def list_sessions(self) -> SessionList:
        """Where you are signed in, the latest sign-in first.

        Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: SessionList = await self.read_json("GET", "auth/sessions")
        return answer

    async def end_sessions(
        self, *, keep_current: bool | Unset = UNSET, api_keys: bool | Unset = UNSET
    ) -> None:
        """Sign out everywhere.

        Ends your sessions with their cookies and sockets. Needs a sign-in; an API key is refused.

        keep_current: Whether the session that sends this stays.
        api_keys: Whether your API keys are revoked too.

        Raises Refused (401, 403, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json(
            "DELETE", "auth/sessions", query={"keep_current": keep_current, "api_keys": api_keys}
        )

    async def end_session(self, session_id: str) -> None:
        """End one of your sessions.

        Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("auth/sessions/{}", session_id))

    async def get_second_factor(self) -> SecondFactorState:
        """Whether you have a second factor.

        Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: SecondFactorState = await self.read_json("GET", "auth/second-factor")
        return answer

    async def set_up_second_factor(self, password: str) -> SecondFactorSecret:
        """Begin to set up a second factor.

        Makes a secret for an authenticator program (TOTP, RFC 6238: six digits, 30 seconds, SHA-1). No
        code is asked for before `/api/v2/auth/second-factor/confirm` has taken one. Needs a sign-in; an
        API key is refused.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: SecondFactorSecret = await self.read_json(
            "POST", "auth/second-factor", body={"password": password}
        )
        return answer

    async def remove_second_factor(self, password: str) -> None:
        """Remove the second factor.

        Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 404, 408, 413, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", "auth/second-factor", body={"password": password})

    async def confirm_second_factor(self, code: str) -> RecoveryCodes:
        """Finish setting up a second factor.

        From now on a sign-in needs a code. Needs a sign-in; an API key is refused.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: RecoveryCodes = await self.read_json(
            "POST", "auth/second-factor/confirm", body={"code": code}
        )
        return answer

    async def get_roots(self) -> OpenRoots:
        """The folders that are open to everybody for indexing.

        For administrators.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: OpenRoots = await self.read_json("GET", "admin/roots")
        return answer

    async def choose_roots(self, roots: list[str]) -> OpenRoots:
        """Choose these folders.

        For administrators; refused with 409 when `documents.roots` sets them.

        roots: Absolute paths of folders.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: OpenRoots = await self.read_json("PUT", "admin/roots", body={"roots": roots})
        return answer
