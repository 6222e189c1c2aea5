"""A collection's chunks with their vectors as JSON lines, for other programs. Runs on the loop; encoding in threads.

It is read a document at a time, so what an export holds in memory does not grow with the collection.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import asdict
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.core.errors import Busy, Conflict
from semantik.core.models import Chunk, Collection, Document
from semantik.storage.mongo import Store

VectorForm = Literal[
    "numbers",  # a list of numbers
    "base64",  # float16, little-endian
    "none",  # left out
]
VECTOR_FORMS: tuple[VectorForm, ...] = get_args(VectorForm)

_Page = list[tuple[Chunk, NDArray[np.float16]]]


class ExportService:
    """Exports on behalf of users; `limit()` is the most at the same time."""

    def __init__(self, store: Store, authorizer: Authorizer, limit: Callable[[], int]) -> None:
        self._store = store
        self._authorizer = authorizer
        self._limit = limit
        self._running = 0

    async def start(
        self, principal: Principal, collection_id: str, vectors: VectorForm
    ) -> AsyncGenerator[bytes, None]:
        """The export of what the collection holds now: lines, some at a time. Raises NotFound, and Busy.

        The iterator raises Conflict where the export cannot be completed: the collection was deleted or reindexed, or
        a document of which a part was exported has changed.
        """
        collection = await self._authorizer.collection(principal, collection_id)
        if self._running >= self._limit():
            raise Busy(f"{self._running} exports are running (operations.exports): try again later.", 30)
        return self._counted(self._lines(collection, vectors))

    async def _counted(self, lines: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        self._running += 1
        try:
            async for page in lines:
                yield page
        finally:
            self._running -= 1

    async def _lines(self, collection: Collection, vectors: VectorForm) -> AsyncIterator[bytes]:
        async for page in self._store.documents.of_generation(collection.current):
            for document in page:
                if document.status == "indexed" and document.chunk_count:
                    async for lines in self._of_document(collection, document, vectors):
                        yield lines
        # A generation that was replaced is removed after a while, and with it what was still to be read.
        now = await self._store.collections.get(collection.id)
        if now is None or now.generation != collection.generation:
            raise Conflict("The collection was deleted or reindexed during its export; export it again.")

    async def _of_document(
        self, collection: Collection, document: Document, vectors: VectorForm
    ) -> AsyncIterator[bytes]:
        """Its chunks. One that has changed since its record was read is exported as it is now, or not if it is gone."""
        current: Document | None = document
        while current is not None and current.status == "indexed":
            found = 0
            async for page in self._store.chunks.pages_with_vectors(current):
                if page:
                    found += len(page)
                    yield await asyncio.to_thread(_encoded, current, page, vectors)
            if found == current.chunk_count:
                return
            if found:
                raise Conflict(f"{document.path} has changed during the export; export the collection again.")
            fresh = await self._store.documents.get(collection.id, document.id)
            current = fresh if fresh != current else None


def _encoded(document: Document, page: _Page, vectors: VectorForm) -> bytes:
    metadata = asdict(document.metadata)
    about = {"id": document.id, "path": document.path, "mime": document.mime, **metadata}
    lines = [
        json.dumps({**_fields(chunk), **_vector(vector, vectors), "document": about}, ensure_ascii=False)
        for chunk, vector in page
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _fields(chunk: Chunk) -> dict[str, Any]:
    return {
        "seq": chunk.seq,
        "text": chunk.text,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "page_label": chunk.page_label,
        "heading": chunk.heading,
        "recognised": chunk.recognised,
    }


def _vector(vector: NDArray[np.float16], form: VectorForm) -> dict[str, Any]:
    if form == "none":
        return {}
    if form == "base64":
        return {"vector": base64.b64encode(vector.astype("<f2").tobytes()).decode()}
    return {"vector": vector.tolist()}
