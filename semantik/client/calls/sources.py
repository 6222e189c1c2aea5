"""The folders of a collection. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Any

from semantik.client.transport import Transport
from semantik.client.types.shared import Accepted
from semantik.client.types.sources import (
    Folder,
    FolderLanguages,
    Source,
    SourceAccepted,
    SourceKindList,
    SourceList,
)
from semantik.client.values import UNSET, Unset, fill


class SourcesCalls(Transport):
    """The folders of a collection."""

    async def list_sources(self, collection_id: str) -> SourceList:
        """The folders of a collection.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: SourceList = await self.read_json("GET", fill("collections/{}/sources", collection_id))
        return answer

    async def add_source(
        self,
        collection_id: str,
        *,
        path: str | Unset = UNSET,
        kind: str | Unset = UNSET,
        options: dict[str, Any] | Unset = UNSET,
        server: str | Unset | None = UNSET,
    ) -> SourceAccepted:
        """Add a folder or another source, and index it.

        path: The absolute path of a folder on the server's machine.
        kind: What kind of source, as GET /source-kinds lists them; folder if there is none.
        options: The values of the kind's fields by their names.
        server: The label of the running servers that see it, which alone run its operations; null: any
            that can.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: SourceAccepted = await self.read_json(
            "POST",
            fill("collections/{}/sources", collection_id),
            body={"path": path, "kind": kind, "options": options, "server": server},
        )
        return answer

    async def list_source_kinds(self) -> SourceKindList:
        """The kinds of sources that may be added, and their options.

        Raises Refused (401, 421, 422, 429, 503) and Unavailable.
        """
        answer: SourceKindList = await self.read_json("GET", "source-kinds")
        return answer

    async def watch_source(
        self,
        collection_id: str,
        source_id: str,
        *,
        interval_s: int | Unset = UNSET,
        immediate: bool | Unset = UNSET,
        options: dict[str, Any] | Unset = UNSET,
        exclude: list[str] | Unset = UNSET,
        include_excluded: bool | Unset = UNSET,
        server: str | Unset | None = UNSET,
    ) -> Source:
        """Change when a folder is scanned automatically.

        interval_s: Seconds; 0: never.
        options: Options of a source that is no folder; those that are left out stay.
        exclude: Globs of what its scans pass over, as in `documents.exclude`; they replace those before.
        include_excluded: Whether files that were excluded one by one are taken again.
        server: The label of the servers that see it, which alone run its operations; null: any that can.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Source = await self.read_json(
            "PATCH",
            fill("collections/{}/sources/{}", collection_id, source_id),
            body={
                "interval_s": interval_s,
                "immediate": immediate,
                "options": options,
                "exclude": exclude,
                "include_excluded": include_excluded,
                "server": server,
            },
        )
        return answer

    async def remove_source(self, collection_id: str, source_id: str) -> Accepted:
        """Remove a folder and its documents from a collection.

        Raises Refused (401, 403, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        answer: Accepted = await self.read_json(
            "DELETE", fill("collections/{}/sources/{}", collection_id, source_id)
        )
        return answer

    async def browse_folders(self, *, path: str | Unset = UNSET) -> Folder:
        """The folders below a folder, or those that you may index.

        path: A folder on the server's machine; without it the folders that you may index are listed.

        Raises Refused (401, 403, 421, 422, 429, 503) and Unavailable.
        """
        answer: Folder = await self.read_json("GET", "folders", query={"path": path})
        return answer

    async def detect_languages(self, path: str) -> FolderLanguages:
        """The languages of a folder's files.

        path: The absolute path of a folder on the server's machine.

        Raises Refused (401, 403, 408, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: FolderLanguages = await self.read_json(
            "POST", "folders/languages", body={"path": path}, repeatable=True
        )
        return answer
