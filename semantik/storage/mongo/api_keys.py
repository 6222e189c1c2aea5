"""API keys in MongoDB; only hashes of their secrets are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from semantik.core.models import ApiKey
from semantik.storage.mongo.rows import maybe_time, milliseconds, time_of, to_row
from semantik.storage.mongo.table import Record, Sort, StorageSize, Table

_OLDEST: Sort = [("created_at", 1), ("_id", 1)]


class ApiKeyTable:
    """A key that is revoked is deleted."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("user_id", 1), ("created_at", 1)])

    async def add(self, key: ApiKey) -> None:
        await self._table.insert_one(to_row(key))

    async def get(self, key_id: str) -> ApiKey | None:
        row = await self._table.find_one({"_id": key_id})
        return _key(row) if row else None

    async def of_user(self, user_id: str) -> list[ApiKey]:
        """The oldest first."""
        return [_key(row) for row in await self._table.find({"user_id": user_id}, _OLDEST)]

    async def versions(self, key_ids: Sequence[str]) -> dict[str, int]:
        """The `credentials_version` of each of these keys that is not revoked; it may have expired."""
        rows = await self._table.find({"_id": {"$in": list(key_ids)}}, fields={"credentials_version": 1})
        return {row["_id"]: row.get("credentials_version", 0) for row in rows}

    async def record_use(self, key: ApiKey, moment: datetime) -> None:
        """Save when a key was last used, unless another server has done so since it was read."""
        before = None if key.last_used_at is None else milliseconds(key.last_used_at)
        where = {"_id": key.id, "last_used_at": before}
        await self._table.update_one(where, {"$set": {"last_used_at": milliseconds(moment)}})

    async def remove(self, user_id: str, key_id: str) -> bool:
        """Revoke a key of this user's; False when there is none."""
        return await self._table.delete_many({"_id": key_id, "user_id": user_id}) > 0

    async def remove_of(self, user_id: str) -> int:
        """Revoke all keys of a user; returns how many there were."""
        return await self._table.delete_many({"user_id": user_id})

    async def expired_size(self, moment: datetime) -> StorageSize:
        return await self._table.storage_size(_expired(moment))

    async def remove_expired(self, moment: datetime) -> int:
        return await self._table.delete_many(_expired(moment))


def _expired(moment: datetime) -> Record:
    return {"expires_at": {"$gt": 0, "$lt": milliseconds(moment)}}


def _key(row: Record) -> ApiKey:
    collections = row.get("collections")
    return ApiKey(
        row["_id"],
        row["user_id"],
        row["name"],
        row["secret_hash"],
        tuple(row["scopes"]),
        time_of(row["created_at"]),
        maybe_time(row["expires_at"]),
        maybe_time(row["last_used_at"]),
        None if collections is None else tuple(collections),
        row.get("credentials_version", 0),
    )
