"""`/api/v2/admin/roots`: the folders that are open to everybody for indexing, where the settings leave them open."""

from __future__ import annotations

import voluptuous as vol

from handlers.base import RestHandler

_CHOICE = vol.Schema(
    {vol.Required("roots"): vol.All([str], vol.Length(max=100), msg="a list of at most 100 paths")}
)


class RootsHandler(RestHandler):
    scope = "admin"

    async def get(self) -> None:
        self.principal.require_administrator("see which folders are open for indexing")
        access = self.services.folder_access
        roots = await access.server_roots()
        self.reply({"roots": list(roots), "fixed_by_settings": access.fixed_by_settings})

    async def put(self) -> None:
        self.principal.require_administrator("choose the folders that are open for indexing")
        roots = await self.services.folder_access.choose_roots(self.body(_CHOICE)["roots"])
        self.reply({"roots": list(roots), "fixed_by_settings": False})
