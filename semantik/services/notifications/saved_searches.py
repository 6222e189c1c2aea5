"""Saved searches of users: created, changed, listed, deleted. Runs on the loop."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.config.settings import Settings
from semantik.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from semantik.core.models import MAIL, Delivery, SavedSearch, new_id, now
from semantik.core.pagination import Page
from semantik.services.notifications.deliveries import DeliveryService
from semantik.services.notifications.readers import Readers
from semantik.storage.mongo import Store

_TOKEN_BYTES = 32
_ANEW = ("query", "mode", "filters", "collection_ids")  # fields whose change makes another search of it


@dataclass(frozen=True)
class SavedSearchView:
    """A saved search, how many alerts it has given, and the time of the last one."""

    search: SavedSearch
    alerts: int = 0
    last_alert_at: datetime | None = None


class SavedSearchService:
    """`wake` is called when there is something to look for."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        readers: Readers,
        deliveries: DeliveryService,
        current: Callable[[], Settings],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._readers = readers
        self._deliveries = deliveries
        self._current = current
        self._wake = wake

    async def all(self, principal: Principal) -> list[SavedSearchView]:
        """The user's, the oldest first; with an API key for some collections, those that look in no others."""
        found = await self._store.saved_searches.of_user(principal.user.id)
        return await self._views(
            principal, [each for each in found if _covers(principal, each.collection_ids)]
        )

    async def get(self, principal: Principal, search_id: str) -> SavedSearchView:
        [view] = await self._views(principal, [await self.one(principal, search_id)])
        return view

    async def one(self, principal: Principal, search_id: str) -> SavedSearch:
        """Raises NotFound, also for another user's."""
        search = await self._store.saved_searches.get(search_id)
        if (
            search is None
            or search.user_id != principal.user.id
            or not _covers(principal, search.collection_ids)
        ):
            raise NotFound(f"There is no saved search {search_id}.")
        return search

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> SavedSearchView:
        """Raises Invalid, NotFound (a collection or a webhook), Forbidden, or Conflict when there are too many."""
        limit = self._current().alerts.searches_per_user
        if len(await self._store.saved_searches.of_user(principal.user.id)) >= limit:
            raise Conflict(
                f"You may have {limit} saved searches (alerts.searches_per_user); delete one first."
            )
        await self._check(principal, fields)
        moment = now()
        search = SavedSearch(
            id=new_id(), user_id=principal.user.id, created_at=moment, begins_at=moment, **fields
        )
        if not _covers(principal, search.collection_ids):
            raise Forbidden(
                "This API key is for some collections: name those to look in with collection_ids."
            )
        await self._begin(principal, search)
        await self._store.saved_searches.add(search)
        self._wake()
        return SavedSearchView(search)

    async def change(
        self, principal: Principal, search_id: str, fields: Mapping[str, Any]
    ) -> SavedSearchView:
        """What is searched for begins anew with another query, and when a pause ends."""
        search = await self.one(principal, search_id)
        await self._check(principal, fields)
        if "collection_ids" in fields and not _covers(principal, fields["collection_ids"]):
            raise Forbidden(
                "This API key is for some collections: name those to look in with collection_ids."
            )
        changed = any(fields.get(name, getattr(search, name)) != getattr(search, name) for name in _ANEW)
        if changed or (search.paused and fields.get("paused") is False):
            fields = {**fields, "problem": None}
            moment = now()
            fresh = await self._store.saved_searches.begin_anew(search, fields, moment)
            if fresh is not None and not fresh.paused:
                await self._begin(principal, fresh)
        elif fields:
            fresh = await self._store.saved_searches.update(search.id, fields)
        else:
            fresh = search
        if fresh is None:
            raise NotFound(f"There is no saved search {search_id}.")
        self._wake()
        [view] = await self._views(principal, [fresh])
        return view

    async def delete(self, principal: Principal, search_id: str) -> None:
        """With its alerts, and what was still to be sent of them."""
        search = await self.one(principal, search_id)
        await self._store.saved_searches.remove(search.id)
        await self._store.deliveries.remove_target(MAIL + search.id)
        await self._store.alerts.remove_search(search.id)

    async def deliveries(
        self, principal: Principal, search_id: str, cursor: str | None, limit: int
    ) -> Page[Delivery]:
        """Its alerts by mail, the newest first."""
        search = await self.one(principal, search_id)
        return await self._deliveries.page(MAIL + search.id, cursor, limit)

    async def again(self, principal: Principal, search_id: str, delivery_id: str) -> Delivery:
        """Send an alert by mail again."""
        search = await self.one(principal, search_id)
        return await self._deliveries.again(MAIL + search.id, delivery_id)

    async def new_feed(self, principal: Principal, search_id: str) -> str:
        """A new secret for the feed's address; the one before is no longer good."""
        search = await self.one(principal, search_id)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._store.saved_searches.update(search.id, {"feed_hash": _digest(token)})
        return token

    async def end_feed(self, principal: Principal, search_id: str) -> None:
        search = await self.one(principal, search_id)
        await self._store.saved_searches.update(search.id, {"feed_hash": ""})

    async def by_feed(self, search_id: str, token: str) -> Principal:
        """Who reads a feed by its secret. Raises Unauthorized."""
        search = await self._store.saved_searches.by_feed(_digest(token))
        if search is not None and search.id == search_id:
            readers = await self._readers.of([search.user_id])
            if search.user_id in readers:
                return readers[search.user_id]
        raise Unauthorized("The feed's address is not good any more; create a new one.")

    async def _check(self, principal: Principal, fields: Mapping[str, Any]) -> None:
        if fields.get("collection_ids") is not None:
            await self._authorizer.collections(principal, list(fields["collection_ids"]))
        own = {each.id for each in await self._store.webhooks.of_user(principal.user.id)}
        for webhook_id in fields.get("webhook_ids", ()):
            if webhook_id not in own:
                raise NotFound(f"There is no webhook {webhook_id}.")
        if fields.get("mail"):
            if not self._current().smtp.host:
                raise Invalid("mail is not possible: no mail server is set (smtp.host).")
            if not principal.user.email:
                raise Invalid("mail is not possible: your account has no e-mail address.")

    async def _begin(self, principal: Principal, search: SavedSearch) -> None:
        """What is indexed by now gives no alerts."""
        ids = None if search.collection_ids is None else list(search.collection_ids)
        for collection in await self._authorizer.collections(principal, ids):
            seq = collection.current.settled_seq
            await self._store.saved_searches.set_cursor(search, collection.id, seq)

    async def _views(self, principal: Principal, searches: Sequence[SavedSearch]) -> list[SavedSearchView]:
        newest = await self._store.alerts.newest([each.id for each in searches], principal.user.id)
        return [SavedSearchView(each, *newest.get(each.id, (0, None))) for each in searches]


def _covers(principal: Principal, collection_ids: Sequence[str] | None) -> bool:
    """Whether the credential is good for all collections that are looked in."""
    if principal.collections is None:
        return True
    return collection_ids is not None and set(collection_ids) <= principal.collections


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
