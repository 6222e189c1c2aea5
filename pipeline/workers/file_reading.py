"""Reads and splits files in a worker process.

The server imports this module too, to name its functions. So the readers and the splitter are imported when they are
first needed.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline import failpoints
from pipeline.compute import env
from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelSpec,
    Outcome,
    Pages,
    ReadFailure,
    TextChunks,
)
from pipeline.workers.read_options import ReadOptions

if TYPE_CHECKING:
    from pipeline.workers.file_reader import FileReader

_log = logging.getLogger(__name__)


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
    from pipeline.workers.file_reader import FileReader

    with FileReader(tokenizer, max_chunk_tokens, options, read_options) as reader:
        outcomes = [_read_file(file, reader, read_options) for file in files]
    env.return_freed_memory()
    return outcomes


def time_limit_s(file: FileTask, max_file_bytes: int, file_timeout_s: float) -> float:
    """The time for one file; a container, which alone may be larger than other files, has more of it."""
    return file_timeout_s * max(1.0, file.size / max_file_bytes)


def _read_file(file: FileTask, reader: FileReader, read_options: ReadOptions) -> Outcome:
    from pipeline.extraction.content import ExtractError

    # By default the signal kills the process, so native code that hangs ends too. The pool sees which signal it was.
    limit_s = time_limit_s(file, read_options.max_file_bytes, read_options.file_timeout_s)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        failpoints.reach(read_options.failpoint, "extract", file.name)
        return reader.read(file)
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
