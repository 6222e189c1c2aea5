"""Files that are sent to a collection. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from semantik.client.transport import Transport
from semantik.client.types.uploads import Uploaded, UploadList, UploadWithDocument
from semantik.client.values import UNSET, FileContent, Unset, fill


class UploadsCalls(Transport):
    """Files that are sent to a collection."""

    async def list_uploads(
        self, collection_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> UploadList:
        """The uploads of a collection, the newest first.

        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: UploadList = await self.read_json(
            "GET", fill("collections/{}/uploads", collection_id), query={"cursor": cursor, "limit": limit}
        )
        return answer

    async def upload(
        self,
        collection_id: str,
        content: FileContent,
        *,
        name: str | Unset = UNSET,
        replace: bool | Unset = UNSET,
    ) -> Uploaded:
        """Send files, or begin an upload that can be resumed.

        Files come as `multipart/form-data`, or one as the whole body with its `name` in the query. A
        request with the header `Tus-Resumable` begins a resumable upload by the protocol tus 1.0, and may
        have its first bytes.

        content: The bytes, or the file that has them.
        name: The file's name, where the body is the file.
        replace: Earlier uploads of the same name are removed.

        Raises Refused (401, 403, 404, 408, 409, 412, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Uploaded = await self.read_json(
            "POST",
            fill("collections/{}/uploads", collection_id),
            query={"name": name, "replace": replace},
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        return answer

    async def get_upload(self, collection_id: str, upload_id: str) -> UploadWithDocument:
        """An upload, and the document that it has become.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: UploadWithDocument = await self.read_json(
            "GET", fill("collections/{}/uploads/{}", collection_id, upload_id)
        )
        return answer

    async def get_upload_offset(self, collection_id: str, upload_id: str) -> dict[str, str]:
        """How much of an upload has come (tus).

        Raises Refused (401, 404, 412, 421, 422, 429, 503) and Unavailable.
        """
        answer: dict[str, str] = await self.read_headers(
            "HEAD",
            fill("collections/{}/uploads/{}", collection_id, upload_id),
            headers={"Tus-Resumable": "1.0.0"},
        )
        return answer

    async def continue_upload(
        self, collection_id: str, upload_id: str, content: FileContent, upload_offset: int
    ) -> None:
        """Send more of an upload (tus).

        content: The bytes, or the file that has them.
        upload_offset: How much has come before.

        Raises Refused (401, 403, 404, 408, 409, 412, 413, 415, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json(
            "PATCH",
            fill("collections/{}/uploads/{}", collection_id, upload_id),
            content=content,
            headers={
                "Content-Type": "application/offset+octet-stream",
                "Tus-Resumable": "1.0.0",
                "Upload-Offset": upload_offset,
            },
        )

    async def remove_upload(self, collection_id: str, upload_id: str) -> None:
        """Remove an upload and its document.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("collections/{}/uploads/{}", collection_id, upload_id))
