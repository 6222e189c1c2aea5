"""`/api/v2/collections/{id}/documents…`: the status of each file, its text, and retries."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import integer_parameter, list_of, one_of, text
from handlers.pagination import PAGE, page_json
from handlers.rest.listing import (
    CHOICE_BY_LIST,
    LISTED_STATUSES,
    listing_json,
    listing_query,
    statistics_json,
)
from handlers.rest.operations import accept
from handlers.serializers import document_json
from semantik.core.errors import Invalid
from semantik.services.listing.ordering import SORT_KEYS

# Each of these asks for a list that may be entered anywhere; without them, pages follow a cursor.
_LISTING = {
    vol.Optional("sort"): one_of(*SORT_KEYS),
    vol.Optional("order"): one_of("ascending", "descending"),
    vol.Optional("offset"): integer_parameter(0, 10**9),
    vol.Optional("at"): text(1, 500),
    **CHOICE_BY_LIST,
}
_LIST = vol.Schema(
    {
        **PAGE,
        vol.Optional("status"): one_of(*LISTED_STATUSES),
        vol.Optional("warned"): one_of("true"),
        vol.Optional("name"): text(1, 500),
        **_LISTING,
    }
)
_CONTENT = vol.Schema(
    {
        vol.Optional("offset", default="0"): integer_parameter(0, 10**12),
        vol.Optional("limit", default="100000"): integer_parameter(1, 1_000_000),
    }
)
_TAGS = vol.Schema({vol.Required("tags"): list_of(text(0, 1000), 100, "tags")})
_EMPTY = vol.Schema({})


class DocumentsHandler(RestHandler):
    async def get(self, collection_id: str) -> None:
        query = self.query(_LIST)
        if any(key.schema in query for key in _LISTING):
            self.reply(await self._listing(collection_id, query))
            return
        page = await self.services.views.documents(
            self.principal,
            collection_id,
            query.get("status"),
            "warned" in query,
            query.get("name"),
            query.get("cursor"),
            query["limit"],
        )
        self.reply(page_json(page, document_json))

    async def _listing(self, collection_id: str, query: dict[str, Any]) -> dict[str, Any]:
        if "cursor" in query:
            raise Invalid("cursor is for lists by path without sort, order, offset, at and these filters.")
        listing = await self.services.lists.page(
            self.principal,
            collection_id,
            listing_query(query),
            query.get("offset", 0),
            query["limit"],
            query.get("at"),
        )
        return listing_json(listing)


class StatisticsHandler(RestHandler):
    async def get(self, collection_id: str) -> None:
        self.reply(statistics_json(await self.services.lists.statistics(self.principal, collection_id)))


class DocumentHandler(RestHandler):
    async def get(self, collection_id: str, document_id: str) -> None:
        self.reply(
            document_json(await self.services.authorizer.document(self.principal, collection_id, document_id))
        )


class DocumentTagsHandler(RestHandler):
    audit: ClassVar = {"PUT": "document.tags"}

    async def put(self, collection_id: str, document_id: str) -> None:
        tags = self.body(_TAGS)["tags"]
        document = await self.services.tags.replace(self.principal, collection_id, document_id, tags)
        self.reply(document_json(document))


class ContentHandler(RestHandler):
    async def get(self, collection_id: str, document_id: str) -> None:
        query = self.query(_CONTENT)
        document = await self.services.authorizer.document(self.principal, collection_id, document_id)
        content = await self.services.collections.document_text(document, query["offset"], query["limit"])
        end = content.offset + len(content.text)
        self.reply({**asdict(content), "next_offset": end if end < content.length else None})


class RetryDocumentHandler(RestHandler):
    audit: ClassVar = {"POST": "document.retry"}

    async def post(self, collection_id: str, document_id: str) -> None:
        self.body(_EMPTY)
        accept(self, await self.services.operations.retry(self.principal, collection_id, document_id))
