"""`/api/v2/operations…`: the state of operations; their live messages come from `handlers/sockets/operation.py`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import one_of, text
from handlers.pagination import PAGE, page_json
from handlers.serializers import failure_json, operation_json
from semantik.core.models import OPERATION_STATUSES, OPERATION_TYPES
from semantik.core.models import Operation as OperationRecord
from semantik.services.views import OperationView

_LIST = vol.Schema(
    {
        **PAGE,
        vol.Optional("collection_id"): text(1, 100),
        vol.Optional("source_id"): text(1, 100),
        vol.Optional("status"): one_of(*OPERATION_STATUSES),
        vol.Optional("type"): one_of(*OPERATION_TYPES),
    }
)
_FILTERS = ("source_id", "status", "type")
_FAILURES = vol.Schema(PAGE)


def accept(handler: RestHandler, record: OperationRecord, **fields: Any) -> None:
    """Reply with an operation that was queued."""
    view = operation_json(OperationView(record, None))
    handler.reply({**fields, "operation_id": record.id, "operation": view}, HTTPStatus.ACCEPTED)


class OperationsHandler(RestHandler):
    async def get(self) -> None:
        query = self.query(_LIST)
        ids = [query["collection_id"]] if "collection_id" in query else None
        filters = {name: str(value) for name, value in query.items() if name in _FILTERS}
        page = await self.services.views.operations(
            self.principal, ids, query.get("cursor"), query["limit"], filters
        )
        self.reply(page_json(page, operation_json))


class OperationHandler(RestHandler):
    audit: ClassVar = {"DELETE": "operation.cancel"}

    async def get(self, operation_id: str) -> None:
        self.reply(operation_json(await self.services.views.operation(self.principal, operation_id)))

    async def delete(self, operation_id: str) -> None:
        await self.services.operations.cancel(self.principal, operation_id)
        self.set_status(HTTPStatus.ACCEPTED)


class FailuresHandler(RestHandler):
    async def get(self, operation_id: str) -> None:
        query = self.query(_FAILURES)
        page = await self.services.views.failures(
            self.principal, operation_id, query.get("cursor"), query["limit"]
        )
        self.reply(page_json(page, failure_json))
