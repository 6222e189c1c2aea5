"""Reads and splits files in a worker process.

The server imports this module too, to name its functions. So the readers and the splitter are imported when they are
first needed.
"""

from __future__ import annotations

import hashlib
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    TextChunks,
)
from pipeline.extraction.reading_options import ReadingOptions

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
    outcomes = [_read_file(file, options, read_options, tokenizer, max_chunk_tokens) for file in files]
    env.return_freed_memory()
    return outcomes


def _read_file(
    file: FileTask, options: ChunkingOptions, read_options: ReadOptions, tokenizer: Any, max_chunk_tokens: int
) -> Outcome:
    from pipeline.extraction import chunker, extract
    from pipeline.extraction.document_quality import document_quality

    # By default the signal kills the process, so native code that hangs ends too. The pool sees which signal it was.
    signal.setitimer(signal.ITIMER_REAL, read_options.file_timeout_s)
    try:
        failpoints.reach(read_options.failpoint, "extract", file.path)
        places = extract.Places(read_options.roots, read_options.forbidden)
        data = extract.read(file.path, read_options.max_file_bytes, places)
        content_hash = hashlib.sha256(data).hexdigest()
        if content_hash == file.known_hash:
            return ReadUnchanged(file.document_id)
        extracted = extract.extract(file.path, data, read_options.max_file_bytes, read_options.reading)
        split = chunker.split(
            extracted, tokenizer, options.chunk_size, options.chunk_overlap, max_chunk_tokens
        )
        if not split.chunks:
            raise extract.ExtractError("empty", "There is no language in this file, only encoded data.", True)
        quality = document_quality(extracted, split, tokenizer)
    except extract.ExtractError as error:
        return ReadFailure(file.document_id, error.category, error.message, error.skipped)
    except MemoryError:
        raise
    except Exception as error:
        _log.exception("reading %s failed", file.path)
        message = f"Reading this file failed with an unexpected error ({type(error).__name__})."
        return ReadFailure(file.document_id, "internal", message, False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return ReadDocument(
        file.document_id,
        extracted.mime,
        extracted.title,
        content_hash,
        len(extracted.text),
        extracted.pages[-1][0] if extracted.pages else None,
        TextChunks.from_chunks(split.chunks),
        quality,
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
        chunker.split(
            extracted, tokenizer, options.chunk_size, options.chunk_overlap, max_chunk_tokens
        ).chunks
    )
