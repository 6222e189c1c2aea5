"""The things that Semantik keeps, as frozen dataclasses: what crosses from room to room.

Identifiers are UUID texts, times are aware and in UTC, sizes are bytes, offsets count characters.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray


def new_id() -> str:
    return str(uuid.uuid4())


def now() -> datetime:
    """This moment in UTC, cut to the milliseconds that MongoDB keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True)
class User:
    id: str
    username: str
    email: str | None
    password_hash: str
    is_admin: bool
    disabled: bool
    created_at: datetime


@dataclass(frozen=True)
class Session:
    """One sign-in. `token_hash` is the SHA-256 of its refresh token, `previous_hash` of the one before."""

    id: str
    user_id: str
    token_hash: str
    previous_hash: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Counts:
    """How the documents of a collection, or of an operation, stand."""

    pending: int = 0
    indexed: int = 0
    failed: int = 0
    skipped: int = 0
    chunks: int = 0

    @property
    def total(self) -> int:
        return self.pending + self.indexed + self.failed + self.skipped

    @property
    def processed(self) -> int:
        """Documents that are done with, however they ended."""
        return self.indexed + self.failed + self.skipped


@dataclass(frozen=True)
class Generation:
    """A collection's documents, cut and embedded in one way; a REINDEX builds the next one beside the current.

    Its chunks up to `last_seq` may be in an index; those up to `settled_seq` each belong to a document.
    `operation_id` is the REINDEX that builds it. All its documents were read by `reader`; "" when by several.
    """

    collection_id: str
    number: int
    model: str
    precision: str
    chunk_size: int
    chunk_overlap: int
    dimension: int | None = None
    last_seq: int = -1
    settled_seq: int = -1
    counts: Counts = field(default_factory=Counts)
    operation_id: str | None = None
    reader: str = ""


@dataclass(frozen=True)
class Collection:
    """`next_seq` is the next chunk number to be given out; `running` the operation that may change the collection.

    `generation` is the number of the generation that is searched. While it is `at_rest`, nothing of its documents is
    half-done, their counts are right, and so is what was kept of the last scans of its folders.
    """

    id: str
    owner_id: str
    name: str
    description: str
    generation: int
    generations: tuple[Generation, ...]
    next_seq: int
    running: str | None
    created_at: datetime
    updated_at: datetime
    at_rest: bool = False

    @property
    def current(self) -> Generation:
        """What is searched."""
        return next(one for one in self.generations if one.number == self.generation)

    @property
    def staging(self) -> Generation | None:
        """What a REINDEX builds, until it takes the current one's place."""
        return next((one for one in self.generations if one.number > self.generation), None)


@dataclass(frozen=True)
class Source:
    """A folder of a collection. It is scanned again every `interval_s` seconds, and with `immediate` when something
    in it changes; `scan_id` is the operation that waits to do so, or did it last. One with `removing` is about to go.
    """

    id: str
    collection_id: str
    path: str
    created_at: datetime
    interval_s: int | None = None
    immediate: bool = False
    scan_id: str | None = None
    scanned_at: datetime | None = None
    removing: bool = False


@dataclass(frozen=True)
class Failure:
    """Why a document could not be taken in: a category of the wire protocol and a sentence for a person."""

    category: str
    message: str


@dataclass(frozen=True)
class Document:
    """A file as a generation of a collection knows it; `status` is pending, indexed, failed, skipped or removing.

    `due` is the operation that has still to read it, for the first time or because the file has changed; only the
    holder of the lease `fence` may say how that ended. Its chunks are `first_seq` … `first_seq + chunk_count - 1`;
    those that it had before, `old_first` … `old_first + old_count - 1`, are still to be removed. `length` counts the
    characters of its text. A `missing` file was not found when its folder was scanned last.
    """

    id: str
    collection_id: str
    generation: int
    source_id: str
    operation_id: str
    path: str
    size: int
    modified_ns: int
    status: str
    due: str | None = None
    fence: str = ""
    missing: bool = False
    mime: str | None = None
    title: str | None = None
    content_hash: str | None = None
    length: int = 0
    pages: int | None = None
    first_seq: int = -1
    chunk_count: int = 0
    old_first: int = -1
    old_count: int = 0
    failure: Failure | None = None

    def holds(self, seq: int) -> bool:
        """Whether the chunk is a passage of the document as it is found now."""
        return self.status == "indexed" and self.first_seq <= seq < self.first_seq + self.chunk_count


@dataclass(frozen=True)
class FileFailure:
    """A file that an operation could not take in."""

    operation_id: str
    document_id: str
    path: str
    failure: Failure


@dataclass(frozen=True)
class Filters:
    """Only documents that satisfy all that is set: a glob on the path, extensions with their dot, times."""

    path_glob: str | None = None
    extensions: tuple[str, ...] = ()
    modified_after: datetime | None = None
    modified_before: datetime | None = None

    @property
    def any(self) -> bool:
        return self != Filters()


@dataclass(frozen=True)
class Chunk:
    """A passage of a document: `text` is the document's characters `start` to `end`."""

    seq: int
    document_id: str
    text: str
    start: int
    end: int
    page: int | None
    heading: str | None


@dataclass(frozen=True)
class VectorBlock:
    """Chunk vectors as the index takes them: seqs int64 (n,), rising; vectors float16 (n, dimension)."""

    seqs: NDArray[np.int64]
    vectors: NDArray[np.float16]


@dataclass(frozen=True)
class Lease:
    """Who runs an operation, and until when. `token` is new at every claim, so a robbed owner can't write."""

    owner: str
    token: str
    expires_at: datetime


TERMINAL = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class Stage:
    """A stage that an operation has reached, and when."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Operation:
    """A piece of work on a collection; `status` is queued, processing, completed, failed or cancelled.

    `wish` is what was asked for beyond the type, and `settings` is what it ran with.
    """

    id: str
    collection_id: str
    user_id: str
    type: str
    source_id: str | None
    status: str
    stage: str | None
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
    wish: dict[str, object] = field(default_factory=dict, hash=False)
    settings: dict[str, object] = field(default_factory=dict, hash=False)
    stages: tuple[Stage, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


def queue_position(operation: Operation, active: Sequence[Operation], concurrent: int) -> int | None:
    """How many operations have to end before this one can begin; None when it has ended itself.

    `active` are all that are queued or run, the oldest first; of one collection one runs at a time, of all together
    `concurrent`.
    """
    if operation.ended:
        return None
    if operation.status != "queued":
        return 0
    older = active[: next((n for n, other in enumerate(active) if other.id == operation.id), len(active))]
    here = sum(other.collection_id == operation.collection_id for other in older)
    return max(here, len(older) - concurrent + 1)


@dataclass(frozen=True)
class ApiKey:
    """A user's key for programs; `scopes` are some of read, write, admin, in this order and without a gap.

    `id` is 16 hexadecimal digits, `secret_hash` the SHA-256 of the secret. Without `expires_at` it is good for ever.
    """

    id: str
    user_id: str
    name: str
    secret_hash: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
