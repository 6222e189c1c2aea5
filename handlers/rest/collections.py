"""`/api/v2/collections…`: collections, and the operations on a whole collection."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, integer, one_of, optional, text
from handlers.pagination import PAGE, page_json
from handlers.rest.operations import accept
from handlers.serializers import collection_json, stats_json
from semantik.auth.principal import ACCOUNT
from semantik.services.collections import NewCollection
from semantik.services.operation_options import ReindexOptions

_CREATE = vol.Schema(
    {
        vol.Required("name"): text(),
        vol.Optional("description"): text(0, 10_000),
        vol.Optional("source_path"): optional(text()),
        vol.Optional("server"): optional(text(1, 63)),
        vol.Optional("embedding_model"): optional(text(1, 500)),
        vol.Optional("chunk_size"): optional(integer(16, 100_000)),
        vol.Optional("chunk_overlap"): optional(integer(0, 50_000)),
    }
)
_CHANGE = vol.Schema(
    {
        vol.Optional("name"): text(),
        vol.Optional("description"): text(0, 10_000),
        vol.Optional("public"): boolean(),
    }
)
_APPEND = vol.Schema({vol.Optional("source_id"): optional(text(1, 100))})
_REINDEX = vol.Schema(
    {
        vol.Optional("embedding_model"): optional(text(1, 500)),
        vol.Optional("precision"): optional(one_of("auto", "float32", "bfloat16")),
        vol.Optional("chunk_size"): optional(integer(16, 100_000)),
        vol.Optional("chunk_overlap"): optional(integer(0, 50_000)),
    }
)
_EMPTY = vol.Schema({})
_LIST = vol.Schema(PAGE)


class CollectionsHandler(RestHandler):
    audit: ClassVar = {"POST": "collection.create"}

    async def get(self) -> None:
        query = self.query(_LIST)
        page = await self.services.views.collections(self.principal, query.get("cursor"), query["limit"])
        self.reply(page_json(page, collection_json))

    async def post(self) -> None:
        new = NewCollection(**self.body(_CREATE))
        collection, operation = await self.services.collections.create(self.principal, new)
        view = await self.services.views.collection(self.principal, collection.id)
        operation_id = operation.id if operation else None
        self.note_audit({"name": collection.name}, target=f"collections/{collection.id}")
        self.reply(
            {**collection_json(view), "operation_id": operation_id, "initial_operation_id": operation_id},
            HTTPStatus.CREATED,
        )


class CollectionHandler(RestHandler):
    audit: ClassVar = {"PATCH": "collection.change", "DELETE": "collection.delete"}

    async def get(self, collection_id: str) -> None:
        view = await self.services.views.collection(self.principal, collection_id)
        stats = await self.services.views.index_stats(view.collection)
        words = await self.services.views.words_stats(view.collection)
        self.reply({**collection_json(view), "stats": stats_json(stats, words)})

    async def patch(self, collection_id: str) -> None:
        body = self.body(_CHANGE)
        self.note_audit(body)
        if "public" in body:
            self.principal.require_scope(ACCOUNT)  # no API key may give access to others
            await self.services.sharing.set_public(self.principal, collection_id, body["public"])
        await self.services.collections.change(
            self.principal, collection_id, body.get("name"), body.get("description")
        )
        self.reply(collection_json(await self.services.views.collection(self.principal, collection_id)))

    async def delete(self, collection_id: str) -> None:
        deleted = await self.services.collections.delete(self.principal, collection_id)
        self.note_audit({"name": deleted.name})
        self.set_status(HTTPStatus.NO_CONTENT)


class AppendHandler(RestHandler):
    audit: ClassVar = {"POST": "collection.append"}

    async def post(self, collection_id: str) -> None:
        source_id = self.body(_APPEND).get("source_id")
        accept(self, await self.services.operations.append(self.principal, collection_id, source_id))


class ReindexHandler(RestHandler):
    audit: ClassVar = {"POST": "collection.reindex"}

    async def post(self, collection_id: str) -> None:
        options = ReindexOptions(**self.body(_REINDEX))
        accept(self, await self.services.operations.reindex(self.principal, collection_id, options))


class RetryHandler(RestHandler):
    audit: ClassVar = {"POST": "collection.retry"}

    async def post(self, collection_id: str) -> None:
        self.body(_EMPTY)
        accept(self, await self.services.operations.retry(self.principal, collection_id))
