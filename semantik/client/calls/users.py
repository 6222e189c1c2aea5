"""The accounts of all users, for administrators. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from semantik.client.transport import Transport
from semantik.client.types.users import Account, AccountList
from semantik.client.values import UNSET, Unset, fill


class UsersCalls(Transport):
    """The accounts of all users, for administrators."""

    async def list_users(self, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET) -> AccountList:
        """All users, by name.

        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 403, 421, 422, 429, 503) and Unavailable.
        """
        answer: AccountList = await self.read_json("GET", "users", query={"cursor": cursor, "limit": limit})
        return answer

    async def create_user(
        self,
        username: str,
        password: str,
        *,
        email: str | Unset | None = UNSET,
        is_admin: bool | Unset = UNSET,
    ) -> Account:
        """Create a user.

        No API key may make an administrator.

        username: 1 to 200 printable characters.
        email: With an @, at most 200 characters.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Account = await self.read_json(
            "POST",
            "users",
            body={"username": username, "password": password, "email": email, "is_admin": is_admin},
        )
        return answer

    async def get_user(self, user_id: str) -> Account:
        """One user.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: Account = await self.read_json("GET", fill("users/{}", user_id))
        return answer

    async def change_user(
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
        """Change a user's account.

        A new password, and disabling, end the sessions of the user. No API key may set passwords or
        appoint administrators.

        email: null: none.
        roots: Absolute paths of folders.
        reset_second_factor: Whether the second factor is removed, for a user who has lost it; 404 when
            there is none.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Account = await self.read_json(
            "PATCH",
            fill("users/{}", user_id),
            body={
                "email": email,
                "is_admin": is_admin,
                "disabled": disabled,
                "password": password,
                "roots": roots,
                "reset_second_factor": reset_second_factor,
            },
        )
        return answer

    async def delete_user(self, user_id: str, *, transfer_to: str | Unset = UNSET) -> None:
        """Delete a user.

        Refused with 409 while the user owns collections, unless `transfer_to` names who gets them.

        transfer_to: The name of the user who gets the collections.

        Raises Refused (401, 403, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("users/{}", user_id), query={"transfer_to": transfer_to})
