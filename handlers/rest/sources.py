"""`/api/v2/collections/{id}/sources…`: the folders and other sources of a collection; `/api/v2/source-kinds`."""

from __future__ import annotations

from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, integer, json_object, list_of, optional, text
from handlers.rest.operations import accept
from handlers.serializers import FOLDER_KIND, source_json, source_kind_json, source_view_json
from semantik.core.errors import Invalid
from semantik.core.models import FOLDER, Operation, Source
from semantik.services.operation_options import WatchOptions

_ADD = vol.Schema(
    {
        vol.Optional("path"): text(),
        vol.Optional("kind"): text(1, 50),
        vol.Optional("options"): json_object(),
        vol.Optional("server"): optional(text(1, 63)),
    }
)
_CHANGE = vol.Schema(
    {
        vol.Optional("interval_s"): integer(0, 365 * 86_400),
        vol.Optional("immediate"): boolean(),
        vol.Optional("options"): json_object(),
        vol.Optional("exclude"): list_of(text(1, 200), 100, "globs"),
        vol.Optional("include_excluded"): boolean(),
        vol.Optional("server"): optional(text(1, 63)),
    }
)


class SourceKindsHandler(RestHandler):
    async def get(self) -> None:
        kinds = self.services.sources.kinds()
        items = [FOLDER_KIND, *(source_kind_json(name, kind) for name, kind in kinds.items())]
        self.reply({"items": items, "next_cursor": None})


class SourcesHandler(RestHandler):
    audit: ClassVar = {"POST": "source.add"}

    async def get(self, collection_id: str) -> None:
        views = await self.services.views.sources(self.principal, collection_id)
        self.reply({"items": [source_view_json(view) for view in views], "next_cursor": None})

    async def post(self, collection_id: str) -> None:
        body = self.body(_ADD)
        kind = body.get("kind", FOLDER)
        if kind == FOLDER:
            source, operation = await self._add_folder(collection_id, body)
        elif "path" in body:
            raise Invalid("path is for folders: what a source of another kind is, its options say.")
        else:
            self.note_audit({"kind": kind})
            source, operation = await self.services.sources.add(
                self.principal, collection_id, kind, body.get("options", {}), body.get("server") or ""
            )
            self.note_audit({"kind": kind, "path": source.path})
        accept(self, operation, source=source_json(source))

    async def _add_folder(self, collection_id: str, body: dict[str, Any]) -> tuple[Source, Operation]:
        if "path" not in body:
            raise Invalid("path is missing.")
        if "options" in body:
            raise Invalid("options are for sources of other kinds: a folder has a path only.")
        self.note_audit({"path": body["path"]})
        server = body.get("server") or ""
        return await self.services.operations.add_source(self.principal, collection_id, body["path"], server)


class SourceHandler(RestHandler):
    audit: ClassVar = {"PATCH": "source.change", "DELETE": "source.remove"}

    async def patch(self, collection_id: str, source_id: str) -> None:
        body = self.body(_CHANGE)
        exclude = tuple(body["exclude"]) if "exclude" in body else None
        server = (body["server"] or "") if "server" in body else None
        watch = WatchOptions(
            body.get("interval_s"),
            body.get("immediate"),
            exclude,
            body.get("include_excluded", False),
            server,
        )
        source = await self.services.sources.change(
            self.principal, collection_id, source_id, watch, body.get("options")
        )
        self.reply(source_json(source))

    async def delete(self, collection_id: str, source_id: str) -> None:
        operation = await self.services.operations.remove_source(self.principal, collection_id, source_id)
        self.note_audit({"path": operation.options["source_path"]})
        accept(self, operation)
