"""`/api/v2/folders/…`: what a folder holds, before it belongs to a collection."""

from __future__ import annotations

from typing import ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import text
from handlers.serializers import Json, languages_json
from semantik.services.folder_browser import BrowsedFolder

_BROWSE = vol.Schema({vol.Optional("path"): text(1, 4096)})
_FOLDER = vol.Schema({vol.Required("path"): text(1, 4096)})


class FoldersHandler(RestHandler):
    scope = "write"  # as for a scan: an API key that only reads has no use for the server's folders

    async def get(self) -> None:
        path = self.query(_BROWSE).get("path")
        self.note_audit({"path": path} if path else {})
        self.reply(_folder_json(await self.services.folder_browser.browse(self.principal, path)))


class FolderLanguagesHandler(RestHandler):
    audit: ClassVar = {"POST": "folder.languages"}

    async def post(self) -> None:
        path = self.body(_FOLDER)["path"]
        self.note_audit({"path": path})
        roots = await self.services.folder_access.roots(self.principal)
        self.reply(languages_json(await self.services.folder_scans.languages(path, roots)))


def _folder_json(folder: BrowsedFolder) -> Json:
    entries = folder.entries
    start = "" if folder.path is None else folder.path.rstrip("/") + "/"
    return {
        "path": folder.path,
        "parent": folder.parent,
        "folders": [{"name": name, "path": f"{start}{name}"} for name in entries.folders],
        "files": entries.files,
        "bytes": entries.bytes,
        "truncated": entries.truncated,
    }
