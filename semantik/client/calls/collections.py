"""Sets of documents that are searched together. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from semantik.client.transport import Transport
from semantik.client.types.collections import (
    Collection,
    CollectionList,
    CollectionStatistics,
    CollectionWithStats,
    ExportedChunk,
    NewCollection,
)
from semantik.client.types.shared import Accepted
from semantik.client.values import UNSET, Unset, fill


class CollectionsCalls(Transport):
    """Sets of documents that are searched together."""

    async def list_collections(
        self, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> CollectionList:
        """The collections that you may read, by name.

        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 421, 422, 429, 503) and Unavailable.
        """
        answer: CollectionList = await self.read_json(
            "GET", "collections", query={"cursor": cursor, "limit": limit}
        )
        return answer

    async def create_collection(
        self,
        name: str,
        *,
        description: str | Unset = UNSET,
        source_path: str | Unset | None = UNSET,
        server: str | Unset | None = UNSET,
        embedding_model: str | Unset | None = UNSET,
        chunk_size: int | Unset | None = UNSET,
        chunk_overlap: int | Unset | None = UNSET,
    ) -> NewCollection:
        """Create a collection.

        With `source_path` an INDEX operation is queued.

        name: 1 to 200 printable characters; no other collection of yours may have it, in any case.
        description: At most 10 000 characters.
        source_path: The absolute path of a folder on the server's machine.
        server: The label of the running servers that see the folder; null: this one does. Only with
            `source_path`.
        embedding_model: A model that `embedding.allowed_models` permits.
        chunk_size: Tokens of a chunk. More than the model reads becomes what it can, with a warning.
        chunk_overlap: Tokens that neighbouring chunks share; less than `chunk_size`.

        Raises Refused (401, 403, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: NewCollection = await self.read_json(
            "POST",
            "collections",
            body={
                "name": name,
                "description": description,
                "source_path": source_path,
                "server": server,
                "embedding_model": embedding_model,
                "chunk_size": chunk_size,
                "chunk_overlap": chunk_overlap,
            },
        )
        return answer

    async def get_collection(self, collection_id: str) -> CollectionWithStats:
        """One collection, with the state of its indexes.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: CollectionWithStats = await self.read_json("GET", fill("collections/{}", collection_id))
        return answer

    async def change_collection(
        self,
        collection_id: str,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        public: bool | Unset = UNSET,
    ) -> Collection:
        """Change a collection's properties.

        name: 1 to 200 printable characters.
        public: Whether every signed-in user may read it. No API key may change this.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Collection = await self.read_json(
            "PATCH",
            fill("collections/{}", collection_id),
            body={"name": name, "description": description, "public": public},
        )
        return answer

    async def delete_collection(self, collection_id: str) -> None:
        """Delete a collection.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("collections/{}", collection_id))

    async def append(self, collection_id: str, *, source_id: str | Unset | None = UNSET) -> Accepted:
        """Scan the folders of a collection again.

        All folders, or the one of `source_id`. If an equal operation is queued already, the answer names
        that one.

        source_id: One folder; null: all of them.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Accepted = await self.read_json(
            "POST", fill("collections/{}/append", collection_id), body={"source_id": source_id}
        )
        return answer

    async def reindex(
        self,
        collection_id: str,
        *,
        embedding_model: str | Unset | None = UNSET,
        precision: Literal["auto", "float32", "bfloat16"] | Unset | None = UNSET,
        chunk_size: int | Unset | None = UNSET,
        chunk_overlap: int | Unset | None = UNSET,
    ) -> Accepted:
        """Split and embed all documents again.

        What is not given stays as it is. The present chunks are searched until the operation has
        completed.

        embedding_model: A model that `embedding.allowed_models` permits.
        chunk_size: Tokens of a chunk. More than the model reads becomes what it can, with a warning.
        chunk_overlap: Tokens that neighbouring chunks share; less than `chunk_size`.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Accepted = await self.read_json(
            "POST",
            fill("collections/{}/reindex", collection_id),
            body={
                "embedding_model": embedding_model,
                "precision": precision,
                "chunk_size": chunk_size,
                "chunk_overlap": chunk_overlap,
            },
        )
        return answer

    def export_collection(
        self, collection_id: str, *, vectors: Literal["numbers", "base64", "none"] | Unset = UNSET
    ) -> AsyncIterator[ExportedChunk]:
        """All chunks with their vectors.

        A collection that is deleted or reindexed meanwhile breaks the connection off.

        vectors: As a list of numbers, as base64 of float16 (little-endian), or left out.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        return self.stream_lines(
            "GET", fill("collections/{}/export", collection_id), query={"vectors": vectors}
        )

    async def retry_collection(self, collection_id: str) -> Accepted:
        """Read all failed documents again.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Accepted = await self.read_json("POST", fill("collections/{}/retry", collection_id), body={})
        return answer

    async def get_collection_statistics(self, collection_id: str) -> CollectionStatistics:
        """What kinds of documents a collection has.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: CollectionStatistics = await self.read_json(
            "GET", fill("collections/{}/statistics", collection_id)
        )
        return answer
