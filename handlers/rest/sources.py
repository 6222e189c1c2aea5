"""`/api/v2/collections/{id}/sources…`: the folders that a collection holds."""

from __future__ import annotations

from typing import ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, integer, text
from handlers.rest.operations import accept
from handlers.serializers import source_json, source_view_json
from semantik.services.operations import WatchOptions

_ADD = vol.Schema({vol.Required("path"): text()})
_CHANGE = vol.Schema(
    {vol.Optional("interval_s"): integer(0, 365 * 86_400), vol.Optional("immediate"): boolean()}
)


class SourcesHandler(RestHandler):
    audit: ClassVar = {"POST": "source.add"}

    async def get(self, collection_id: str) -> None:
        views = await self.services.views.sources(self.principal, collection_id)
        self.reply({"items": [source_view_json(view) for view in views], "next_cursor": None})

    async def post(self, collection_id: str) -> None:
        path = self.body(_ADD)["path"]
        self.note_audit({"path": path})
        source, operation = await self.services.operations.add_source(self.principal, collection_id, path)
        accept(self, operation, source=source_json(source))


class SourceHandler(RestHandler):
    audit: ClassVar = {"PATCH": "source.change", "DELETE": "source.remove"}

    async def patch(self, collection_id: str, source_id: str) -> None:
        options = WatchOptions(**self.body(_CHANGE))
        self.reply(
            source_json(
                await self.services.operations.watch_source(self.principal, collection_id, source_id, options)
            )
        )

    async def delete(self, collection_id: str, source_id: str) -> None:
        operation = await self.services.operations.remove_source(self.principal, collection_id, source_id)
        self.note_audit({"path": operation.options["source_path"]})
        accept(self, operation)
