"""What the last completed scan of each source found, in MongoDB: a digest of every folder, many of them in a row.

The digests are valid while their collection is clean (`Collection.clean`): it is marked dirty before documents change.
Runs on the loop; packing and unpacking run in a thread.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping, Sequence

from bson import Binary

from semantik.core.errors import Conflict
from semantik.core.models import Generation
from semantik.storage.mongo.table import Record, Table

_FOLDERS_PER_ROW = 20_000  # two or three megabytes


class FolderDigestTable:
    """Digests by folder; b"" means that the folder must be compared again, whatever it contains."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("source_id", 1)])
        await self._table.create_index([("collection_id", 1)])

    async def get(self, generation: Generation, source_id: str) -> dict[str, bytes] | None:
        """The source's digests; None when no scan of this generation was completed."""
        rows = await self._table.find({"source_id": source_id, "generation": generation.number})
        if not rows or len(rows) != rows[0]["parts"]:
            return None
        return await asyncio.to_thread(_unpacked, rows)

    async def put(self, generation: Generation, source_id: str, digests: Mapping[str, bytes]) -> None:
        """Replace the source's digests."""
        await self.remove([source_id])
        slices = await asyncio.to_thread(_packed, digests)
        rows = [
            {
                "_id": f"{source_id}:{number}",
                "source_id": source_id,
                "collection_id": generation.collection_id,
                "generation": generation.number,
                "parts": len(slices),
                **part,
            }
            for number, part in enumerate(slices)
        ]
        try:
            for row in rows:
                await self._table.insert_one(row)
        except Conflict:
            # Another server that had the operation before, or has it now, writes them as well: keep none.
            await self.remove([source_id])

    async def remove(self, source_ids: Sequence[str]) -> None:
        for source_id in source_ids:
            await self._table.delete_many({"source_id": source_id})

    async def remove_all(self, collection_id: str) -> None:
        await self._table.delete_many({"collection_id": collection_id})


def _packed(digests: Mapping[str, bytes]) -> list[Record]:
    items = sorted(digests.items())
    return [_part(items[at : at + _FOLDERS_PER_ROW]) for at in range(0, max(len(items), 1), _FOLDERS_PER_ROW)]


def _part(part: Sequence[tuple[str, bytes]]) -> Record:
    folders = "\0".join(folder for folder, _ in part).encode()
    digests = b"".join(bytes([len(digest)]) + digest for _, digest in part)
    return {"folders": Binary(zlib.compress(folders, 1)), "digests": Binary(digests), "number": len(part)}


def _unpacked(rows: Sequence[Record]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for row in rows:
        digests, at = [], 0
        joined = bytes(row["digests"])
        while at < len(joined):
            end = at + 1 + joined[at]
            digests.append(joined[at + 1 : end])
            at = end
        folders = zlib.decompress(row["folders"]).decode().split("\0") if digests else []
        found |= zip(folders, digests, strict=True)
    return found
