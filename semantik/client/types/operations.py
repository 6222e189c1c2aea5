"""Types of the calls on operations. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from typing import TypedDict

from semantik.client.types.shared import FailureReason, Operation


class FailureList(TypedDict):
    items: list[FileFailure]
    next_cursor: str | None


class FileFailure(TypedDict):
    document_id: str
    path: str
    error: FailureReason


class OperationList(TypedDict):
    items: list[Operation]
    next_cursor: str | None
