"""Sessions in MongoDB: who is signed in, and which generation of tokens is good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from semantik.core.models import Session, SignInPlace
from semantik.storage.mongo.rows import maybe_time, milliseconds, time_of, to_row
from semantik.storage.mongo.table import Record, Sort, StorageSize, Table

_NEWEST: Sort = [("created_at", -1), ("_id", 1)]


class SessionTable:
    """A session that has ended is deleted. No token is stored, only the hash of those of older builds."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("token_hash", 1)])
        await self._table.create_index([("expires_at", 1)])
        await self._table.create_index([("user_id", 1)])

    async def add(self, session: Session) -> None:
        await self._table.insert_one(to_row(session))

    async def get(self, session_id: str) -> Session | None:
        return _session(await self._table.find_one({"_id": session_id}, fast=True))

    async def latest(self, session_id: str) -> Session | None:
        """As `get`, but as the last write left it."""
        return _session(await self._table.find_one({"_id": session_id}))

    async def by_token_hash(self, token_hash: str) -> Session | None:
        """The session that an older build began with the refresh token of this hash."""
        return _session(await self._table.find_one({"token_hash": token_hash}))

    async def of_user(self, user_id: str) -> list[Session]:
        """The newest first, expired ones included."""
        rows = await self._table.find({"user_id": user_id}, _NEWEST)
        return [session for row in rows if (session := _session(row))]

    async def unexpired(
        self, session_ids: Sequence[str], moment: datetime
    ) -> dict[str, tuple[int, datetime | None]]:
        """The sessions that have neither ended nor expired: their `generation` and `rotated_at`."""
        where = {"_id": {"$in": list(session_ids)}, "expires_at": {"$gt": milliseconds(moment)}}
        rows = await self._table.find(where, fields={"generation": 1, "rotated_at": 1})
        return {row["_id"]: (row.get("generation", 0), maybe_time(row.get("rotated_at"))) for row in rows}

    async def rotate(self, session: Session, moment: datetime) -> Session | None:
        """Begin the session's next generation; None when it is not as `session` says, or has ended."""
        # Rows of older builds have no generation until they are rotated.
        old = session.token_hash is not None and session.generation == 0
        where = {"_id": session.id, "generation": {"$exists": False} if old else session.generation}
        fields = {"generation": session.generation + 1, "rotated_at": milliseconds(moment)}
        return _session(await self._table.update_one(where, {"$set": fields}))

    async def record_uses(self, uses: Mapping[str, datetime]) -> None:
        """Save when sessions were last used."""
        await self._table.bulk_update(
            [({"_id": key}, {"$set": {"last_used_at": milliseconds(at)}}) for key, at in uses.items()]
        )

    async def remove(self, session_ids: Sequence[str]) -> None:
        await self._table.delete_many({"_id": {"$in": list(session_ids)}})

    async def remove_of(self, user_id: str, keep: str = "") -> int:
        """Remove a user's sessions other than `keep`; returns how many there were."""
        return await self._table.delete_many({"user_id": user_id, "_id": {"$ne": keep}})

    async def remove_all(self) -> int:
        return await self._table.delete_many({})

    async def expired_size(self, moment: datetime) -> StorageSize:
        return await self._table.storage_size({"expires_at": {"$lt": milliseconds(moment)}})

    async def remove_expired(self, moment: datetime) -> int:
        return await self._table.delete_many({"expires_at": {"$lt": milliseconds(moment)}})


def _session(row: Record | None) -> Session | None:
    if row is None:
        return None
    return Session(
        id=row["_id"],
        user_id=row["user_id"],
        created_at=time_of(row["created_at"]),
        expires_at=time_of(row["expires_at"]),
        credentials_version=row.get("credentials_version", 0),
        generation=row.get("generation", 0),
        rotated_at=maybe_time(row.get("rotated_at")),
        last_used_at=maybe_time(row.get("last_used_at")),
        place=SignInPlace(**row.get("place", {})),
        token_hash=row.get("token_hash"),
    )
