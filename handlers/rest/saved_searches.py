"""`/api/v2/saved-searches…`: searches that are done again for what is newly indexed, and their feeds in Atom."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, list_of, one_of, optional, text
from handlers.rest.search import FILTERS, MAX_ENDING
from handlers.serializers import timestamp_json
from semantik.auth.principal import ACCOUNT
from semantik.core.models import Filters
from semantik.search.query import MODES
from semantik.services.notifications import SavedSearchView
from semantik.services.notifications.atom import atom

_FEED_ENTRIES = 50
_COLLECTIONS = list_of(text(1, 100), 100, "collections' ids")
_WEBHOOKS = list_of(text(1, 100), 20, "webhooks' ids")
_CREATE = vol.Schema(
    {
        vol.Required("name"): text(1, 200),
        vol.Required("query"): text(1, 1000),
        vol.Optional("mode", default="hybrid"): one_of(*MODES),
        vol.Optional("filters", default=dict): FILTERS,
        vol.Optional("collection_ids"): optional(_COLLECTIONS),
        vol.Optional("webhook_ids", default=list): _WEBHOOKS,
        vol.Optional("mail", default=False): boolean(),
        vol.Optional("paused", default=False): boolean(),
    }
)
_CHANGE = vol.Schema(
    {
        vol.Optional("name"): text(1, 200),
        vol.Optional("query"): text(1, 1000),
        vol.Optional("mode"): one_of(*MODES),
        vol.Optional("filters"): FILTERS,
        vol.Optional("collection_ids"): optional(_COLLECTIONS),
        vol.Optional("webhook_ids"): _WEBHOOKS,
        vol.Optional("mail"): boolean(),
        vol.Optional("paused"): boolean(),
    }
)
_FEED = vol.Schema({vol.Optional("key"): text(1, 200)})


class SavedSearchesHandler(RestHandler):
    audit: ClassVar = {"POST": "saved_search.create"}

    async def get(self) -> None:
        views = await self.services.saved_searches.all(self.principal)
        self.reply({"items": [_search_json(view) for view in views], "next_cursor": None})

    async def post(self) -> None:
        fields = _fields(self.body(_CREATE))
        view = await self.services.saved_searches.create(self.principal, fields)
        self.note_audit(target=f"saved-searches/{view.search.id}")
        self.reply(_search_json(view), HTTPStatus.CREATED)


class SavedSearchHandler(RestHandler):
    audit: ClassVar = {"PATCH": "saved_search.change", "DELETE": "saved_search.delete"}

    async def get(self, search_id: str) -> None:
        self.reply(_search_json(await self.services.saved_searches.get(self.principal, search_id)))

    async def patch(self, search_id: str) -> None:
        fields = _fields(self.body(_CHANGE))
        self.reply(_search_json(await self.services.saved_searches.change(self.principal, search_id, fields)))

    async def delete(self, search_id: str) -> None:
        await self.services.saved_searches.delete(self.principal, search_id)
        self.set_status(HTTPStatus.NO_CONTENT)


class FeedHandler(RestHandler):
    """The feed of a search: by signing in, by an API key, or by the secret in its address, for feed readers."""

    async def prepare(self) -> None:
        key = self.get_query_argument("key", "")
        if not key:
            await super().prepare()
            return
        search_id = self.path_args[0]
        self.principal = await self.services.saved_searches.by_feed(search_id, key)
        self.services.rate_limiter.take("read", self.principal.user.id)

    async def get(self, search_id: str) -> None:
        self.query(_FEED)
        search = await self.services.saved_searches.one(self.principal, search_id)
        page = await self.services.alerts.page(self.principal, search.id, None, _FEED_ENTRIES)
        place = public_url(self)
        self.set_header("Content-Type", "application/atom+xml; charset=utf-8")
        self.write(atom(search, page.items, place, f"{place}{self.request.path}"))


class FeedKeyHandler(RestHandler):
    scope = ACCOUNT  # the address outlives every credential
    audit: ClassVar = {"POST": "saved_search.open_feed", "DELETE": "saved_search.close_feed"}

    async def post(self, search_id: str) -> None:
        key = await self.services.saved_searches.new_feed(self.principal, search_id)
        path = self.request.path.removesuffix("/key")
        self.reply({"url": f"{public_url(self)}{path}?key={key}"}, HTTPStatus.CREATED)

    async def delete(self, search_id: str) -> None:
        await self.services.saved_searches.end_feed(self.principal, search_id)
        self.set_status(HTTPStatus.NO_CONTENT)


def public_url(handler: RestHandler) -> str:
    """The address of the server for others: as it is set, or as it was asked."""
    configured = handler.services.settings.alerts.public_url.rstrip("/")
    return configured or f"{handler.request.protocol}://{handler.request.host}"


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """As `SavedSearch` has them."""
    fields = dict(body)
    if "filters" in fields:
        fields["filters"] = Filters(**fields["filters"])
    for name in ("collection_ids", "webhook_ids"):
        if fields.get(name) is not None:
            fields[name] = tuple(dict.fromkeys(fields[name]))
    return fields


def _search_json(view: SavedSearchView) -> dict[str, Any]:
    search = view.search
    return {
        "id": search.id,
        "name": search.name,
        "query": search.query,
        "mode": search.mode,
        "filters": _filters_json(search.filters),
        "collection_ids": None if search.collection_ids is None else list(search.collection_ids),
        "webhook_ids": list(search.webhook_ids),
        "mail": search.mail,
        "paused": search.paused,
        "has_feed": bool(search.feed_hash),
        "problem": search.problem,
        "created_at": timestamp_json(search.created_at),
        "alert_count": view.alerts,
        "last_alert_at": timestamp_json(view.last_alert_at),
    }


def _filters_json(filters: Filters) -> dict[str, Any]:
    """As they were sent; those that are not set are left out."""
    found: dict[str, Any] = {}
    for name in map(str, FILTERS.schema):
        value = getattr(filters, name)
        if value is None or value == ():
            continue
        if isinstance(value, datetime):
            found[name] = timestamp_json(value)
        elif isinstance(value, date):
            found[name] = value.isoformat()
        elif isinstance(value, tuple):
            found[name] = list(value[0]) if isinstance(value[0], tuple) else list(value)
        else:
            found[name] = value
    if "extensions" in found:  # the dot that was put before a name of the greatest length is not shown
        found["extensions"] = [ending[-MAX_ENDING:] for ending in found["extensions"]]
    return found
