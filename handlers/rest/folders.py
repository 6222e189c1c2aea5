"""`/api/v2/folders/…`: what a folder holds, before it belongs to a collection."""

from __future__ import annotations

from typing import ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import text
from handlers.serializers import languages_json

_FOLDER = vol.Schema({vol.Required("path"): text(1, 4096)})


class FolderLanguagesHandler(RestHandler):
    audit: ClassVar = {"POST": "folder.languages"}

    async def post(self) -> None:
        path = self.body(_FOLDER)["path"]
        self.note_audit({"path": path})
        roots = await self.services.folder_access.roots(self.principal)
        self.reply(languages_json(await self.services.folder_scans.languages(path, roots)))
