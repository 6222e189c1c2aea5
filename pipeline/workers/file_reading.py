"""Reads and splits files in a worker process.

The server imports this module too, to name its functions. So the readers and the splitter are imported when they are
first needed.
"""

from __future__ import annotations

import hashlib
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline import failpoints
from pipeline.compute import env
from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelSpec,
    Outcome,
    Pages,
    ReadDocument,
    ReadFailure,
    ReadUnchanged,
    TextChunk,
    TextChunks,
)
from pipeline.extraction.reading_options import ReadingOptions
from semantik.core.models.quality import Quality

if TYPE_CHECKING:
    from pipeline.extraction.extract import Extracted
    from pipeline.workers.open_files import OpenFiles

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadOptions:
    """How files are read: limits of a file, allowed and forbidden folders, the model's precision, a failpoint.

    `reading` is for the readers of the formats.
    """

    max_file_bytes: int
    roots: tuple[str, ...]
    forbidden: tuple[str, ...]
    file_timeout_s: float
    precision: str
    failpoint: str
    reading: ReadingOptions = ReadingOptions()
    max_container_bytes: int = 1 << 40
    max_container_parts: int = 1_000_000


def read_files(
    files: Sequence[FileTask], options: ChunkingOptions, read_options: ReadOptions
) -> list[Outcome]:
    """Extract and split each file, in order. Raises Invalid when the model that counts the tokens cannot be loaded."""
    from pipeline.embedding import model

    loaded = model.load(ModelSpec(options.model, read_options.precision))
    return read_files_with(loaded.tokenizer, loaded.info.max_chunk_tokens, files, options, read_options)


def read_files_with(
    tokenizer: Any,
    max_chunk_tokens: int,
    files: Sequence[FileTask],
    options: ChunkingOptions,
    read_options: ReadOptions,
) -> list[Outcome]:
    """As `read_files`, with a given `tokenizers.Tokenizer` and the most of its tokens that a chunk may have."""
    from pipeline.extraction import chunker, extract
    from pipeline.workers.open_files import OpenFiles

    def split(extracted: Extracted) -> Sequence[TextChunk]:
        return chunker.split(
            extracted, tokenizer, options.chunk_size, options.chunk_overlap, max_chunk_tokens
        )

    places = extract.Places(read_options.roots, read_options.forbidden)
    with OpenFiles(places, read_options.max_file_bytes) as open_files:
        outcomes = [_read_file(file, open_files, read_options, split) for file in files]
    env.return_freed_memory()
    return outcomes


def time_limit_s(file: FileTask, max_file_bytes: int, file_timeout_s: float) -> float:
    """The time for one file; a container, which alone may be larger than other files, has more of it."""
    return file_timeout_s * max(1.0, file.size / max_file_bytes)


def _read_file(
    file: FileTask,
    open_files: OpenFiles,
    read_options: ReadOptions,
    split: Callable[[Extracted], Sequence[TextChunk]],
) -> Outcome:
    from pipeline.extraction.extract import ExtractError

    # By default the signal kills the process, so native code that hangs ends too. The pool sees which signal it was.
    limit_s = time_limit_s(file, read_options.max_file_bytes, read_options.file_timeout_s)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        failpoints.reach(read_options.failpoint, "extract", file.name)
        with open_files.open(file) as (opened, name):
            return _read_open(file, opened, name, read_options, split)
    except ExtractError as error:
        return ReadFailure(file.document_id, error.category, error.message, error.skipped)
    except MemoryError:
        raise
    except Exception as error:
        _log.exception("reading %s failed", file.name)
        message = f"Reading this file failed with an unexpected error ({type(error).__name__})."
        return ReadFailure(file.document_id, "internal", message, False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _read_open(
    file: FileTask,
    opened: BinaryIO,
    name: str,
    read_options: ReadOptions,
    split: Callable[[Extracted], Sequence[TextChunk]],
) -> Outcome:
    """The outcome of an open file or part; the end of `name` may tell its format. Raises ExtractError."""
    from pipeline.extraction import extract
    from pipeline.extraction.container_format import container_format
    from pipeline.extraction.part import ContainerLimits
    from pipeline.workers.container_listing import list_parts
    from pipeline.workers.open_files import suffix_of

    container = container_format(opened, suffix_of(name))
    if container is not None:
        limits = ContainerLimits(read_options.max_container_parts, read_options.max_container_bytes)
        return list_parts(file, opened, container, limits)
    data = extract.read_open(opened, read_options.max_file_bytes)
    content_hash = hashlib.sha256(data).hexdigest()
    if content_hash == file.known_hash:
        return ReadUnchanged(file.document_id)
    extracted = extract.extract(name, data, read_options.max_file_bytes, read_options.reading)
    chunks = split(extracted)
    return ReadDocument(
        file.document_id,
        extracted.mime,
        extracted.title,
        content_hash,
        len(extracted.text),
        extracted.pages[-1][0] if extracted.pages else None,
        TextChunks.from_chunks(chunks),
        Quality(
            len(extracted.text),
            pages_without_text=len(extracted.pages_without_text),
            warnings=extracted.warnings,
        ),
        extracted.author,
        extracted.date,
    )


def split_text(text: str, pages: Pages, options: ChunkingOptions, precision: str) -> TextChunks:
    """The chunks of a text that was read before. Raises Invalid when the model cannot be loaded."""
    from pipeline.embedding import model

    loaded = model.load(ModelSpec(options.model, precision))
    return split_text_with(loaded.tokenizer, loaded.info.max_chunk_tokens, text, pages, options)


def split_text_with(
    tokenizer: Any, max_chunk_tokens: int, text: str, pages: Pages, options: ChunkingOptions
) -> TextChunks:
    """As `split_text`, with a given `tokenizers.Tokenizer` and the most of its tokens that a chunk may have."""
    from pipeline.extraction import chunker, extract

    extracted = extract.Extracted(text, "text/plain", None, False, pages)
    return TextChunks.from_chunks(
        chunker.split(extracted, tokenizer, options.chunk_size, options.chunk_overlap, max_chunk_tokens)
    )
