"""One file per operation; these tables are how the dispatcher knows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pipeline.context.context import OperationContext
from pipeline.operations.append import append
from pipeline.operations.index import index
from pipeline.operations.ingestion import cleanup
from pipeline.operations.reindex import discard, reindex
from pipeline.operations.remove_source import remove_source, stay
from semantik.core.models import OperationType

OPERATIONS: dict[OperationType, Callable[[OperationContext], Awaitable[dict[str, object]]]] = {
    "index": index,
    "append": append,
    "reindex": reindex,
    "remove_source": remove_source,
}

# What clears up behind an operation that is cancelled or fails, perhaps before it began; its result, if it had done its
# work already.
EARLY_ENDS: dict[OperationType, Callable[[OperationContext], Awaitable[dict[str, object] | None]]] = {
    "index": cleanup,
    "append": cleanup,
    "reindex": discard,
    "remove_source": stay,
}
