"""Sets of documents that are searched together. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from semantik.client.portal import Portal
from semantik.client.types.collections import (
    Collection,
    CollectionList,
    CollectionStatistics,
    CollectionWithStats,
    ExportedChunk,
    NewCollection,
)
from semantik.client.types.shared import Accepted
from semantik.client.values import UNSET, Unset


class CollectionsSyncCalls(Portal):
    """Sets of documents that are searched together."""

    def list_collections(self, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET) -> CollectionList:
        """The collections that you may read, by name."""
        return self.run(lambda client: client.list_collections(cursor=cursor, limit=limit))

    def create_collection(
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
        """Create a collection."""
        return self.run(
            lambda client: client.create_collection(
                name,
                description=description,
                source_path=source_path,
                server=server,
                embedding_model=embedding_model,
                chunk_size=chunk_size,
                chunk_overlap=chunk_overlap,
            )
        )

    def get_collection(self, collection_id: str) -> CollectionWithStats:
        """One collection, with the state of its indexes."""
        return self.run(lambda client: client.get_collection(collection_id))

    def change_collection(
        self,
        collection_id: str,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        public: bool | Unset = UNSET,
    ) -> Collection:
        """Change a collection's properties."""
        return self.run(
            lambda client: client.change_collection(
                collection_id, name=name, description=description, public=public
            )
        )

    def delete_collection(self, collection_id: str) -> None:
        """Delete a collection."""
        return self.run(lambda client: client.delete_collection(collection_id))

    def append(self, collection_id: str, *, source_id: str | Unset | None = UNSET) -> Accepted:
        """Scan the folders of a collection again."""
        return self.run(lambda client: client.append(collection_id, source_id=source_id))

    def reindex(
        self,
        collection_id: str,
        *,
        embedding_model: str | Unset | None = UNSET,
        precision: Literal["auto", "float32", "bfloat16"] | Unset | None = UNSET,
        chunk_size: int | Unset | None = UNSET,
        chunk_overlap: int | Unset | None = UNSET,
    ) -> Accepted:
        """Split and embed all documents again."""
        return self.run(
            lambda client: client.reindex(
                collection_id,
                embedding_model=embedding_model,
                precision=precision,
                chunk_size=chunk_size,
                chunk_overlap=chunk_overlap,
            )
        )

    def export_collection(
        self, collection_id: str, *, vectors: Literal["numbers", "base64", "none"] | Unset = UNSET
    ) -> Iterator[ExportedChunk]:
        """All chunks with their vectors."""
        return self.iterate(lambda client: client.export_collection(collection_id, vectors=vectors))

    def retry_collection(self, collection_id: str) -> Accepted:
        """Read all failed documents again."""
        return self.run(lambda client: client.retry_collection(collection_id))

    def get_collection_statistics(self, collection_id: str) -> CollectionStatistics:
        """What kinds of documents a collection has."""
        return self.run(lambda client: client.get_collection_statistics(collection_id))
