"""Which account a person of an identity provider, or of a proxy, has here: in MongoDB."""

from __future__ import annotations

import hashlib

from semantik.core.models import Identity
from semantik.storage.mongo.rows import time_of, to_fields
from semantik.storage.mongo.table import Table


class IdentityTable:
    """One row for each person; its key is a digest of the issuer and the subject, which may be long."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("user_id", 1)])

    async def get(self, issuer: str, subject: str) -> Identity | None:
        row = await self._table.find_one({"_id": _key(issuer, subject)})
        if row is None:
            return None
        return Identity(row["issuer"], row["subject"], row["user_id"], time_of(row["created_at"]))

    async def add(self, identity: Identity) -> None:
        """Raises Conflict when the person has an account already."""
        key = _key(identity.issuer, identity.subject)
        await self._table.insert_one({"_id": key, **to_fields(vars(identity))})

    async def put(self, identity: Identity) -> None:
        """Add it, or replace what there is."""
        key = _key(identity.issuer, identity.subject)
        await self._table.upsert({"_id": key}, {"$set": to_fields(vars(identity))})

    async def remove_of(self, user_id: str) -> None:
        """Forget who had this account."""
        await self._table.delete_many({"user_id": user_id})


def _key(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()
