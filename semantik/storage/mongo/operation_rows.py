"""Operations as rows of MongoDB, and back.

The row's `wish` is the model's `options`. The values of closed sets (type, status, stage) are trusted as they are in
the row: only this program writes them, and `migration.py` refuses the database of a newer version.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from semantik.core.models import Counts, Lease, Operation, OperationStatus, Stage, StageName
from semantik.storage.mongo.rows import maybe_time, time_of, to_row
from semantik.storage.mongo.table import Record

_CONVERTED = frozenset(
    {"id", "counts", "warnings", "stages", "lease", "announced", "cancel_requested", "options"}
    | {"created_at", "started_at", "completed_at", "waiting", "waiting_since"}
)
# Rows of earlier builds may not have them.
_ADDED = ("pages_done", "pages_total", "chunks_per_s", "bytes_per_s", "bytes_done", "bytes_total")


class OperationFields(TypedDict, total=False):
    """The fields of an operation's row that its server changes while it runs."""

    status: OperationStatus
    stage: StageName | None
    stages: list[dict[str, object]]
    counts: dict[str, int]
    current_file: str | None
    progress_percent: float
    started_at: datetime
    completed_at: datetime
    eta_s: float | None
    files_per_s: float | None
    chunks_per_s: float | None
    bytes_per_s: float | None
    bytes_done: int
    bytes_total: int
    error_message: str | None
    warnings: list[str]
    result: dict[str, object] | None
    last_message: int
    settings: dict[str, object]
    pages_done: int | None
    pages_total: int | None


def operation_row(operation: Operation) -> Record:
    row = to_row(operation)
    row["wish"] = row.pop("options")
    return row


def operation_from_row(row: Record) -> Operation:
    fields = {
        name: row[name] for name in Operation.__dataclass_fields__ if name not in _CONVERTED | {*_ADDED}
    }
    added: Any = {name: row.get(name) for name in _ADDED}
    lease = row["lease"]
    return Operation(
        id=row["_id"],
        counts=Counts(**row["counts"]),
        warnings=tuple(row["warnings"]),
        stages=tuple(Stage(one["name"], time_of(one["at"])) for one in row["stages"]),
        lease=Lease(lease["owner"], lease["token"], time_of(lease["expires_at"])) if lease else None,
        created_at=time_of(row["created_at"]),
        started_at=maybe_time(row["started_at"]),
        completed_at=maybe_time(row["completed_at"]),
        # The embedded store returns 0 and 1 for booleans that an update has set.
        announced=bool(row["announced"]),
        cancel_requested=bool(row["cancel_requested"]),
        options=row["wish"],
        **added,
        # Rows of earlier builds do not have these either.
        waiting=row.get("waiting"),
        waiting_since=maybe_time(row.get("waiting_since")),
        **fields,
    )
