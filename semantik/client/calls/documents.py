"""The files of a collection, their state and their text. Written by `make clients` from docs/openapi.yaml:
do not change it by hand.
"""

from __future__ import annotations

from typing import Literal

from semantik.client.transport import Transport
from semantik.client.types.documents import Content, Document, DocumentList
from semantik.client.types.shared import Accepted
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
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> DocumentList:
        """The documents of a collection, by path.

        status: Only documents in this state.
        warned: Only documents whose `quality` has warnings.
        name: Only documents whose name contains this text.
        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: DocumentList = await self.read_json(
            "GET",
            fill("collections/{}/documents", collection_id),
            query={"status": status, "warned": warned, "name": name, "cursor": cursor, "limit": limit},
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

    async def retry_document(self, collection_id: str, document_id: str) -> Accepted:
        """Read a failed document again.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Accepted = await self.read_json(
            "POST", fill("collections/{}/documents/{}/retry", collection_id, document_id), body={}
        )
        return answer
