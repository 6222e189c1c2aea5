"""One file per operation; this table is how the dispatcher knows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pipeline.operations.index import index
from pipeline.run import Run

OPERATIONS: dict[str, Callable[[Run], Awaitable[dict[str, object]]]] = {
    "index": index,
}
