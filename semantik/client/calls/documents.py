"""The files of a collection, their state and their text. Written by `make clients` from docs/openapi.yaml:
do not change it by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from semantik.client.transport import Transport
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
from semantik.client.values import UNSET, Unset, fill


class DocumentsCalls(Transport):
    """The files of a collection, their state and their text."""

    async def list_documents(
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
        """The documents of a collection, by path.

        status: Only documents in this state.
        warned: Only documents whose `quality` has warnings.
        name: Only documents whose name contains this text.
        sort: The order. With this or any of the parameters below, the list may be entered anywhere by
            `offset`, and has no cursor.
        offset: How many documents of the list to leave out before the page.
        at: Begin the page with the first document whose name begins with this text, or else contains it.
        type_: Only documents of this type, as the statistics name it.
        folder: Only documents below this folder.
        reason: Only documents that failed or were skipped for this reason.
        source_id: Only documents of this source.
        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: DocumentList = await self.read_json(
            "GET",
            fill("collections/{}/documents", collection_id),
            query={
                "status": status,
                "warned": warned,
                "name": name,
                "sort": sort,
                "order": order,
                "offset": offset,
                "at": at,
                "type": type_,
                "folder": folder,
                "reason": reason,
                "source_id": source_id,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return answer

    async def retry_documents(self, collection_id: str, where: DocumentFilters) -> DocumentsAccepted:
        """Read failed documents again.

        where: Documents for which all of these hold; an empty object chooses all.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: DocumentsAccepted = await self.read_json(
            "POST", fill("collections/{}/documents/retry", collection_id), body={"where": where}
        )
        return answer

    async def remove_documents(
        self, collection_id: str, where: DocumentFilters, *, exclude: bool | Unset = UNSET
    ) -> DocumentsAccepted:
        """Remove documents, and have later scans pass over their files.

        where: Documents for which all of these hold; an empty object chooses all.
        exclude: Whether later scans pass over their files; else they find them again.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: DocumentsAccepted = await self.read_json(
            "POST",
            fill("collections/{}/documents/remove", collection_id),
            body={"where": where, "exclude": exclude},
        )
        return answer

    async def tag_documents(
        self,
        collection_id: str,
        where: DocumentFilters,
        *,
        add: list[str] | Unset = UNSET,
        remove: list[str] | Unset = UNSET,
    ) -> DocumentsTagged:
        """Add tags to documents, and remove others.

        where: Documents for which all of these hold; an empty object chooses all.

        Raises Refused (401, 403, 404, 408, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: DocumentsTagged = await self.read_json(
            "POST",
            fill("collections/{}/documents/tags", collection_id),
            body={"where": where, "add": add, "remove": remove},
        )
        return answer

    async def get_document(self, collection_id: str, document_id: str) -> Document:
        """One document.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: Document = await self.read_json(
            "GET", fill("collections/{}/documents/{}", collection_id, document_id)
        )
        return answer

    async def get_content(
        self, collection_id: str, document_id: str, *, offset: int | Unset = UNSET, limit: int | Unset = UNSET
    ) -> Content:
        """The text of a document as it was read.

        offset: Where to begin, in characters.
        limit: How many characters at most.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: Content = await self.read_json(
            "GET",
            fill("collections/{}/documents/{}/content", collection_id, document_id),
            query={"offset": offset, "limit": limit},
        )
        return answer

    def get_original(
        self,
        collection_id: str,
        document_id: str,
        *,
        download: bool | Unset = UNSET,
        range_: str | Unset = UNSET,
    ) -> AsyncIterator[bytes]:
        """The file of a document.

        download: A browser is to save it, whatever it is.
        range_: The bytes that are wanted, in one range.

        Raises Refused (401, 404, 409, 416, 421, 422, 429, 503) and Unavailable.
        """
        return self.stream_bytes(
            "GET",
            fill("collections/{}/documents/{}/original", collection_id, document_id),
            query={"download": download},
            headers={"Range": range_},
        )

    async def describe_original(
        self, collection_id: str, document_id: str, *, download: bool | Unset = UNSET
    ) -> dict[str, str]:
        """Type, size and version of the file of a document.

        download: A browser is to save it, whatever it is.

        Raises Refused (401, 404, 409, 416, 421, 422, 429, 503) and Unavailable.
        """
        answer: dict[str, str] = await self.read_headers(
            "HEAD",
            fill("collections/{}/documents/{}/original", collection_id, document_id),
            query={"download": download},
        )
        return answer

    async def replace_document_tags(self, collection_id: str, document_id: str, tags: list[str]) -> Document:
        """Give a document tags.

        They replace those that users gave it before, and stay when it is read again or moved.

        tags: At most 100, each of 1 to 100 characters with a letter or digit, and without a comma or `*`.

        Raises Refused (401, 403, 404, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Document = await self.read_json(
            "PUT", fill("collections/{}/documents/{}/tags", collection_id, document_id), body={"tags": tags}
        )
        return answer

    async def retry_document(self, collection_id: str, document_id: str) -> Accepted:
        """Read a failed document again.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Accepted = await self.read_json(
            "POST", fill("collections/{}/documents/{}/retry", collection_id, document_id), body={}
        )
        return answer
