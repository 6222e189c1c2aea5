"""Files that operations could not take in, in MongoDB: they stay with the operation, whatever becomes of the file."""

from __future__ import annotations

from collections.abc import Sequence

from semantik.core.models import Failure, FileFailure
from semantik.storage.mongo.table import Record, Table, Weight


class FailureTable:
    """One row for each file and operation."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prepare(self) -> None:
        await self._table.index([("operation_id", 1), ("path", 1)])

    async def note(self, one: FileFailure) -> None:
        """Keep it, in the place of an earlier one of the same file."""
        fields = {
            "operation_id": one.operation_id,
            "document_id": one.document_id,
            "path": one.path,
            "category": one.failure.category,
            "message": one.failure.message,
        }
        await self._table.upsert({"_id": f"{one.operation_id}:{one.document_id}"}, {"$set": fields})

    async def page(self, operation_id: str, after_path: str, limit: int) -> list[FileFailure]:
        """An operation's failures by path, after `after_path`."""
        where: Record = {"operation_id": operation_id, "path": {"$gt": after_path}}
        rows = await self._table.find(where, [("path", 1)], limit)
        return [_failure(row) for row in rows]

    async def weigh(self, operation_ids: Sequence[str]) -> Weight:
        return await self._table.weigh({"operation_id": {"$in": list(operation_ids)}})

    async def remove(self, operation_ids: Sequence[str]) -> None:
        await self._table.delete({"operation_id": {"$in": list(operation_ids)}})


def _failure(row: Record) -> FileFailure:
    failure = Failure(row["category"], row["message"])
    return FileFailure(row["operation_id"], row["document_id"], row["path"], failure)
