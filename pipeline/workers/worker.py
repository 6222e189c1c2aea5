"""What runs in a worker process: reading files and embedding texts, one task at a time.

Knows nothing of Tornado, MongoDB, Redis or the pool. The server imports this module too, to name its functions, so
whatever is heavy (torch, kreuzberg, the splitter) is imported when it is first needed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import signal
import socket
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedRWPair
from typing import Any

import numpy as np

from pipeline import failpoints
from pipeline.compute import env
from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelInfo,
    ModelSpec,
    Outcome,
    ReadDocument,
    ReadFailure,
    ReadUnchanged,
    TextChunks,
)
from semantik.core.errors import Invalid, SemantikError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadOptions:
    """How files are read: limits of a file, where it may lie, the precision of models, a test's failpoint."""

    max_file_bytes: int
    roots: tuple[str, ...]
    forbidden: tuple[str, ...]
    file_timeout_s: float
    precision: str
    failpoint: str


def attend(line: socket.socket, nice: bool, memory_bytes: int) -> None:
    """The whole life of a worker, which takes one task after the other from a socket: (function, args) in, and
    (True, result) or (False, error) back, each a pickle behind its length in four bytes."""
    env.set_up(nice, memory_bytes)
    with line.makefile("rwb") as stream:
        while head := stream.read(4):
            _send(stream, _do(stream.read(int.from_bytes(head))))  # and keep neither while waiting


def _send(stream: BufferedRWPair, answer: bytes) -> None:
    stream.write(len(answer).to_bytes(4))
    stream.write(answer)
    stream.flush()


def _do(task: bytes) -> bytes:
    """Run a task. Errors that the server may be unable to unpickle come back as RuntimeError with the same words."""
    try:
        function, args = pickle.loads(task)
        return pickle.dumps((True, function(*args)))
    except MemoryError:
        # What is left of this process is too full and too scattered for the next task: a new one takes its place.
        os._exit(env.OUT_OF_MEMORY)
    except SemantikError as error:
        return pickle.dumps((False, error))
    except Exception as error:
        known = type(error).__module__ == "builtins"
        told = error if known else RuntimeError(f"{type(error).__name__}: {error}")
        told.add_note(
            "".join(traceback.format_exception(error))
        )  # for the log: the server has no trace of it
        return pickle.dumps((False, told))


def read_files(files: Sequence[FileTask], cutting: ChunkingOptions, reading: ReadOptions) -> list[Outcome]:
    """Extract and cut each file, in order. Raises Invalid when the model that counts the tokens cannot be loaded."""
    from pipeline.embedding import model

    loaded = model.load(ModelSpec(cutting.model, reading.precision))
    return read_with(loaded.tokenizer, loaded.info.room, files, cutting, reading)


def read_with(
    tokenizer: Any, room: int, files: Sequence[FileTask], cutting: ChunkingOptions, reading: ReadOptions
) -> list[Outcome]:
    """The same with a tokenizer, a `tokenizers.Tokenizer`, and the most of its tokens that a chunk may have."""
    results = [_read(file, cutting, reading, tokenizer, room) for file in files]
    env.return_freed_memory()
    return results


def _read(
    file: FileTask, cutting: ChunkingOptions, reading: ReadOptions, tokenizer: Any, room: int
) -> Outcome:
    from pipeline.extraction import chunker, extract

    # The signal's default action is death, so that native code that hangs ends too; the pool sees which signal it was.
    signal.setitimer(signal.ITIMER_REAL, reading.file_timeout_s)
    try:
        failpoints.reach(reading.failpoint, "extract", file.path)
        places = extract.Places(reading.roots, reading.forbidden)
        data = extract.read(file.path, reading.max_file_bytes, places)
        content_hash = hashlib.sha256(data).hexdigest()
        if content_hash == file.known_hash:
            return ReadUnchanged(file.document_id)
        extracted = extract.extract(file.path, data, reading.max_file_bytes)
        chunks = chunker.split(extracted, tokenizer, cutting.chunk_size, cutting.chunk_overlap, room)
    except extract.ExtractError as error:
        return ReadFailure(file.document_id, error.category, error.message, error.skipped)
    except MemoryError:
        raise
    except Exception as error:
        _log.exception("reading %s failed", file.path)
        message = f"Reading this file failed for a reason that nobody foresaw ({type(error).__name__})."
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
        TextChunks.of(chunks),
    )


def split_text(
    text: str, pages: tuple[tuple[int, int], ...], cutting: ChunkingOptions, precision: str
) -> TextChunks:
    """The passages of a text that was read before. Raises Invalid when the model cannot be loaded."""
    from pipeline.embedding import model

    loaded = model.load(ModelSpec(cutting.model, precision))
    return cut_with(loaded.tokenizer, loaded.info.room, text, pages, cutting)


def cut_with(
    tokenizer: Any, room: int, text: str, pages: tuple[tuple[int, int], ...], cutting: ChunkingOptions
) -> TextChunks:
    """The same with a tokenizer, a `tokenizers.Tokenizer`, and the most of its tokens that a chunk may have."""
    from pipeline.extraction import chunker, extract

    extracted = extract.Extracted(text, "text/plain", None, False, pages)
    return TextChunks.of(chunker.split(extracted, tokenizer, cutting.chunk_size, cutting.chunk_overlap, room))


def embed(spec: ModelSpec, texts: Sequence[str], failpoint: str) -> np.ndarray:
    """Passages as float16 (n, dimension), unit length."""
    from pipeline.embedding import model

    for text in texts:
        failpoints.reach(failpoint, "embed", text)
    vectors = model.load(spec).embed(texts).astype(np.float16)
    if not np.isfinite(vectors).all():
        bad = texts[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
        raise Invalid(f"The model gives no vector for the passage “{bad[:60]}…”.")
    return vectors


def embed_queries(
    spec: ModelSpec, texts: Sequence[str], recordings: str, load_model: bool
) -> np.ndarray | None:
    """Queries as float32 (n, dimension), unit length, from the recording of the model that is kept in the folder
    `recordings`. Where there is none: None, or with `load_model` from the model itself, which this worker loads.

    Raises Invalid when there is no such model, or it cannot be loaded."""
    from pipeline.embedding import model, query_model

    if (recording := query_model.kept(spec, recordings)) is not None:
        return recording.embed(texts)
    if load_model:
        return query_model.load(spec, recordings)(texts)
    model.make_sure_of_files(spec.name)
    return None


def check_recording(spec: ModelSpec, recordings: str) -> str:
    """Compare the recording of the model that is kept in the folder `recordings` with the model itself.

    Returns what was found and done: "same"; "replaced" when it gave other vectors, "made" when there was none; "none"
    when the model cannot be recorded. Raises Invalid when the model cannot be loaded.
    """
    from pipeline.embedding import query_model

    return query_model.check(spec, recordings)


def describe(spec: ModelSpec) -> ModelInfo:
    """Load the model and say what it is; raises Invalid when it cannot be loaded."""
    from pipeline.embedding import model

    return model.load(spec).info
