"""`/api/v2/operations…`: how work stands; its live frames come from `operation_socket.py`."""

from __future__ import annotations

from http import HTTPStatus

import voluptuous as vol

from handlers.base import Handler
from handlers.paging import PAGE, page_json
from handlers.shapes import operation_json

_LIST = vol.Schema({**PAGE, vol.Optional("collection_id"): str})


class Operations(Handler):
    async def get(self) -> None:
        query = self.query(_LIST)
        ids = [query["collection_id"]] if "collection_id" in query else None
        page = await self.services.catalog.operations(
            self.principal.user, ids, query.get("cursor"), query["limit"]
        )
        self.reply(page_json(page, operation_json))


class Operation(Handler):
    async def get(self, operation_id: str) -> None:
        self.reply(operation_json(await self.services.catalog.operation(self.principal.user, operation_id)))

    async def delete(self, operation_id: str) -> None:
        await self.services.library.cancel(self.principal.user, operation_id)
        self.set_status(HTTPStatus.ACCEPTED)
