"""`/api/v2/admin/roots`: the folders that are open to everybody for indexing, where the settings leave them open."""

from __future__ import annotations

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import roots

_CHOICE = vol.Schema({vol.Required("roots"): roots()})


class RootsHandler(RestHandler):
    scope = "admin"

    async def get(self) -> None:
        self.principal.require_administrator("see which folders are open for indexing")
        access = self.services.folder_access
        chosen = await access.server_roots()
        self.reply({"roots": list(chosen), "fixed_by_settings": access.fixed_by_settings})

    async def put(self) -> None:
        self.principal.require_administrator("choose the folders that are open for indexing")
        chosen = await self.services.folder_access.choose_roots(self.body(_CHOICE)["roots"])
        self.reply({"roots": list(chosen), "fixed_by_settings": False})
