"""Users in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semantik.core.errors import Conflict
from semantik.core.models import User
from semantik.storage.mongo.rows import time_of, to_row
from semantik.storage.mongo.table import Record, Table

# The administrator's row has a fixed identifier: of two that register first at the same time, only one succeeds.
FIRST_USER_ID = "00000000-0000-4000-8000-000000000001"


class UserTable:
    """Names and e-mail addresses are unique, case-insensitive."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("name_key", 1)], unique=True)
        await self._table.create_index([("email_key", 1)])

    async def add(self, user: User) -> None:
        """Raises Conflict when the name or the address is taken."""
        if user.email and await self._table.find_one({"email_key": user.email.lower()}):
            raise Conflict(f"The e-mail address {user.email} is registered already.")
        if await self.by_login(user.username):
            raise Conflict(f"The user name {user.username} is taken; choose another.")
        row = to_row(user)
        row["name_key"] = user.username.lower()
        row["email_key"] = user.email.lower() if user.email else None
        try:
            await self._table.insert_one(row)
        except Conflict as error:
            raise Conflict(f"The user name {user.username} is taken; choose another.") from error

    async def get(self, user_id: str) -> User | None:
        return _user(await self._table.find_one({"_id": user_id}, fast=True))

    async def get_many(self, user_ids: Sequence[str]) -> list[User]:
        """Those that exist, in no order."""
        rows = await self._table.find({"_id": {"$in": list(user_ids)}}, fast=True)
        return [user for row in rows if (user := _user(row))]

    async def by_login(self, login: str) -> User | None:
        """Find a user by name or by e-mail address."""
        key = login.strip().lower()
        return _user(
            await self._table.find_one({"name_key": key}) or await self._table.find_one({"email_key": key})
        )

    async def by_logins(self, logins: Sequence[str]) -> dict[str, User]:
        """The users that have one of these names or e-mail addresses, by that in lower case."""
        keys = [login.strip().lower() for login in logins]
        found: dict[str, User] = {}
        for field in ("email_key", "name_key"):
            for row in await self._table.find({field: {"$in": keys}}):
                if user := _user(row):
                    found[row[field]] = user
        return found

    async def by_name(self, name: str) -> User | None:
        """Find a user by name alone."""
        return _user(await self._table.find_one({"name_key": name.strip().lower()}))

    async def by_email(self, email: str) -> User | None:
        return _user(await self._table.find_one({"email_key": email.strip().lower()}))

    async def enabled_versions(self, user_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """`credentials_version` and `oldest_key_version` of each of these users that exists and is not disabled."""
        fields = {"disabled": 1, "credentials_version": 1, "oldest_key_version": 1}
        rows = await self._table.find({"_id": {"$in": list(user_ids)}}, fields=fields)
        return {row["_id"]: _versions(row) for row in rows if not row["disabled"]}

    async def names(self, user_ids: Sequence[str]) -> dict[str, str]:
        """The user names of those that exist, by id."""
        rows = await self._table.find({"_id": {"$in": list(user_ids)}}, fields={"username": 1}, fast=True)
        return {row["_id"]: row["username"] for row in rows}

    async def all(self) -> list[User]:
        """In the order of their names, case-insensitive."""
        rows = await self._table.find({}, [("name_key", 1)])
        return [user for row in rows if (user := _user(row))]

    async def update(self, user_id: str, fields: Mapping[str, Any]) -> User | None:
        """Set fields other than the name; None when there is no such user. Raises Conflict when an address is taken."""
        update = dict(fields)
        if "email" in update:
            key = update["email_key"] = update["email"] and update["email"].lower()
            other = await self._table.find_one({"email_key": key}) if key else None
            if other is not None and other["_id"] != user_id:
                raise Conflict(f"The e-mail address {update['email']} is registered already.")
        return _user(await self._table.update_one({"_id": user_id}, {"$set": update}))

    async def remove(self, user_id: str) -> None:
        await self._table.delete_many({"_id": user_id})

    async def end_credentials(
        self, user: User, fields: Mapping[str, Any], keep_api_keys: bool = False
    ) -> User | None:
        """Set fields, and end every session, and API key unless they are kept, that the user has so far, in one write.

        None when there is no such user any more, or the user's credentials have been ended since `user` was read.
        """
        now, then = user.credentials_version, user.credentials_version + 1
        where = {"_id": user.id, "credentials_version": now or {"$in": [None, 0]}}  # None: of an older build
        oldest_key = user.oldest_key_version if keep_api_keys else then
        update = {"$set": {**fields, "credentials_version": then, "oldest_key_version": oldest_key}}
        return _user(await self._table.update_one(where, update))

    async def any(self) -> bool:
        return await self._table.find_one({}, fast=True) is not None


def _user(row: Record | None) -> User | None:
    if row is None:
        return None
    return User(
        row["_id"],
        row["username"],
        row["email"],
        row["password_hash"],
        bool(row["is_admin"]),
        bool(row["disabled"]),
        time_of(row["created_at"]),
        *_versions(row),
        tuple(row.get("roots", ())),
    )


def _versions(row: Record) -> tuple[int, int]:
    """`credentials_version` and `oldest_key_version`; a build that had only the first ended keys with sessions."""
    version: int = row.get("credentials_version", 0)
    return version, row.get("oldest_key_version", version)
