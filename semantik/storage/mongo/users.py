"""Users and their sessions in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from semantik.core.errors import Conflict
from semantik.core.models import Session, User
from semantik.storage.mongo.rows import milliseconds, time_of, to_row
from semantik.storage.mongo.table import Record, StorageSize, Table

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

    async def enabled_ids(self, user_ids: Sequence[str]) -> set[str]:
        """The users that exist and are not disabled."""
        rows = await self._table.find({"_id": {"$in": list(user_ids)}}, fields={"disabled": 1})
        return {row["_id"] for row in rows if not row["disabled"]}

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

    async def any(self) -> bool:
        return await self._table.find_one({}, fast=True) is not None


class SessionTable:
    """Sign-ins; refresh tokens are kept as hashes only."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("token_hash", 1)])
        await self._table.create_index([("previous_hash", 1)])
        await self._table.create_index([("expires_at", 1)])
        await self._table.create_index([("user_id", 1)])

    async def add(self, session: Session) -> None:
        await self._table.insert_one(to_row(session))

    async def get(self, session_id: str) -> Session | None:
        return _session(await self._table.find_one({"_id": session_id}, fast=True))

    async def valid_ids(self, session_ids: Sequence[str], moment: datetime) -> set[str]:
        """The sessions that have neither ended nor expired."""
        where = {"_id": {"$in": list(session_ids)}, "expires_at": {"$gt": milliseconds(moment)}}
        return {row["_id"] for row in await self._table.find(where, fields={"_id": 1})}

    async def by_token(self, token_hash: str) -> Session | None:
        """The session whose current refresh token has this hash, or whose previous one had."""
        return _session(
            await self._table.find_one({"token_hash": token_hash})
            or await self._table.find_one({"previous_hash": token_hash})
        )

    async def rotate(self, session_id: str, old_hash: str, new_hash: str) -> bool:
        """Replace the refresh token; False when another caller did so first."""
        changed = await self._table.update_one(
            {"_id": session_id, "token_hash": old_hash},
            {"$set": {"token_hash": new_hash, "previous_hash": old_hash}},
        )
        return changed is not None

    async def remove(self, session_id: str) -> None:
        await self._table.delete_many({"_id": session_id})

    async def remove_of(self, user_id: str) -> None:
        await self._table.delete_many({"user_id": user_id})

    async def expired_size(self, moment: datetime) -> StorageSize:
        return await self._table.storage_size({"expires_at": {"$lt": milliseconds(moment)}})

    async def remove_expired(self, moment: datetime) -> int:
        return await self._table.delete_many({"expires_at": {"$lt": milliseconds(moment)}})


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
        tuple(row.get("roots", ())),
    )


def _session(row: Record | None) -> Session | None:
    if row is None:
        return None
    return Session(
        row["_id"],
        row["user_id"],
        row["token_hash"],
        row["previous_hash"],
        time_of(row["created_at"]),
        time_of(row["expires_at"]),
    )
