"""`/api/v2/api-keys…`: a user's API keys. No API key may use these routes: they need a sign-in."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import integer, list_of, one_of, optional, text
from handlers.serializers import timestamp_json
from semantik.auth.api_keys import prefix_of
from semantik.auth.principal import ACCOUNT
from semantik.core import models
from semantik.core.models import API_KEY_SCOPES, ApiKeyScope

_DEFAULT_SCOPES: list[ApiKeyScope] = ["read"]
_MAX_DAYS = 3650
_MAX_COLLECTIONS = 100
_CREATE = vol.Schema(
    {
        vol.Required("name"): text(),
        vol.Optional("scopes"): optional(list_of(one_of(*API_KEY_SCOPES), len(API_KEY_SCOPES), "scopes")),
        vol.Optional("expires_in_days"): optional(integer(1, _MAX_DAYS)),
        vol.Optional("collections"): optional(list_of(text(1, 100), _MAX_COLLECTIONS, "collections")),
    }
)


def _key_json(key: models.ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "start": prefix_of(key),
        "scopes": list(key.scopes),
        "collections": None if key.collections is None else list(key.collections),
        "created_at": timestamp_json(key.created_at),
        "expires_at": timestamp_json(key.expires_at),
        "last_used_at": timestamp_json(key.last_used_at),
    }


class ApiKeysHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "api_key.create"}

    async def get(self) -> None:
        keys = await self.services.sessions.api_keys.of_user(self.principal.user)
        self.reply({"items": [_key_json(key) for key in keys], "next_cursor": None})

    async def post(self) -> None:
        body = self.body(_CREATE)
        collections = body.get("collections")
        if collections:
            await self.services.authorizer.collections(self.principal, collections)
        scopes, days = (
            body.get("scopes"),
            body.get("expires_in_days", self.services.settings.auth.api_key_days),
        )
        created = await self.services.sessions.api_keys.create(
            self.principal.user,
            body["name"],
            _DEFAULT_SCOPES if scopes is None else scopes,
            None if days is None else timedelta(days=days),
            collections,
        )
        granted = " ".join(created.key.scopes)
        self.note_audit({"scopes": granted}, target=f"api-keys/{created.key.id}")
        self.reply({**_key_json(created.key), "key": created.text}, HTTPStatus.CREATED)


class ApiKeyHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"DELETE": "api_key.revoke"}

    async def delete(self, key_id: str) -> None:
        await self.services.sessions.api_keys.revoke(self.principal.user, key_id)
        self.set_status(HTTPStatus.NO_CONTENT)
