"""One collection of Milvus: its rows, and what of it is known to be complete. Runs on the loop.

A row is a chunk: `seq`, its vector, and an empty `mark`. The row of seq -1 has the mark: up to which seq all chunks
were added, and which later ones must not be found. It is dropped and restored together with the rows that it is about.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymilvus import AsyncMilvusClient, DataType

from semantik.core.errors import EngineAway
from semantik.index import ranges
from semantik.index.milvus import expressions
from semantik.index.milvus.connection import CollectionGone, MilvusConnection, NotImplementedThere
from semantik.index.ranges import Ranges
from semantik.index.retriever import ScoredSeq

log = logging.getLogger(__name__)

MOST_ROWS = 16_384
"""Rows of one answer at most."""
MARK_SEQ = -1
_SEQ, _VECTOR, _MARK = "seq", "vector", "mark"
_MARK_BYTES = 60_000
_AHEAD_RANGES = 2000  # more do not fit into a mark; a search drops what it finds of the others
# Rows are encoded on the loop: so many take four milliseconds.
_BATCH_ROWS = 128
_PREPARE_S = 120.0  # an index of many vectors is loaded
_POLL_S = 0.1


@dataclass(frozen=True)
class Mark:
    """All chunks up to `last_seq` were added; those of `ahead`, above it, are deleted when they are."""

    last_seq: int = -1
    ahead: Ranges = field(default_factory=lambda: ranges.EMPTY)

    def encode(self) -> str:
        return json.dumps({"last_seq": self.last_seq, "ahead": self.ahead[:_AHEAD_RANGES].tolist()})

    @staticmethod
    def decode(text: str) -> Mark:
        given = json.loads(text)
        return Mark(given["last_seq"], ranges.normalize([(start, end) for start, end in given["ahead"]]))


class MilvusCollection:
    """`await open()` must have returned before anything else is called. All calls raise what `MilvusConnection.call`
    does."""

    def __init__(self, connection: MilvusConnection, name: str, dimension: int) -> None:
        self._connection = connection
        self.name = name
        self._dimension = dimension
        settings = connection.settings
        self._effort = settings.search_effort

    async def open(self) -> Mark:
        """Make the collection if there is none, or one of another dimension, and load it."""
        if await self._dimension_there() not in (None, self._dimension):
            log.warning("milvus %s: it is for vectors of another dimension, and is made anew", self.name)
            await self.drop()
        if await self._dimension_there() is None:
            await self._create()
        if not await self._call("list_indexes"):
            await self._create_index()
        settings = self._connection.settings
        await self._call("load_collection", timeout_s=_PREPARE_S, replica_number=settings.replicas)
        mark = await self.mark()
        if mark is None:
            await self.save_mark(mark := Mark())
        return mark

    async def drop(self) -> None:
        try:
            await self._call("drop_collection")
        except CollectionGone:
            log.debug("milvus %s: another server has dropped it", self.name)

    async def mark(self) -> Mark | None:
        """What is known now; after this call every row that any server has added before it is found."""
        rows = await self._query(f"seq == {MARK_SEQ}", [_MARK], "Strong")
        return Mark.decode(rows[0][_MARK]) if rows else None

    async def save_mark(self, mark: Mark) -> None:
        if len(mark.ahead) > _AHEAD_RANGES:
            log.info("milvus %s: %d deletions are ahead; not all are kept", self.name, len(mark.ahead))
        first = np.zeros(self._dimension, np.float32)
        first[0] = 1.0
        await self._call("upsert", [{_SEQ: MARK_SEQ, _VECTOR: first, _MARK: mark.encode()}])

    async def add(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Add rows, or replace those that are there: vectors (n, dimension) by their seqs (n)."""
        for at in range(0, len(seqs), _BATCH_ROWS):
            part = slice(at, at + _BATCH_ROWS)
            numbers, rows = seqs[part].tolist(), vectors[part].astype(np.float32)
            await self._call(
                "upsert",
                [{_SEQ: seq, _VECTOR: row, _MARK: ""} for seq, row in zip(numbers, rows, strict=True)],
            )

    async def delete(self, seqs: Ranges) -> None:
        """Delete the rows of sorted disjoint ranges."""
        for expression in expressions.parts(seqs):
            await self._call("delete", filter=expression)

    async def count(self) -> int:
        """How many chunks can be found, counted exactly."""
        rows = await self._query("", ["count(*)"], "Strong")
        return int(rows[0]["count(*)"]) - 1

    async def nearest(
        self, vector: NDArray[np.float32], limit: int, expression: str = ""
    ) -> tuple[list[ScoredSeq], bool]:
        """The nearest of at most `limit` rows to a unit vector, best first; and whether there may be more of them."""
        limit = min(limit, MOST_ROWS)
        found = await self._call(
            "search",
            [vector],
            filter=expression,
            limit=limit,
            anns_field=_VECTOR,
            output_fields=[_SEQ],
            search_params={"metric_type": "COSINE", "params": self._search_params(limit)},
            consistency_level="Session",
        )
        # Sums in different orders differ in the seventh digit: equal vectors shall have equal scores.
        hits = [ScoredSeq(hit.id, round(max(-1.0, min(1.0, hit.distance)), 6)) for hit in found[0]]
        return [each for each in hits if each.seq != MARK_SEQ], len(hits) >= limit

    async def present(self, seqs: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The vectors of those of the seqs that can be found."""
        found: dict[int, NDArray[np.float32]] = {}
        for at in range(0, len(seqs), _BATCH_ROWS):
            expression = expressions.in_list(seqs[at : at + _BATCH_ROWS])
            rows = await self._query(expression, [_SEQ, _VECTOR])
            found |= {row[_SEQ]: np.array(row[_VECTOR], np.float32) for row in rows}
        return found

    async def seqs(self, after: int, last: int) -> NDArray[np.int64]:
        """The seqs that can be found above `after` up to `last`, ascending; the range has at most `MOST_ROWS`."""
        rows = await self._query(expressions.in_range(after + 1, last + 1), [_SEQ], "Strong", MOST_ROWS)
        return np.sort(np.array([row[_SEQ] for row in rows], np.int64))

    async def some_seqs(self) -> NDArray[np.int64]:
        """Any seqs that can be found, `MOST_ROWS` at most, ascending."""
        rows = await self._query("seq >= 0", [_SEQ], limit=MOST_ROWS)
        return np.sort(np.array([row[_SEQ] for row in rows], np.int64))

    async def _dimension_there(self) -> int | None:
        if not await self._call("has_collection"):
            return None
        description = await self._call("describe_collection")
        fields = {each["name"]: each.get("params", {}) for each in description["fields"]}
        return int(fields.get(_VECTOR, {}).get("dim", -1))

    async def _create(self) -> None:
        schema = AsyncMilvusClient.create_schema(auto_id=False)
        schema.add_field(_SEQ, DataType.INT64, is_primary=True)
        schema.add_field(_VECTOR, DataType.FLOAT_VECTOR, dim=self._dimension)
        schema.add_field(_MARK, DataType.VARCHAR, max_length=_MARK_BYTES)
        shards = self._connection.settings.shards
        try:
            await self._call(
                "create_collection", schema=schema, num_shards=shards, consistency_level="Session"
            )
        except EngineAway:
            if not await self._call("has_collection"):  # another server may have made it meanwhile
                raise

    async def _create_index(self) -> None:
        index = AsyncMilvusClient.prepare_index_params()
        kind = self._connection.settings.index_type
        params = {"M": 16, "efConstruction": 200} if kind == "HNSW" else {}
        index.add_index(_VECTOR, index_type=kind, metric_type="COSINE", params=params)
        try:
            await self._call("create_index", index)
        except NotImplementedThere:
            # The index is made; the library then asks for a time, which milvus-lite does not tell.
            log.debug("milvus %s: it does not tell the time", self.name)
        until = time.monotonic() + _PREPARE_S
        while (await self._call("describe_index", _VECTOR)).get("state") != "Finished":
            if time.monotonic() > until:
                raise EngineAway(f"Milvus has not made the index of {self.name} in {_PREPARE_S:.0f} s.", 30)
            await asyncio.sleep(_POLL_S)

    def _search_params(self, limit: int) -> dict[str, int]:
        kind = self._connection.settings.index_type
        effort = max(self._effort, 2 * limit)
        return {"HNSW": {"ef": effort}, "DISKANN": {"search_list": effort}}.get(kind, {})

    async def _query(
        self, expression: str, fields: list[str], level: str = "Session", limit: int | None = None
    ) -> list[dict[str, Any]]:
        bound = {} if limit is None else {"limit": limit}
        return list(
            await self._call(
                "query", filter=expression, output_fields=fields, consistency_level=level, **bound
            )
        )

    async def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return await self._connection.call(method, self.name, *args, **kwargs)
