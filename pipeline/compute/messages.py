"""What crosses the border between the server and its worker processes: frozen, picklable, and nothing else.

Knows no other module, so that both sides may import it without cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from semantik.core.models import FailureCategory


@dataclass(frozen=True)
class FileTask:
    """One file to be read; `size` in bytes, as the scan saw it.

    Where its content is `known_hash` still, it is not read any further.
    """

    document_id: str
    path: str
    size: int
    known_hash: str | None = None


@dataclass(frozen=True)
class ChunkingOptions:
    """How texts are cut: `chunk_size` and `chunk_overlap` in tokens of `model`.

    The size that counts is at most what the model reads, less its special tokens.
    """

    model: str
    chunk_size: int
    chunk_overlap: int


@dataclass(frozen=True)
class TextChunk:
    """A passage: `text == document_text[start:end]`, in characters; `heading` like "Guide › Install"."""

    text: str
    start: int
    end: int
    page: int | None
    heading: str | None


@dataclass(frozen=True)
class TextChunks(Sequence[TextChunk]):
    """The chunks of a document, in columns: those of a long one come out of the pipe ten times faster so."""

    texts: tuple[str, ...]
    starts: tuple[int, ...]
    pages: tuple[int | None, ...]
    headings: tuple[str | None, ...]

    @classmethod
    def of(cls, chunks: Sequence[TextChunk]) -> TextChunks:
        """`chunks`, each of which ends where its text does."""
        return cls(
            tuple(chunk.text for chunk in chunks),
            tuple(chunk.start for chunk in chunks),
            tuple(chunk.page for chunk in chunks),
            tuple(chunk.heading for chunk in chunks),
        )

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, at: int) -> TextChunk: ...
    @overload
    def __getitem__(self, at: slice) -> list[TextChunk]: ...
    def __getitem__(self, at: int | slice) -> TextChunk | list[TextChunk]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        text, start = self.texts[at], self.starts[at]
        return TextChunk(text, start, start + len(text), self.pages[at], self.headings[at])


@dataclass(frozen=True)
class ReadDocument:
    """A file that was read: `content_hash` is the SHA-256 of its bytes in hex, `length` its text in characters."""

    document_id: str
    mime: str
    title: str | None
    content_hash: str
    length: int
    pages: int | None
    chunks: TextChunks


@dataclass(frozen=True)
class ReadFailure:
    """A file that was not read, and why: `message` is one sentence for a person.

    A file of the category `empty` is skipped rather than failed.
    """

    document_id: str
    category: FailureCategory
    message: str
    skipped: bool


@dataclass(frozen=True)
class ReadUnchanged:
    """A file that has the content which is known of it."""

    document_id: str


Outcome = ReadDocument | ReadFailure | ReadUnchanged


@dataclass(frozen=True)
class ModelSpec:
    """A sentence-transformers name or path, and the precision asked for: auto, float32 or bfloat16."""

    name: str
    precision: str


@dataclass(frozen=True)
class ModelInfo:
    """A model as it was loaded: `dimension` of its vectors, `room` for a text in tokens of its own."""

    name: str
    dimension: int
    room: int
    precision: str
