"""Files that operations could not index, in MongoDB: kept with the operation, whatever happens to the file later."""

from __future__ import annotations

from collections.abc import Sequence

from semantik.core.models import Failure, FileFailure
from semantik.storage.mongo.table import Record, StorageSize, Table


class FailureTable:
    """One row for each file and operation."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("operation_id", 1), ("path", 1)])

    async def record(self, one: FileFailure) -> None:
        """Save it, replacing an earlier one of the same operation and file."""
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

    async def storage_size(self, operation_ids: Sequence[str]) -> StorageSize:
        return await self._table.storage_size({"operation_id": {"$in": list(operation_ids)}})

    async def remove(self, operation_ids: Sequence[str]) -> None:
        await self._table.delete_many({"operation_id": {"$in": list(operation_ids)}})


def _failure(row: Record) -> FileFailure:
    failure = Failure(row["category"], row["message"])
    return FileFailure(row["operation_id"], row["document_id"], row["path"], failure)
