"""One file per operation; these tables list them for `pipeline.execution`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pipeline.context.context import OperationContext
from pipeline.operations.append import append
from pipeline.operations.index import index
from pipeline.operations.ingestion import cleanup
from pipeline.operations.reindex import discard, reindex
from pipeline.operations.remove_source import keep_source, remove_source
from semantik.core.models import OperationType

OPERATIONS: dict[OperationType, Callable[[OperationContext], Awaitable[dict[str, object]]]] = {
    "index": index,
    "append": append,
    "reindex": reindex,
    "remove_source": remove_source,
}

# Called when an operation is cancelled or fails, perhaps before it started. They return a result if the operation had
# completed its work already.
CLEANUPS: dict[OperationType, Callable[[OperationContext], Awaitable[dict[str, object] | None]]] = {
    "index": cleanup,
    "append": cleanup,
    "reindex": discard,
    "remove_source": keep_source,
}
