"""The sources of collections in MongoDB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from semantik.core.errors import Conflict
from semantik.core.models import Source
from semantik.storage.mongo.collection_rows import source_from_row
from semantik.storage.mongo.rows import to_fields, to_row
from semantik.storage.mongo.table import Table


class SourceTable:
    """A path is in a collection once."""

    def __init__(self, sources: Table) -> None:
        self._sources = sources

    async def add_source(self, source: Source) -> None:
        try:
            await self._sources.insert_one(to_row(source))
        except Conflict as error:
            raise Conflict(f"{source.path} is a source of this collection already.") from error

    async def source(self, collection_id: str, source_id: str) -> Source | None:
        row = await self._sources.find_one({"_id": source_id, "collection_id": collection_id})
        return source_from_row(row) if row else None

    async def sources(self, collection_ids: Sequence[str]) -> list[Source]:
        rows = await self._sources.find({"collection_id": {"$in": list(collection_ids)}}, [("path", 1)])
        return [source_from_row(row) for row in rows]

    async def existing_sources(self, source_ids: Iterable[str]) -> set[str]:
        """Those of the ids that are sources of a collection."""
        where = {"_id": {"$in": list(source_ids)}}
        return {row["_id"] for row in await self._sources.find(where, fields={"_id": 1})}

    async def watched_sources(self) -> list[Source]:
        """The sources of all collections that are scanned again automatically."""
        rows = await self._sources.find(
            {"$or": [{"interval_s": {"$gt": 0}}, {"immediate": {"$in": [True, 1]}}]}
        )
        return [source_from_row(row) for row in rows]

    async def update_source(
        self, source: Source, fields: Mapping[str, Any], only_if: Mapping[str, Any] | None = None
    ) -> Source | None:
        """Set fields, if those in `only_if` are as expected; None when they are not, or the source is gone."""
        where = {"_id": source.id, **to_fields(only_if or {})}
        row = await self._sources.update_one(where, {"$set": to_fields(fields)})
        return source_from_row(row) if row else None

    async def remove_source(self, source_id: str) -> None:
        await self._sources.delete_many({"_id": source_id})
