"""Users and their sessions in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from semantik.core.errors import Conflict
from semantik.core.models import Session, User
from semantik.storage.mongo.rows import milliseconds, time_of, to_row
from semantik.storage.mongo.table import Record, Table, Weight

# The administrator's row has an identifier known beforehand, so that of two that register first only one can.
FIRST_USER_ID = "00000000-0000-4000-8000-000000000001"


class UserTable:
    """Names and e-mail addresses are unique, whatever their case."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prepare(self) -> None:
        await self._table.index([("name_key", 1)], unique=True)
        await self._table.index([("email_key", 1)])

    async def add(self, user: User) -> None:
        """Raises Conflict when the name or the address is taken."""
        if user.email and await self._table.get({"email_key": user.email.lower()}):
            raise Conflict(f"The e-mail address {user.email} is registered already.")
        if await self.by_login(user.username):
            raise Conflict(f"The user name {user.username} is taken; choose another.")
        row = to_row(user)
        row["name_key"] = user.username.lower()
        row["email_key"] = user.email.lower() if user.email else None
        try:
            await self._table.insert(row)
        except Conflict as error:
            raise Conflict(f"The user name {user.username} is taken; choose another.") from error

    async def get(self, user_id: str) -> User | None:
        return _user(await self._table.get({"_id": user_id}, quick=True))

    async def by_login(self, login: str) -> User | None:
        """Find a user by name or by e-mail address."""
        key = login.strip().lower()
        return _user(await self._table.get({"name_key": key}) or await self._table.get({"email_key": key}))

    async def enabled(self, user_ids: Sequence[str]) -> set[str]:
        """Those of the users who are there and not disabled."""
        rows = await self._table.find({"_id": {"$in": list(user_ids)}}, fields={"disabled": 1})
        return {row["_id"] for row in rows if not row["disabled"]}

    async def all(self) -> list[User]:
        """In the order of their names, whatever their case."""
        rows = await self._table.find({}, [("name_key", 1)])
        return [user for row in rows if (user := _user(row))]

    async def change(self, user_id: str, fields: Mapping[str, Any]) -> User | None:
        """Set fields other than the name and the address; None when there is no such user."""
        return _user(await self._table.change({"_id": user_id}, {"$set": dict(fields)}))

    async def any(self) -> bool:
        return await self._table.get({"_id": FIRST_USER_ID}) is not None


class SessionTable:
    """Sign-ins; refresh tokens are kept as hashes only."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prepare(self) -> None:
        await self._table.index([("token_hash", 1)])
        await self._table.index([("previous_hash", 1)])
        await self._table.index([("expires_at", 1)])
        await self._table.index([("user_id", 1)])

    async def add(self, session: Session) -> None:
        await self._table.insert(to_row(session))

    async def get(self, session_id: str) -> Session | None:
        return _session(await self._table.get({"_id": session_id}, quick=True))

    async def alive(self, session_ids: Sequence[str], moment: datetime) -> set[str]:
        """Those of the sessions that have neither ended nor expired."""
        where = {"_id": {"$in": list(session_ids)}, "expires_at": {"$gt": milliseconds(moment)}}
        return {row["_id"] for row in await self._table.find(where, fields={"_id": 1})}

    async def by_token(self, token_hash: str) -> Session | None:
        """The session whose present refresh token has this hash, or whose last one had."""
        return _session(
            await self._table.get({"token_hash": token_hash})
            or await self._table.get({"previous_hash": token_hash})
        )

    async def rotate(self, session_id: str, old_hash: str, new_hash: str) -> bool:
        """Put a new refresh token in the place of the old; False when another caller was first."""
        changed = await self._table.change(
            {"_id": session_id, "token_hash": old_hash},
            {"$set": {"token_hash": new_hash, "previous_hash": old_hash}},
        )
        return changed is not None

    async def remove(self, session_id: str) -> None:
        await self._table.delete({"_id": session_id})

    async def remove_of(self, user_id: str) -> None:
        await self._table.delete({"user_id": user_id})

    async def expired(self, moment: datetime) -> Weight:
        return await self._table.weigh({"expires_at": {"$lt": milliseconds(moment)}})

    async def remove_expired(self, moment: datetime) -> int:
        return await self._table.delete({"expires_at": {"$lt": milliseconds(moment)}})


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
