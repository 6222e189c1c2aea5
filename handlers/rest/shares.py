"""`/api/v2/collections/{id}/shares…` and `…/owner`: who may see a collection. No API key may give access to others."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any, ClassVar, cast

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import one_of, text
from handlers.pagination import PAGE, page_json
from handlers.serializers import timestamp_json
from semantik.auth.principal import ACCOUNT
from semantik.core.errors import Invalid
from semantik.core.models import ShareKind
from semantik.services.sharing import Sharing

_SHARE = vol.Schema(
    {
        vol.Optional("user"): text(1, 200),
        vol.Optional("group"): text(1, 200),
        vol.Required("level"): one_of("read", "write", "manage"),
    }
)
_GIVE = vol.Schema({vol.Required("user"): text(1, 200)})
_LIST = vol.Schema(PAGE)


def _sharing_json(sharing: Sharing) -> dict[str, Any]:
    return {
        "owner": {"id": sharing.collection.owner_id, "username": sharing.owner},
        "public": sharing.collection.public,
        "shares": [asdict(share) for share in sharing.shares],
    }


def _owned_collection_json(sharing: Sharing) -> dict[str, Any]:
    """A collection as an administrator sees one who may not read it."""
    collection = sharing.collection
    counts = collection.current.counts
    return {
        "id": collection.id,
        "name": collection.name,
        "owner": {"id": collection.owner_id, "username": sharing.owner},
        "public": collection.public,
        "share_count": len(collection.shares),
        "document_count": counts.indexed,
        "chunk_count": counts.chunks,
        "created_at": timestamp_json(collection.created_at),
    }


class SharesHandler(RestHandler):
    audit: ClassVar = {"PUT": "collection.share"}

    async def prepare(self) -> None:
        if self.request.method == "PUT":
            self.scope = ACCOUNT
        await super().prepare()

    async def get(self, collection_id: str) -> None:
        self.reply(_sharing_json(await self.services.sharing.get(self.principal, collection_id)))

    async def put(self, collection_id: str) -> None:
        body = self.body(_SHARE)
        if ("user" in body) == ("group" in body):
            raise Invalid("user or group: give one of them, the name of whom to share with.")
        self.note_audit(body)
        kind: ShareKind = "user" if "user" in body else "group"
        self.reply(
            _sharing_json(
                await self.services.sharing.share(
                    self.principal, collection_id, kind, body[kind], body["level"]
                )
            )
        )


class ShareHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"DELETE": "collection.unshare"}

    async def delete(self, collection_id: str, kind: str, subject_id: str) -> None:
        await self.services.sharing.unshare(self.principal, collection_id, cast(ShareKind, kind), subject_id)
        self.set_status(HTTPStatus.NO_CONTENT)


class OwnerHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "collection.give"}

    async def post(self, collection_id: str) -> None:
        username = self.body(_GIVE)["user"]
        self.note_audit({"user": username})
        self.reply(_sharing_json(await self.services.sharing.give(self.principal, collection_id, username)))


class AllCollectionsHandler(RestHandler):
    """`GET /api/v2/admin/collections`: what exists and who owns it, for administrators; nothing of the content."""

    scope = "admin"

    async def get(self) -> None:
        query = self.query(_LIST)
        page = await self.services.sharing.all(self.principal, query.get("cursor"), query["limit"])
        self.reply(page_json(page, _owned_collection_json))
