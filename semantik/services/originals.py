"""The original files of documents, opened for who may read the documents. Runs on the loop.

The file is opened first and checked afterwards, by its descriptor: what a link leads to meanwhile does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from semantik.auth.authorization import Authorizer
from semantik.auth.folder_access import FolderAccess
from semantik.auth.principal import Principal
from semantik.core.errors import Conflict, NotFound
from semantik.core.models import Document, Source
from semantik.core.upload_paths import content_of
from semantik.services.peers import NotHere
from semantik.services.server_labels import ServerLabels
from semantik.storage.mongo import Store
from semantik.storage.upload_contents import UploadContents


@dataclass(frozen=True)
class Original:
    """An open file, which the caller closes: `size` in bytes, `modified_s` since 1970; `version` changes with it."""

    document: Document
    descriptor: int
    size: int
    modified_s: int
    version: str


class OriginalService:
    """`open_file(path, roots, source)` opens a file of the source, below one of the roots.
    It raises NotFound or Unavailable."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        folder_access: FolderAccess,
        uploads: UploadContents,
        open_file: Callable[[str, Sequence[str], Source], Awaitable[int]],
        labels: ServerLabels,
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._folder_access = folder_access
        self._uploads = uploads
        self._open_file = open_file
        self._labels = labels

    async def open(self, principal: Principal, collection_id: str, document_id: str) -> Original:
        """The file of a document. Raises NotFound, NotHere, and Conflict for a part of another document."""
        document = await self._authorizer.document(principal, collection_id, document_id)
        if document.is_part:
            raise Conflict(
                "This document lies inside another one, and has no file of its own: ask for that of the document "
                f"{document.container_id}."
            )
        source = await self._store.collections.source(collection_id, document.source_id)
        if source is None:
            raise NotFound("The folder of this document is not a source of its collection any more.")
        collection = await self._authorizer.collection(principal, collection_id)
        roots = await self._folder_access.roots_of_source(source, collection.owner_id)
        await self._uploads.fetch([document.path])
        try:
            descriptor = await self._open_file(document.path, roots, source)
        except NotFound as error:
            message = f"{error}{await self._labels.where_else(source, roots)}"
            raise NotHere(message, document.path, source.server) from error
        try:
            # Opening may take long, on a disk that is far away: meanwhile the access may have been taken back.
            await self._authorizer.document(principal, collection_id, document_id)
            status = os.fstat(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        content = content_of(document.path)
        modified_ns = document.modified_ns if content else status.st_mtime_ns
        version = content or f"{status.st_ino:x}-{modified_ns:x}-{status.st_size:x}"
        return Original(document, descriptor, status.st_size, modified_ns // 1_000_000_000, version)
