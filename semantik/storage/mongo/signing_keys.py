"""The keys that sign tokens, in MongoDB: numbered, the same for every server on the database."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import datetime

from semantik.core.errors import Conflict
from semantik.core.models import SigningKey
from semantik.storage.mongo.rows import time_of, to_row
from semantik.storage.mongo.table import Table

_BYTES = 48
_OLD = "secret"  # where an older build keeps the only key


class SigningKeyTable:
    """Each key has the number after the one before it as its id, so of two servers that add one, one succeeds."""

    def __init__(self, table: Table, meta: Table) -> None:
        self._table = table
        self._meta = meta

    async def all(self) -> list[SigningKey]:
        """The oldest first."""
        rows = await self._table.find({})
        keys = [SigningKey(row["_id"], row["value"], time_of(row["created_at"])) for row in rows]
        return sorted(keys, key=lambda key: int(key.id))

    async def add_first(self, moment: datetime) -> None:
        """Add key 1, which is the key of an older build if there is one, unless another server does."""
        old = await self._meta.find_one({"_id": _OLD})
        with suppress(Conflict):
            await self._table.insert_one(to_row(_key("1", moment, None if old is None else old["value"])))
        await self._meta.delete_many({"_id": _OLD})

    async def add_after(self, key: SigningKey, moment: datetime) -> SigningKey:
        """Add the key that follows `key`. Raises Conflict when another server has done so."""
        fresh = _key(str(int(key.id) + 1), moment)
        await self._table.insert_one(to_row(fresh))
        return fresh

    async def remove(self, ids: list[str]) -> None:
        await self._table.delete_many({"_id": {"$in": ids}})


def _key(number: str, moment: datetime, value: str | None = None) -> SigningKey:
    return SigningKey(number, value or secrets.token_urlsafe(_BYTES), moment)
