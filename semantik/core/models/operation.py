"""Operations on collections: type, status, stages and lease. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from semantik.core.models.collection import Counts

OperationType = Literal[
    "index",  # reads a new collection's folder for the first time
    "append",  # scans folders again, or reads failed documents again
    "reindex",  # builds a new generation with other options, then switches to it
    "remove_source",  # removes a folder and its documents from a collection
]
OPERATION_TYPES: tuple[OperationType, ...] = get_args(OperationType)

TerminalStatus = Literal[
    "completed",  # it did all it had to; single files may have failed
    "failed",  # an error ended it; `error_message` says which
    "cancelled",  # a user cancelled it, or its collection was deleted
]
OperationStatus = Literal[
    "queued",  # accepted; waits for the collection's earlier operations and for a free place
    "processing",  # a server holds its lease and runs it, or will take it over when the lease has expired
    TerminalStatus,
]
OPERATION_STATUSES: tuple[OperationStatus, ...] = get_args(OperationStatus)
TERMINAL: frozenset[OperationStatus] = frozenset(get_args(TerminalStatus))
ACTIVE: tuple[OperationStatus, ...] = ("queued", "processing")

StageName = Literal[
    # INDEX and APPEND
    "scanning_documents",
    "scanning_completed",
    "processing_embeddings",
    "recognizing_text",
    "index_completed",
    "append_completed",
    # REINDEX
    "reindex_preflight",
    "staging_created",
    "validation_complete",
    "reindex_completed",
    # REMOVE_SOURCE
    "removing_documents",
    "remove_source_completed",
]


@dataclass(frozen=True)
class Lease:
    """Which server runs an operation, and until when. `token` is new at every claim: a server that lost the lease
    cannot write any more."""

    owner: str
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Stage:
    """A stage that an operation has reached, and when."""

    name: StageName
    at: datetime


@dataclass(frozen=True)
class Operation:
    """A piece of work on a collection.

    `options` is what was asked for beyond the type, and `settings` is what it ran with. `announced` says that its
    terminal message was published. `pages_done` of `pages_total` are those whose text is recognised; None unless it
    has come to that. `bytes_done` of `bytes_total` of the files that it reads are read and embedded; both count from
    the moment at which its present server took it up. `waiting` says in one sentence why no server can take it, and
    `waiting_since` when that began.
    """

    id: str
    collection_id: str
    user_id: str
    type: OperationType
    source_id: str | None
    status: OperationStatus
    stage: StageName | None
    counts: Counts
    current_file: str | None
    progress_percent: float
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    eta_s: float | None = None
    files_per_s: float | None = None
    error_message: str | None = None
    warnings: tuple[str, ...] = ()
    result: dict[str, object] | None = field(default=None, hash=False)
    last_message: int = 0
    announced: bool = False
    cancel_requested: bool = False
    lease: Lease | None = None
    options: dict[str, object] = field(default_factory=dict, hash=False)
    settings: dict[str, object] = field(default_factory=dict, hash=False)
    stages: tuple[Stage, ...] = ()
    pages_done: int | None = None
    pages_total: int | None = None
    chunks_per_s: float | None = None
    bytes_per_s: float | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    waiting: str | None = None
    waiting_since: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


def queue_position(
    operation: Operation, active: Sequence[Operation], concurrent: int, for_others: int = 0
) -> int | None:
    """How many operations have to end before this one can start; None when it has ended itself.

    `active` are all that are queued or run, the oldest first; of one collection one runs at a time, of all together
    `concurrent`, and `for_others` more of users of whom no other runs. One that no server can take holds up its own
    collection only.
    """
    if operation.ended:
        return None
    if operation.status != "queued":
        return 0
    older = active[: next((n for n, other in enumerate(active) if other.id == operation.id), len(active))]
    older = [each for each in older if not each.waiting or each.collection_id == operation.collection_id]
    here = sum(other.collection_id == operation.collection_id for other in older)
    if not any(other.user_id == operation.user_id for other in older):
        concurrent += for_others
    return max(here, len(older) - concurrent + 1)
