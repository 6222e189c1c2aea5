"""The accounts of all users, for administrators. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from semantik.client.portal import Portal
from semantik.client.types.users import Account, AccountList
from semantik.client.values import UNSET, Unset


class UsersSyncCalls(Portal):
    """The accounts of all users, for administrators."""

    def list_users(self, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET) -> AccountList:
        """All users, by name."""
        return self.run(lambda client: client.list_users(cursor=cursor, limit=limit))

    def create_user(
        self,
        username: str,
        password: str,
        *,
        email: str | Unset | None = UNSET,
        is_admin: bool | Unset = UNSET,
    ) -> Account:
        """Create a user."""
        return self.run(lambda client: client.create_user(username, password, email=email, is_admin=is_admin))

    def get_user(self, user_id: str) -> Account:
        """One user."""
        return self.run(lambda client: client.get_user(user_id))

    def change_user(
        self,
        user_id: str,
        *,
        email: str | Unset | None = UNSET,
        is_admin: bool | Unset = UNSET,
        disabled: bool | Unset = UNSET,
        password: str | Unset = UNSET,
        roots: list[str] | Unset = UNSET,
        reset_second_factor: bool | Unset = UNSET,
    ) -> Account:
        """Change a user's account."""
        return self.run(
            lambda client: client.change_user(
                user_id,
                email=email,
                is_admin=is_admin,
                disabled=disabled,
                password=password,
                roots=roots,
                reset_second_factor=reset_second_factor,
            )
        )

    def delete_user(self, user_id: str, *, transfer_to: str | Unset = UNSET) -> None:
        """Delete a user."""
        return self.run(lambda client: client.delete_user(user_id, transfer_to=transfer_to))
