"""`/api/v2/admin/roots`: the folders that are open to everybody for indexing, where the settings leave them open."""

from __future__ import annotations

from typing import ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import roots

_CHOICE = vol.Schema({vol.Required("roots"): roots()})


class RootsHandler(RestHandler):
    audit: ClassVar = {"PUT": "roots.choose"}
    scope = "admin"

    async def get(self) -> None:
        self.principal.require_administrator("see which folders are open for indexing")
        access = self.services.folder_access
        chosen = await access.server_roots()
        self.reply({"roots": list(chosen), "fixed_by_settings": access.fixed_by_settings})

    async def put(self) -> None:
        self.principal.require_administrator("choose the folders that are open for indexing")
        body = self.body(_CHOICE)
        self.note_audit(body)
        chosen = await self.services.folder_access.choose_roots(body["roots"])
        self.reply({"roots": list(chosen), "fixed_by_settings": False})
