"""Collections, their generations and their sources. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from semantik.core.errors import Invalid

CollectionStatus = Literal[
    "empty",  # it has no documents, and nothing is queued or runs
    "indexing",  # an operation is queued or runs
    "ready",  # every document was processed, and at least one is indexed
    "incomplete",  # some documents are indexed; an operation that ended early left others unread
    "failed",  # no document is indexed, because they failed or were not read
]  # derived when it is shown, never stored

Access = Literal[
    "read",  # search it; read its documents, sources and operations, and follow these
    "write",  # also add, scan, retry and remove sources, and cancel operations
    "manage",  # also rename, reindex and share it
    "own",  # also delete it and give it to another user; cannot be shared
]
ACCESS_LEVELS: tuple[Access, ...] = get_args(Access)  # each includes those before it

FOLDER = "folder"  # the kind of a source that is a folder on the server's machine

ShareKind = Literal["user", "group"]


@dataclass(frozen=True)
class Share:
    """Access that the owner gave to a user or to all members of a group; `id` is the user's or the group's."""

    kind: ShareKind
    id: str
    level: Access


@dataclass(frozen=True)
class Counts:
    """The documents of a collection or of an operation, counted by their state, and the number of their chunks."""

    pending: int = 0
    indexed: int = 0
    failed: int = 0
    skipped: int = 0
    chunks: int = 0
    warned: int = 0  # of the indexed ones, those with warnings in their quality

    @property
    def total(self) -> int:
        return self.pending + self.indexed + self.failed + self.skipped

    @property
    def processed(self) -> int:
        """Documents whose processing has ended, with whatever result."""
        return self.indexed + self.failed + self.skipped


@dataclass(frozen=True)
class Generation:
    """A collection's documents, split and embedded with one set of options; a REINDEX builds the next generation
    beside the current one.

    Its chunks up to `last_seq` may be in an index; those up to `settled_seq` each belong to a document.
    `operation_id` is the REINDEX that builds it.
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

    def require_dimension(self, dimension: int) -> None:
        """Raises Invalid for a model with other vectors than the stored ones, because its files were replaced."""
        if self.dimension not in (None, dimension):
            raise Invalid(
                f"The model {self.model} now gives vectors with {dimension} numbers, and the collection's have "
                f"{self.dimension}: reindex the collection with it."
            )


@dataclass(frozen=True)
class Collection:
    """`next_seq` is the next chunk number to be allocated; `running` the operation that holds the collection's lock.

    `generation` is the number of the generation that is searched. While the collection is `clean`, no document is
    half-done, its counts are right, and the folder digests of its sources' last scans are valid. A `public` collection
    can be read by every user. `tagging` requests were changing its documents' tags at the time `tagged_at`, and
    `tag_version` goes up before and after each.
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
    clean: bool = False
    shares: tuple[Share, ...] = ()
    public: bool = False
    tagging: int = 0
    tag_version: int = 0
    tagged_at: datetime | None = None

    @property
    def current(self) -> Generation:
        """The generation that is searched."""
        return next(one for one in self.generations if one.number == self.generation)

    @property
    def staging(self) -> Generation | None:
        """The generation that a REINDEX builds, until it replaces the current one."""
        return next((one for one in self.generations if one.number > self.generation), None)

    def status(self, active: bool) -> CollectionStatus:
        """The status to show; `active`: an operation of the collection is queued or runs."""
        counts = self.current.counts
        if active:
            return "indexing"
        if counts.indexed:
            return "incomplete" if counts.pending else "ready"
        return "failed" if counts.failed or counts.pending else "empty"


@dataclass(frozen=True)
class Source:
    """A folder of a collection, or another `kind` of source, which a connector reads.

    It is scanned again every `interval_s` seconds, and with `immediate` when something in it changes; `scan_id` is the
    operation that is queued for that, or did it last. With `removing`, an operation is about to remove it. `reader` is
    the version of the readers that its documents have, as its last complete scan saw to. `user_id` is who added it,
    whose roots it must lie in; empty: the collection's owner.

    `server` is the label of the servers that see it, which alone run its operations; empty: any that can.

    `path` is the folder's path, or the address below which the documents of another source have theirs. Such a source
    has `options` of its connector, and of them the encrypted `secret` ones as one text, or "".

    Its scans pass over what matches the globs of `exclude`, and over the files of `excluded`: paths relative to it.
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
    reader: str = ""
    user_id: str = ""
    kind: str = FOLDER
    options: Mapping[str, object] = field(default_factory=dict)
    secret: str = ""
    exclude: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    server: str = ""

    @property
    def is_folder(self) -> bool:
        return self.kind == FOLDER
