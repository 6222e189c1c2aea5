"""The arguments and results of worker tasks: frozen, picklable dataclasses.

Imports no more than the records at run time, so both the server and the workers can import it cheaply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from semantik.core.models import Chunk, FailureCategory, Quality

Pages = tuple[tuple[int, int], ...]
"""The pages of a text: pairs (page number, offset of its first character), in order."""


@dataclass(frozen=True)
class FileTask:
    """One file to read; `size` in bytes, as found by the scan.

    If the SHA-256 of its content still is `known_hash`, its text is not extracted. `place` says where a part of a
    container is, which is the file at `path` or lies inside it. `recognised` are texts for its pages without text.
    The file must lie below one of `roots`, or is kept in the folder `kept` for a source that is no folder. `sidecar` is
    the path of the file that describes it, in the same places.
    """

    document_id: str
    path: str
    size: int
    known_hash: str | None = None
    place: PartPlace | None = None
    recognised: RecognisedTexts | None = None
    roots: tuple[str, ...] = ()
    sidecar: str | None = None
    kept: str = ""

    @property
    def name(self) -> str:
        """The path, and after it the names that lead to a part."""
        return "#".join([self.path, *(name for name, _ in self.place.steps)]) if self.place else self.path


@dataclass(frozen=True)
class RecognisedTexts:
    """What was recognised in a file, whose content has the SHA-256 `content_hash` in hex.

    `texts` are pairs (page number, text); the text is empty where there is none. `warnings` are a sentence each.
    """

    content_hash: str
    texts: tuple[tuple[int, str], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PartPlace:
    """Where a part is: its name and locator after those of the containers that hold it, from the file inwards.

    `size` and `modified_ns` are the file's when the parts were listed; when it has others, the locators may be wrong.
    """

    steps: tuple[tuple[str, str], ...]
    size: int
    modified_ns: int


@dataclass(frozen=True)
class ChunkingOptions:
    """How texts are split: `chunk_size` and `chunk_overlap` in tokens of `model`.

    A larger `chunk_size` than `ModelInfo.max_chunk_tokens` has no effect.
    """

    model: str
    chunk_size: int
    chunk_overlap: int


@dataclass(frozen=True)
class TextChunk:
    """A chunk: `text == document_text[start:end]`, in characters; `heading` like "Guide › Install".

    `recognised` says that it was read in a picture; `page_label` is what stands on the page, like "iii", where that is
    not its number. `title` is the document's, where the chunk does not begin with it; `context` is what the model reads
    before the text.
    """

    text: str
    start: int
    end: int
    page: int | None
    heading: str | None
    recognised: bool = False
    page_label: str | None = None
    title: str | None = None
    context: str | None = None


@dataclass(frozen=True)
class TextChunks(Sequence[TextChunk]):
    """The chunks of a document, in columns, which unpickle ten times faster than a list of chunks."""

    texts: tuple[str, ...]
    starts: tuple[int, ...]
    pages: tuple[int | None, ...]
    headings: tuple[str | None, ...]
    recognised: tuple[bool, ...] = ()  # empty: none
    page_labels: tuple[str | None, ...] = ()  # empty: none
    titles: tuple[str | None, ...] = ()  # empty: none
    contexts: tuple[str | None, ...] = ()  # empty: none

    @classmethod
    def from_chunks(cls, chunks: Sequence[TextChunk | Chunk]) -> TextChunks:
        """From chunks with `end == start + len(text)`."""
        recognised = tuple(chunk.recognised for chunk in chunks)
        labels = tuple(chunk.page_label for chunk in chunks)
        titles = tuple(chunk.title for chunk in chunks)
        contexts = tuple(chunk.context for chunk in chunks)
        return cls(
            tuple(chunk.text for chunk in chunks),
            tuple(chunk.start for chunk in chunks),
            tuple(chunk.page for chunk in chunks),
            tuple(chunk.heading for chunk in chunks),
            recognised if any(recognised) else (),
            labels if any(labels) else (),
            titles if any(titles) else (),
            contexts if any(contexts) else (),
        )

    @property
    def is_even(self) -> bool:
        """Whether each column has a value for each chunk."""
        required = (self.texts, self.starts, self.pages, self.headings)
        optional = (self.recognised, self.page_labels, self.titles, self.contexts)
        return {*map(len, required), *(len(each) for each in optional if each)} == {len(self.texts)}

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> TextChunk: ...
    @overload
    def __getitem__(self, index: slice) -> list[TextChunk]: ...
    def __getitem__(self, index: int | slice) -> TextChunk | list[TextChunk]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        text, start = self.texts[index], self.starts[index]
        recognised = bool(self.recognised and self.recognised[index])
        label = self.page_labels[index] if self.page_labels else None
        return TextChunk(
            text,
            start,
            start + len(text),
            self.pages[index],
            self.headings[index],
            recognised,
            label,
            self.titles[index] if self.titles else None,
            self.contexts[index] if self.contexts else None,
        )

    def embedded(self, index: int) -> str:
        """What the model reads of a chunk: its context, then its text."""
        context = self.contexts[index] if self.contexts else None
        return (context or "") + self.texts[index]

    @property
    def keys(self) -> list[tuple[str | None, str]]:
        """(context, text) of each chunk: what decides its vector."""
        return list(zip(self.contexts or (None,) * len(self), self.texts, strict=True))


@dataclass(frozen=True)
class ReadDocument:
    """A file that was read: `content_hash` is the SHA-256 of its bytes in hex, `length` its text in characters.

    `author`, `date`, `authors` and `tags` as in `Content` (see `pipeline/extraction/content.py`). `reader` is the
    version of what read it, None for the present one. `unrecognised` are the pages whose text is still to be
    recognised. `language` as in `Document`.
    """

    document_id: str
    mime: str
    title: str | None
    content_hash: str
    length: int
    pages: int | None
    chunks: TextChunks
    quality: Quality | None = None
    author: str | None = None
    date: str | None = None
    reader: str | None = None
    unrecognised: tuple[int, ...] = ()
    language: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def has_warnings(self) -> bool:
        return bool(self.quality and self.quality.warnings)


@dataclass(frozen=True)
class PartList(Sequence[tuple[str, int, str, str]]):
    """The parts of a container in columns, like `TextChunks`; see `Part` in `pipeline/extraction/part.py`."""

    names: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    digests: tuple[str, ...] = ()
    locators: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> tuple[str, int, str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> PartList: ...
    def __getitem__(self, index: int | slice) -> tuple[str, int, str, str] | PartList:
        if isinstance(index, slice):
            return PartList(self.names[index], self.sizes[index], self.digests[index], self.locators[index])
        return self.names[index], self.sizes[index], self.digests[index], self.locators[index]


@dataclass(frozen=True)
class ReadContainer:
    """A container, whose parts are documents of their own; it has no text itself.

    `content_hash` is the SHA-256 of its bytes in hex. `size` and `modified_ns` are those of a file, as it was when the
    parts were listed; None for a part. `parts` None: the parts that are known stay as they are, `part_count` of them.
    """

    document_id: str
    mime: str
    title: str | None
    content_hash: str
    size: int | None
    modified_ns: int | None
    parts: PartList | None
    part_count: int
    quality: Quality | None = None

    @property
    def has_warnings(self) -> bool:
        return bool(self.quality and self.quality.warnings)


@dataclass(frozen=True)
class ReadFailure:
    """A file that was not read, and why; `message` is one sentence for the user.

    A file of the category `empty` counts as skipped, not as failed. Where it has pages whose text is still to be
    recognised, these are `unrecognised`, and `content_hash` and `mime` as in `ReadDocument`.
    """

    document_id: str
    category: FailureCategory
    message: str
    skipped: bool
    unrecognised: tuple[int, ...] = ()
    content_hash: str | None = None
    mime: str | None = None


@dataclass(frozen=True)
class ReadUnchanged:
    """A file whose content still has the known hash."""

    document_id: str


Outcome = ReadDocument | ReadContainer | ReadFailure | ReadUnchanged


@dataclass(frozen=True)
class ModelSpec:
    """A sentence-transformers name or path, and the requested precision: auto, float32 or bfloat16."""

    name: str
    precision: str


@dataclass(frozen=True)
class ModelInfo:
    """A loaded model: `dimension` of its vectors, and the length of the longest chunk that it reads, in its own tokens.

    `max_chunk_tokens` leaves out special tokens and the model's prompt."""

    name: str
    dimension: int
    max_chunk_tokens: int
    precision: str
