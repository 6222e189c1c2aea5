"""Files that are sent to a collection. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from semantik.client.portal import Portal
from semantik.client.types.uploads import Uploaded, UploadList, UploadWithDocument
from semantik.client.values import UNSET, FileContent, Unset


class UploadsSyncCalls(Portal):
    """Files that are sent to a collection."""

    def list_uploads(
        self, collection_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> UploadList:
        """The uploads of a collection, the newest first."""
        return self.run(lambda client: client.list_uploads(collection_id, cursor=cursor, limit=limit))

    def upload(
        self,
        collection_id: str,
        content: FileContent,
        *,
        name: str | Unset = UNSET,
        replace: bool | Unset = UNSET,
    ) -> Uploaded:
        """Send files, or begin an upload that can be resumed."""
        return self.run(lambda client: client.upload(collection_id, content, name=name, replace=replace))

    def get_upload(self, collection_id: str, upload_id: str) -> UploadWithDocument:
        """An upload, and the document that it has become."""
        return self.run(lambda client: client.get_upload(collection_id, upload_id))

    def get_upload_offset(self, collection_id: str, upload_id: str) -> dict[str, str]:
        """How much of an upload has come (tus)."""
        return self.run(lambda client: client.get_upload_offset(collection_id, upload_id))

    def continue_upload(
        self, collection_id: str, upload_id: str, content: FileContent, upload_offset: int
    ) -> None:
        """Send more of an upload (tus)."""
        return self.run(
            lambda client: client.continue_upload(collection_id, upload_id, content, upload_offset)
        )

    def remove_upload(self, collection_id: str, upload_id: str) -> None:
        """Remove an upload and its document."""
        return self.run(lambda client: client.remove_upload(collection_id, upload_id))
