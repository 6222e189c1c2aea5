"""Rows that belong to a collection or an operation, found by their owner: the owner may not be there any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from semantik.storage.mongo.table import Record, Table, Weight

_PAGE = 5000
_SLICE = 20_000
_OWNERS = {
    "chunks": "collection_id",
    "documents": "collection_id",
    "sources": "collection_id",
    "listings": "collection_id",
    "operations": "collection_id",
    "failures": "operation_id",
}


class ByOwner:
    """`kind` is the name of a table; the owner of a failure is its operation, of all others a collection."""

    kinds = tuple(_OWNERS)

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables

    async def owners(self, kind: str) -> set[str]:
        """The ids of all that rows say they belong to; the index leads from one to the next."""
        table, field = self._tables[kind], _OWNERS[kind]
        found: set[str] = set()
        last = ""
        while row := await table.get({field: {"$gt": last}}, [(field, 1)]):
            last = str(row[field])
            found.add(last)
        return found

    async def generations(self, kind: str, collection_id: str) -> set[int]:
        """The generations that chunks or documents of a collection say they belong to."""
        table, where = self._tables[kind], {"collection_id": collection_id}
        key = "seq" if kind == "chunks" else "_id"
        found: set[int] = set()
        async for rows in table.pages(where, key, _PAGE, {key: 1, "generation": 1}):
            found |= {int(row["generation"]) for row in rows}
        return found

    async def weigh(self, kind: str, owner: str, generation: int | None = None) -> Weight:
        weight = Weight(0, 0)
        async for where in self._slices(kind, _where(kind, owner, generation)):
            weight += await self._tables[kind].weigh(where)
        return weight

    async def remove(self, kind: str, owner: str, generation: int | None = None) -> None:
        if kind != "chunks":
            await self._tables[kind].delete_pages(_where(kind, owner, generation))
            return
        async for where in self._slices(kind, _where(kind, owner, generation)):
            await self._tables[kind].delete(where)

    async def _slices(self, kind: str, where: Record) -> AsyncIterator[Record]:
        """Chunks come in slices, since what is done to very many may outlast its deadline."""
        if kind != "chunks":
            yield where
            return
        row = await self._tables[kind].get({"collection_id": where["collection_id"]}, [("seq", -1)])
        for begin in range(0, row["seq"] + 1 if row else 0, _SLICE):
            yield {**where, "seq": {"$gte": begin, "$lt": begin + _SLICE}}


def _where(kind: str, owner: str, generation: int | None) -> Record:
    where: Record = {_OWNERS[kind]: owner}
    if generation is not None:
        where["generation"] = generation
    return where
