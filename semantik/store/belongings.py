"""Rows that belong to a collection or an operation, found by their owner: the owner may not be there any more."""

from __future__ import annotations

from collections.abc import Mapping

from semantik.store.table import Record, Table, Weight

_REMOVE = 20_000
_OWNERS = {
    "chunks": "collection_id",
    "documents": "collection_id",
    "sources": "collection_id",
    "operations": "collection_id",
    "failures": "operation_id",
}


class Belongings:
    """`kind` is the name of a table; the owner of a failure is its operation, of all others a collection."""

    kinds = tuple(_OWNERS)

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables

    async def owners(self, kind: str) -> set[str]:
        """The ids of all that rows say they belong to."""
        rows = await self._tables[kind].group({}, f"${_OWNERS[kind]}", {"n": {"$sum": 1}})
        return {str(row["_id"]) for row in rows}

    async def generations(self, kind: str, collection_id: str) -> set[int]:
        """The generations that chunks or documents of a collection say they belong to."""
        where = {"collection_id": collection_id}
        rows = await self._tables[kind].group(where, "$generation", {"n": {"$sum": 1}})
        return {int(row["_id"]) for row in rows}

    async def weigh(self, kind: str, owner: str, generation: int | None = None) -> Weight:
        return await self._tables[kind].weigh(_where(kind, owner, generation))

    async def remove(self, kind: str, owner: str, generation: int | None = None) -> None:
        """In slices, since one great deletion may outlast its deadline."""
        where, table = _where(kind, owner, generation), self._tables[kind]
        if kind == "chunks":
            row = await table.get(where, [("seq", -1)])
            for begin in range(0, row["seq"] + 1 if row else 0, _REMOVE):
                await table.delete({**where, "seq": {"$gte": begin, "$lt": begin + _REMOVE}})
        else:
            await table.delete_pages(where)


def _where(kind: str, owner: str, generation: int | None) -> Record:
    where: Record = {_OWNERS[kind]: owner}
    if generation is not None:
        where["generation"] = generation
    return where
