"""Second factors in MongoDB, a row for each user who has one or is setting it up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from semantik.core.models import SecondFactor
from semantik.storage.mongo.rows import maybe_time, milliseconds, time_of, to_row
from semantik.storage.mongo.table import Table


class SecondFactorTable:
    """Secrets come sealed, and recovery codes as hashes. Each change is one write that checks what it builds on."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, user_id: str) -> SecondFactor | None:
        row = await self._table.find_one({"_id": user_id})
        if row is None:
            return None
        return SecondFactor(
            row["_id"],
            row["sealed_secret"],
            time_of(row["created_at"]),
            maybe_time(row["confirmed_at"]),
            row["last_step"],
            tuple(row["recovery_hashes"]),
        )

    async def confirmed_ids(self) -> set[str]:
        """The users who have one."""
        rows = await self._table.find({"confirmed_at": {"$gt": 0}}, fields={"_id": 1})
        return {row["_id"] for row in rows}

    async def replace_unconfirmed(self, factor: SecondFactor) -> None:
        """Save one that is being set up. Raises Conflict when the user has a confirmed one."""
        await self._table.delete_many({"_id": factor.id, "confirmed_at": None})
        await self._table.insert_one(to_row(factor))

    async def confirm(
        self, factor: SecondFactor, moment: datetime, step: int, recovery_hashes: Sequence[str]
    ) -> bool:
        """Whether it still was the one that is being set up."""
        where = {"_id": factor.id, "sealed_secret": factor.sealed_secret, "confirmed_at": None}
        fields = {
            "confirmed_at": milliseconds(moment),
            "last_step": step,
            "recovery_hashes": list(recovery_hashes),
            "recovery_left": len(recovery_hashes),
        }
        return await self._table.update_one(where, {"$set": fields}) is not None

    async def take_step(self, factor: SecondFactor, step: int) -> bool:
        """Use the code of a step; False when it, or a later one, was used already."""
        where = {"_id": factor.id, "sealed_secret": factor.sealed_secret, "last_step": {"$lt": step}}
        return await self._table.update_one(where, {"$set": {"last_step": step}}) is not None

    async def take_recovery_code(self, factor: SecondFactor, code_hash: str) -> bool:
        """Use up a recovery code; False when it was used meanwhile."""
        left = [each for each in factor.recovery_hashes if each != code_hash]
        # The embedded store cannot compare lists; no code comes back, so their number says whether one was used.
        where = {
            "_id": factor.id,
            "sealed_secret": factor.sealed_secret,
            "recovery_left": len(factor.recovery_hashes),
        }
        fields = {"recovery_hashes": left, "recovery_left": len(left)}
        return await self._table.update_one(where, {"$set": fields}) is not None

    async def remove(self, user_id: str) -> bool:
        """False when there was none."""
        return await self._table.delete_many({"_id": user_id}) > 0
