"""Numbers of records in the whole database, for its administrator."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from semantik.storage.mongo.table import Table


@dataclass(frozen=True)
class UsageStats:
    """Numbers of records, by their status where they have one."""

    documents: dict[str, int]
    chunks: int
    operations: dict[str, int]


class UsageReads:
    """Counts across all collections."""

    def __init__(self, documents: Table, chunks: Table, operations: Table) -> None:
        self._documents = documents
        self._chunks = chunks
        self._operations = operations

    async def collect(self) -> UsageStats:
        documents, chunks, operations = await asyncio.gather(
            _count_by(self._documents, "$status"),
            _count_by(self._chunks, None),
            _count_by(self._operations, "$status"),
        )
        return UsageStats(documents, sum(chunks.values()), operations)


async def _count_by(table: Table, key: str | None) -> dict[str, int]:
    return {row["_id"]: int(row["n"]) for row in await table.group({}, key, {"n": {"$sum": 1}})}
