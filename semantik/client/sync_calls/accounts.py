"""Signing in and out, and the current user. Written by `make clients` from docs/openapi.yaml: do not change
it by hand.
"""

from __future__ import annotations

from semantik.client.portal import Portal
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
from semantik.client.values import UNSET, Unset


class AccountsSyncCalls(Portal):
    """Signing in and out, and the current user."""

    def get_setup(self) -> Setup:
        """Who is signed in, or whether the first user is still to be registered."""
        return self.run(lambda client: client.get_setup())

    def register(
        self,
        username: str,
        password: str,
        *,
        email: str | Unset | None = UNSET,
        setup_code: str | Unset = UNSET,
        roots: list[str] | Unset = UNSET,
    ) -> User:
        """Register a user."""
        return self.run(
            lambda client: client.register(
                username, password, email=email, setup_code=setup_code, roots=roots
            )
        )

    def login(self, username: str, password: str, *, code: str | Unset | None = UNSET) -> Tokens:
        """Sign in."""
        return self.run(lambda client: client.login(username, password, code=code))

    def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens."""
        return self.run(lambda client: client.refresh(refresh_token))

    def logout(self) -> None:
        """End the session."""
        return self.run(lambda client: client.logout())

    def get_me(self) -> Me:
        """The current user."""
        return self.run(lambda client: client.get_me())

    def change_password(
        self, current_password: str, new_password: str, *, keep_api_keys: bool | Unset = UNSET
    ) -> Tokens:
        """Change your password."""
        return self.run(
            lambda client: client.change_password(current_password, new_password, keep_api_keys=keep_api_keys)
        )

    def list_sessions(self) -> SessionList:
        """Where you are signed in, the latest sign-in first."""
        return self.run(lambda client: client.list_sessions())

    def end_sessions(self, *, keep_current: bool | Unset = UNSET, api_keys: bool | Unset = UNSET) -> None:
        """Sign out everywhere."""
        return self.run(lambda client: client.end_sessions(keep_current=keep_current, api_keys=api_keys))

    def end_session(self, session_id: str) -> None:
        """End one of your sessions."""
        return self.run(lambda client: client.end_session(session_id))

    def get_second_factor(self) -> SecondFactorState:
        """Whether you have a second factor."""
        return self.run(lambda client: client.get_second_factor())

    def set_up_second_factor(self, password: str) -> SecondFactorSecret:
        """Begin to set up a second factor."""
        return self.run(lambda client: client.set_up_second_factor(password))

    def remove_second_factor(self, password: str) -> None:
        """Remove the second factor."""
        return self.run(lambda client: client.remove_second_factor(password))

    def confirm_second_factor(self, code: str) -> RecoveryCodes:
        """Finish setting up a second factor."""
        return self.run(lambda client: client.confirm_second_factor(code))

    def get_roots(self) -> OpenRoots:
        """The folders that are open to everybody for indexing."""
        return self.run(lambda client: client.get_roots())

    def choose_roots(self, roots: list[str]) -> OpenRoots:
        """Choose these folders."""
        return self.run(lambda client: client.choose_roots(roots))
