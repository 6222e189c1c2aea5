"""Documents, and why they fail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from semantik.core.metadata import merged_tags, split_authors
from semantik.core.models.quality import Quality

DocumentStatus = Literal[
    "pending",  # registered by a scan, not read yet
    "indexed",  # its chunks are stored; the only status in which a search finds it
    "failed",  # it could not be read; `failure` says why
    "skipped",  # it has no text; `failure` says so
    "removing",  # deleted: hidden from searches and lists, until its chunks and its row are removed
]
DOCUMENT_STATUSES: tuple[DocumentStatus, ...] = get_args(DocumentStatus)

FailureCategory = Literal[
    "unreadable",  # the file is gone, is not permitted to be read, or lies outside the folders that may be read
    "unsupported",  # a format that no reader knows
    "corrupt",  # damaged, encrypted or not of the format that its name says
    "too_large",  # more bytes than `documents.max_file_bytes`, packed or unpacked
    "timeout",  # the reader took longer than its limit
    "worker_died",  # the worker process died or outgrew its memory while it read the file
    "internal",  # an error in the program; the server's log has the details
    "empty",  # no text in it; such a document is skipped and not failed
]

FAILURE_CATEGORIES: tuple[FailureCategory, ...] = get_args(FailureCategory)


@dataclass(frozen=True)
class Failure:
    """Why a document could not be indexed: a category of the wire protocol and a sentence for a person."""

    category: FailureCategory
    message: str


@dataclass(frozen=True)
class PathMetadata:
    """What the path of a document says of it, by the templates of `documents.path_metadata` and the name's date."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    date: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metadata:
    """What is known of a document: `date` in ISO 8601, `language` as ISO 639-1."""

    title: str | None
    authors: tuple[str, ...]
    date: str | None
    language: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A file as a generation of a collection knows it.

    `due` is the operation that has still to read it, for the first time or because the file has changed; only the
    holder of the lease `fence` may save the outcome. Its chunks are `first_seq` … `first_seq + chunk_count - 1`;
    those that it had before, `old_first` … `old_first + old_count - 1`, are still to be removed. `length` counts the
    characters of its text. A `missing` file was not found by the last scan of its folder.

    A document inside another one, like a message of an mbox, has `container_id`, the id of that document, and `part`,
    which names it there; its path is `part_path(path of the container, part)`. `locator` finds it in the container, and
    `digest` changes with its content (see `pipeline/extraction/part.py`); its time is that at which it was found there.
    The container itself has `part_count` parts and no chunks; for any other document that is None.

    `unrecognised` are the numbers of its pages whose text is still to be recognised; a document that has no other text
    is skipped until then.

    `author` is the sender of a message, and `date` the time that the document itself states, in ISO 8601. `reader` is
    the version of what read it. `language` is what it states, else that of most of its text (ISO 639-1), None where it
    is not clear. `authors` are the persons of `author`, one by one. `tags` are those that the document or its sidecar
    file states, `user_tags` those that users gave it, at the time `tagged_at` (ms); `sidecar` says in which state the
    sidecar file was (see `semantik/core/sidecars.py`), `by_path` what its path says.

    `origin` is what the connector of its source knows of it, like the last commit of a file; None in a folder.

    Of a document that a REINDEX has made, `since_seq` is the first seq that its content had in an earlier generation,
    where the content's hash was `since_hash`.
    """

    id: str
    collection_id: str
    generation: int
    source_id: str
    operation_id: str
    path: str
    size: int
    modified_ns: int
    status: DocumentStatus
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
    quality: Quality | None = None
    reader: str | None = None
    author: str | None = None
    date: str | None = None
    container_id: str | None = None
    part: str | None = None
    locator: str | None = None
    digest: str | None = None
    part_count: int | None = None
    unrecognised: tuple[int, ...] = ()
    language: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    user_tags: tuple[str, ...] = ()
    tagged_at: int = 0
    sidecar: str | None = None
    by_path: PathMetadata | None = None
    origin: Mapping[str, str] | None = None
    since_seq: int | None = None
    since_hash: str | None = None

    @property
    def origin_seq(self) -> int | None:
        """The first seq that its content has had in any generation; None without chunks."""
        if self.first_seq < 0:
            return None
        known = self.since_seq is not None and self.content_hash and self.content_hash == self.since_hash
        return self.since_seq if known else self.first_seq

    @property
    def metadata(self) -> Metadata:
        """What is known of the document from whatever place; what it states itself counts more than its path."""
        by_path = self.by_path or PathMetadata()
        return Metadata(
            self.title or by_path.title,
            self.authors or split_authors(self.author) or by_path.authors,
            self.date or by_path.date,
            self.language or by_path.language,
            merged_tags(self.user_tags, self.tags, by_path.tags),
        )

    @property
    def is_container(self) -> bool:
        return self.part_count is not None

    @property
    def is_part(self) -> bool:
        return self.container_id is not None

    @property
    def container_path(self) -> str:
        """The path of the container that a part is in; its inverse is `part_path`."""
        assert self.part is not None
        path = self.path.removesuffix(self.part)
        while path.endswith("./"):
            path = path[:-2]
        return path.removesuffix("#")

    @property
    def name(self) -> str:
        """The last step of the path; of a part with the name of what holds it, like "letters.zip#2024/may.txt"."""
        if self.part is None:
            return self.path.rpartition("/")[2]
        return f"{self.container_path.rpartition('/')[2]}#{self.part}"

    def has_chunk(self, seq: int) -> bool:
        """Whether the chunk `seq` belongs to the document as it is indexed now."""
        return self.status == "indexed" and self.first_seq <= seq < self.first_seq + self.chunk_count


def part_path(container: str, part: str, number: int = 0) -> str:
    """The path of a part; `number` gives others, for when there is a document with this path, like a file of that name.

    A part's name never begins with "./" (see `UniqueNames`), so each path stands for one part.
    """
    return f"{container}#{'./' * number}{part}"


@dataclass(frozen=True)
class FileFailure:
    """A file that an operation could not index."""

    operation_id: str
    document_id: str
    path: str
    failure: Failure
