"""Webhooks in MongoDB. Runs on the loop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from semantik.core.models import OperationEvent, Webhook
from semantik.storage.mongo.rows import maybe_time, time_of, to_fields, to_row
from semantik.storage.mongo.table import Record, Table


class WebhookTable:
    """Their secrets are encrypted."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("user_id", 1), ("created_at", 1)])

    async def add(self, webhook: Webhook) -> None:
        await self._table.insert_one(to_row(webhook))

    async def get(self, webhook_id: str) -> Webhook | None:
        row = await self._table.find_one({"_id": webhook_id})
        return _webhook(row) if row else None

    async def of_user(self, user_id: str) -> list[Webhook]:
        """The oldest first."""
        rows = await self._table.find({"user_id": user_id}, [("created_at", 1), ("_id", 1)])
        return [_webhook(row) for row in rows]

    async def with_event(self, event: OperationEvent, collection_id: str) -> list[Webhook]:
        """Those of all users that want this event of this collection, and are not paused."""
        found = [_webhook(row) for row in await self._table.find({})]  # few users have any
        return [
            each
            for each in found
            if event in each.events
            and not each.paused
            and each.disabled is None
            and (each.collection_ids is None or collection_id in each.collection_ids)
        ]

    async def update(self, webhook_id: str, fields: Mapping[str, Any]) -> Webhook | None:
        row = await self._table.update_one({"_id": webhook_id}, {"$set": to_fields(fields)})
        return _webhook(row) if row else None

    async def rotate(
        self, webhook: Webhook, sealed: str, previous: str | None, until: datetime
    ) -> Webhook | None:
        """Give it a new secret; None when it has another one by now, or is gone."""
        where = {"_id": webhook.id, "sealed_secret": webhook.sealed_secret}
        fields = {"sealed_secret": sealed, "sealed_previous": previous, "previous_until": previous and until}
        row = await self._table.update_one(where, {"$set": to_fields(fields)})
        return _webhook(row) if row else None

    async def remove(self, webhook_id: str) -> None:
        await self._table.delete_many({"_id": webhook_id})

    async def remove_of(self, user_id: str) -> None:
        await self._table.delete_many({"user_id": user_id})


def _webhook(row: Record) -> Webhook:
    fields = {name: row[name] for name in Webhook.__dataclass_fields__ if name in row}
    fields["created_at"] = time_of(row["created_at"])
    fields["previous_until"] = maybe_time(row.get("previous_until"))
    fields["events"] = tuple(row["events"])
    fields["paused"] = bool(row["paused"])
    if row["collection_ids"] is not None:
        fields["collection_ids"] = tuple(row["collection_ids"])
    return Webhook(id=row["_id"], **fields)
