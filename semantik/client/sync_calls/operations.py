"""Work on a collection, and its live progress. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from semantik.client.portal import Portal
from semantik.client.types.operations import FailureList, OperationList
from semantik.client.types.shared import Operation, OperationStatus, OperationType
from semantik.client.values import UNSET, ServerEvent, Unset


class OperationsSyncCalls(Portal):
    """Work on a collection, and its live progress."""

    def list_operations(
        self,
        *,
        collection_id: str | Unset = UNSET,
        source_id: str | Unset = UNSET,
        status: OperationStatus | Unset = UNSET,
        type_: OperationType | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> OperationList:
        """Operations, the newest first."""
        return self.run(
            lambda client: client.list_operations(
                collection_id=collection_id,
                source_id=source_id,
                status=status,
                type_=type_,
                cursor=cursor,
                limit=limit,
            )
        )

    def get_operation(self, operation_id: str) -> Operation:
        """One operation."""
        return self.run(lambda client: client.get_operation(operation_id))

    def cancel_operation(self, operation_id: str) -> None:
        """Cancel an operation."""
        return self.run(lambda client: client.cancel_operation(operation_id))

    def list_failures(
        self, operation_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> FailureList:
        """The files that an operation could not index, by path."""
        return self.run(lambda client: client.list_failures(operation_id, cursor=cursor, limit=limit))

    def follow_operation(
        self, operation_id: str, *, since: str | Unset = UNSET, last_event_id: str | Unset = UNSET
    ) -> Iterator[ServerEvent]:
        """The messages of an operation as Server-Sent Events."""
        return self.iterate(
            lambda client: client.follow_operation(operation_id, since=since, last_event_id=last_event_id)
        )
