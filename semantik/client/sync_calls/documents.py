"""The files of a collection, their state and their text. Written by `make clients` from docs/openapi.yaml:
do not change it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from semantik.client.portal import Portal
from semantik.client.types.documents import (
    Content,
    Document,
    DocumentFilters,
    DocumentList,
    DocumentsAccepted,
    DocumentSort,
    DocumentsTagged,
)
from semantik.client.types.shared import Accepted, FailureCategory
from semantik.client.values import UNSET, Unset


class DocumentsSyncCalls(Portal):
    """The files of a collection, their state and their text."""

    def list_documents(
        self,
        collection_id: str,
        *,
        status: Literal["pending", "indexed", "failed", "skipped"] | Unset = UNSET,
        warned: bool | Unset = UNSET,
        name: str | Unset = UNSET,
        sort: DocumentSort | Unset = UNSET,
        order: Literal["ascending", "descending"] | Unset = UNSET,
        offset: int | Unset = UNSET,
        at: str | Unset = UNSET,
        type_: str | Unset = UNSET,
        folder: str | Unset = UNSET,
        reason: FailureCategory | Unset = UNSET,
        source_id: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> DocumentList:
        """The documents of a collection, by path."""
        return self.run(
            lambda client: client.list_documents(
                collection_id,
                status=status,
                warned=warned,
                name=name,
                sort=sort,
                order=order,
                offset=offset,
                at=at,
                type_=type_,
                folder=folder,
                reason=reason,
                source_id=source_id,
                cursor=cursor,
                limit=limit,
            )
        )

    def retry_documents(self, collection_id: str, where: DocumentFilters) -> DocumentsAccepted:
        """Read failed documents again."""
        return self.run(lambda client: client.retry_documents(collection_id, where))

    def remove_documents(
        self, collection_id: str, where: DocumentFilters, *, exclude: bool | Unset = UNSET
    ) -> DocumentsAccepted:
        """Remove documents, and have later scans pass over their files."""
        return self.run(lambda client: client.remove_documents(collection_id, where, exclude=exclude))

    def tag_documents(
        self,
        collection_id: str,
        where: DocumentFilters,
        *,
        add: list[str] | Unset = UNSET,
        remove: list[str] | Unset = UNSET,
    ) -> DocumentsTagged:
        """Add tags to documents, and remove others."""
        return self.run(lambda client: client.tag_documents(collection_id, where, add=add, remove=remove))

    def get_document(self, collection_id: str, document_id: str) -> Document:
        """One document."""
        return self.run(lambda client: client.get_document(collection_id, document_id))

    def get_content(
        self, collection_id: str, document_id: str, *, offset: int | Unset = UNSET, limit: int | Unset = UNSET
    ) -> Content:
        """The text of a document as it was read."""
        return self.run(
            lambda client: client.get_content(collection_id, document_id, offset=offset, limit=limit)
        )

    def get_original(
        self,
        collection_id: str,
        document_id: str,
        *,
        download: bool | Unset = UNSET,
        range_: str | Unset = UNSET,
    ) -> Iterator[bytes]:
        """The file of a document."""
        return self.iterate(
            lambda client: client.get_original(collection_id, document_id, download=download, range_=range_)
        )

    def describe_original(
        self, collection_id: str, document_id: str, *, download: bool | Unset = UNSET
    ) -> dict[str, str]:
        """Type, size and version of the file of a document."""
        return self.run(
            lambda client: client.describe_original(collection_id, document_id, download=download)
        )

    def replace_document_tags(self, collection_id: str, document_id: str, tags: list[str]) -> Document:
        """Give a document tags."""
        return self.run(lambda client: client.replace_document_tags(collection_id, document_id, tags))

    def retry_document(self, collection_id: str, document_id: str) -> Accepted:
        """Read a failed document again."""
        return self.run(lambda client: client.retry_document(collection_id, document_id))
