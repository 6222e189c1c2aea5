"""`/api/v2/folders/…`: what a folder holds, before it belongs to a collection."""

from __future__ import annotations

from typing import ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import text
from handlers.serializers import Json, languages_json
from semantik.core.errors import Forbidden, Invalid
from semantik.services.folder_browser import BrowsedFolder

_BROWSE = vol.Schema({vol.Optional("path"): text(1, 4096)})
_FOLDER = vol.Schema({vol.Required("path"): text(1, 4096)})


class FoldersHandler(RestHandler):
    scope = "write"  # as for a scan: an API key that only reads has no use for the server's folders

    async def get(self) -> None:
        path = self.query(_BROWSE).get("path")
        self.note_audit({"path": path} if path else {})
        services = self.services
        try:
            folder = await services.folder_browser.browse(self.principal, path)
        except (Invalid, Forbidden):
            if path and await services.passing_on.answer(self, self.principal, path):
                return
            raise
        self.reply(_folder_json(folder))


class FolderLanguagesHandler(RestHandler):
    audit: ClassVar = {"POST": "folder.languages"}

    async def post(self) -> None:
        path = self.body(_FOLDER)["path"]
        self.note_audit({"path": path})
        roots = await self.services.folder_access.roots(self.principal)
        services = self.services
        try:
            found = await services.folder_scans.languages(path, roots)
        except (Invalid, Forbidden):
            if await services.passing_on.answer(self, self.principal, path, body=self._received):
                return
            raise
        self.reply(languages_json(found))


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
