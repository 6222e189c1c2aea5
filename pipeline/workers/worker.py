"""What runs in a worker process: reading files and embedding texts, one task at a time.

Knows nothing of Tornado, MongoDB, Redis or the pool. The server imports this module too, to name its functions, so
whatever is heavy (torch, kreuzberg, the splitter) is imported when it is first needed.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import logging
import multiprocessing
import os
import pickle
import resource
import select
import signal
import socket
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedRWPair
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import failpoints
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

PRELOAD = "SEMANTIK_PRELOAD"  # name:precision of the model that the fork server loads for all
RECORDINGS = "SEMANTIK_RECORDINGS"  # the folder where models that were recorded are kept
NICENESS = 10
OUT_OF_MEMORY = 80  # the exit status of a worker that could not get what it asked for
_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 32 << 20  # the most that glibc allows
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


def begin(nice: bool, memory_bytes: int) -> None:
    """Called once in each new worker: it dies with the server or the fork server, and may allocate so much."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _die_with_server()
    keep_freed_memory()
    if nice:
        os.nice(NICENESS)
        os.sched_setscheduler(
            0, os.SCHED_BATCH, os.sched_param(0)
        )  # it may not preempt a question when it wakes up
    Path("/proc/self/oom_score_adj").write_text(
        "500"
    )  # a machine out of memory ends a worker, not the server
    used = data_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (used + memory_bytes, used + memory_bytes))


def data_bytes() -> int:
    """What this process has of the memory that RLIMIT_DATA limits."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def _die_with_server() -> None:
    """Have the kernel end this process when the server's end of their pipe closes, even during native code."""
    server = multiprocessing.parent_process()
    assert server is not None
    pipe = server.sentinel
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        os._exit(1)


def attend(line: socket.socket, nice: bool, memory_bytes: int) -> None:
    """The whole life of a worker, which takes one task after the other from a socket: (function, args) in, and
    (True, result) or (False, error) back, each a pickle behind its length in four bytes."""
    begin(nice, memory_bytes)
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
        os._exit(OUT_OF_MEMORY)
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
    results = [_read(file, cutting, reading, loaded) for file in files]
    _give_memory_back()
    return results


def _read(file: FileTask, cutting: ChunkingOptions, reading: ReadOptions, loaded: Any) -> Outcome:
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
        chunks = chunker.split(
            extracted, loaded.tokenizer, cutting.chunk_size, cutting.chunk_overlap, loaded.info.room
        )
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
    from pipeline.extraction import chunker, extract

    loaded = model.load(ModelSpec(cutting.model, precision))
    extracted = extract.Extracted(text, "text/plain", None, False, pages)
    size, overlap = cutting.chunk_size, cutting.chunk_overlap
    return TextChunks.of(chunker.split(extracted, loaded.tokenizer, size, overlap, loaded.info.room))


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


def keep_freed_memory() -> None:
    """Have glibc keep what is freed for the next pass through the model, and not fetch it from the system anew, page by
    page: that is a fifth of the time of embedding."""
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
    libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _give_memory_back() -> None:
    """Files of ever other sizes leave glibc hundreds of megabytes in pieces; a trim takes 10 to 30 ms per task."""
    ctypes.CDLL(None).malloc_trim(0)


def embed_queries(spec: ModelSpec, texts: Sequence[str]) -> np.ndarray:
    """Questions as float32 (n, dimension), unit length."""
    from pipeline.embedding import query_model

    return query_model.load(spec)(texts)


def describe(spec: ModelSpec) -> ModelInfo:
    """Load the model and say what it is; raises Invalid when it cannot be loaded."""
    from pipeline.embedding import model

    return model.load(spec).info
