"""Work on a collection, and its live progress. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from semantik.client.transport import Transport
from semantik.client.types.operations import FailureList, OperationList
from semantik.client.types.shared import Operation, OperationStatus, OperationType
from semantik.client.values import UNSET, ServerEvent, Unset, fill


class OperationsCalls(Transport):
    """Work on a collection, and its live progress."""

    async def list_operations(
        self,
        *,
        collection_id: str | Unset = UNSET,
        source_id: str | Unset = UNSET,
        status: OperationStatus | Unset = UNSET,
        type_: OperationType | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> OperationList:
        """Operations, the newest first.

        collection_id: Only those of this collection.
        source_id: Only those of this folder.
        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: OperationList = await self.read_json(
            "GET",
            "operations",
            query={
                "collection_id": collection_id,
                "source_id": source_id,
                "status": status,
                "type": type_,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return answer

    async def get_operation(self, operation_id: str) -> Operation:
        """One operation.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: Operation = await self.read_json("GET", fill("operations/{}", operation_id))
        return answer

    async def cancel_operation(self, operation_id: str) -> None:
        """Cancel an operation.

        Raises Refused (401, 403, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("operations/{}", operation_id))

    async def list_failures(
        self, operation_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> FailureList:
        """The files that an operation could not index, by path.

        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: FailureList = await self.read_json(
            "GET", fill("operations/{}/failures", operation_id), query={"cursor": cursor, "limit": limit}
        )
        return answer

    def follow_operation(
        self, operation_id: str, *, since: str | Unset = UNSET, last_event_id: str | Unset = UNSET
    ) -> AsyncIterator[ServerEvent]:
        """The messages of an operation as Server-Sent Events.

        since: Only messages after the one with this id (`1768471200123-0`), or `$`: only new ones.
        last_event_id: As `since`, which it precedes.

        Raises Refused (401, 404, 421, 422, 429, 503) and Unavailable.
        """
        return self.stream_events(
            "GET",
            fill("operations/{}/events", operation_id),
            query={"since": since},
            headers={"Last-Event-ID": last_event_id},
        )
