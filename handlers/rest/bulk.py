"""`/api/v2/collections/{id}/documents/{retry,remove,tags}`: actions on many documents at once."""

from __future__ import annotations

from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, list_of, one_of, text
from handlers.rest.listing import CHOICE_BY_LIST, LISTED_STATUSES, listing_query
from handlers.rest.operations import accept
from semantik.core.metadata import MAX_TAGS
from semantik.services.bulk_actions import Choice
from semantik.services.listing.service import MAX_CHOSEN

_WHERE = vol.Schema(
    {
        vol.Optional("document_ids"): list_of(text(1, 100), MAX_CHOSEN, "ids"),
        vol.Optional("status"): one_of(*LISTED_STATUSES),
        vol.Optional("warned"): boolean(),
        vol.Optional("name"): text(1, 500),
        **CHOICE_BY_LIST,
    }
)
_CHOICE: dict[Any, Any] = {vol.Required("where"): _WHERE}
_RETRY = vol.Schema(_CHOICE)
_REMOVE = vol.Schema({**_CHOICE, vol.Optional("exclude"): boolean()})
_TAGS = vol.Schema(
    {
        **_CHOICE,
        vol.Optional("add"): list_of(text(0, 1000), MAX_TAGS, "tags"),
        vol.Optional("remove"): list_of(text(0, 1000), MAX_TAGS, "tags"),
    }
)


class RetryDocumentsHandler(RestHandler):
    audit: ClassVar = {"POST": "documents.retry"}

    async def post(self, collection_id: str) -> None:
        body = self.body(_RETRY)
        operation, count = await self.services.bulk.retry(self.principal, collection_id, _choice(body))
        self.note_audit({"documents": count})
        accept(self, operation, documents=count)


class RemoveDocumentsHandler(RestHandler):
    audit: ClassVar = {"POST": "documents.remove"}

    async def post(self, collection_id: str) -> None:
        body = self.body(_REMOVE)
        exclude = body.get("exclude", False)
        operation, count = await self.services.bulk.remove(
            self.principal, collection_id, _choice(body), exclude
        )
        self.note_audit({"documents": count, "exclude": exclude})
        accept(self, operation, documents=count)


class TagDocumentsHandler(RestHandler):
    audit: ClassVar = {"POST": "documents.tag"}

    async def post(self, collection_id: str) -> None:
        body = self.body(_TAGS)
        add, remove = body.get("add", []), body.get("remove", [])
        changed = await self.services.bulk.tag(self.principal, collection_id, _choice(body), add, remove)
        self.note_audit({"add": add, "remove": remove, "documents": changed})
        self.reply({"changed": changed})


def _choice(body: dict[str, Any]) -> Choice:
    """The documents that the `where` of a body chooses."""
    where = dict(body["where"])
    ids = where.pop("document_ids", None)
    return Choice(None if ids is None else tuple(dict.fromkeys(ids)), listing_query(where))
