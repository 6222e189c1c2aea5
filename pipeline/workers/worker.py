"""The loop of a worker process, which runs one task at a time, and the functions for models; files: `file_reading.py`.

Knows nothing of Tornado, MongoDB, Redis or the pool. The server imports this module too, to name its functions. So
torch is imported when it is first needed.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import resource
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline import failpoints
from pipeline.compute import env
from pipeline.compute.answers import AnswerTooLarge, encode, encode_error
from pipeline.compute.messages import ModelInfo, ModelSpec
from pipeline.embedding import device
from pipeline.extraction import file_access, spool
from pipeline.extraction.content import ExtractError
from pipeline.isolation.profile import Profile, Report, apply
from semantik.core.errors import Invalid
from semantik.core.models import FailureCategory
from semantik.core.normalization import normalized

MAX_FILES = 250  # of one task: the kernel passes 253 descriptors at a time
_HEADER_BYTES = 4
_SPOOL_FILES = 4  # containers in each other, and one
_MAX_SPOOL_BYTES = 5 << 30  # more than a reader unpacks


@dataclass(frozen=True)
class WorkerSetup:
    """How a worker runs: with a lower priority, with this memory, on this device, and restricted to the profile."""

    niceness: int
    memory_bytes: int
    device: str = device.CPU
    profile: Profile | None = None


def serve(connection: socket.socket, setup: WorkerSetup) -> None:
    """Run tasks from a socket until it closes. This is all that a worker process does.

    First goes the report of its isolation out. A task is a pickled (function, args, files, bytes of the largest
    answer), with the descriptors of the files that could be opened; what goes out is described in
    `pipeline.compute.answers`. Before each message stands its length in four bytes.
    """
    # A GPU's driver maps address ranges of many gigabytes, which a limit would count.
    env.set_up(setup.niceness, setup.memory_bytes if setup.device == device.CPU else None)
    device.use(setup.device)
    with connection:
        _send(connection, encode(_isolate(setup.profile, connection), 0))
        while True:
            # No variable holds the task or the response, so that neither takes memory while the worker waits.
            header, descriptors = _receive_header(connection)
            if not header:
                return
            try:
                _send(connection, _run_task(_receive(connection, int.from_bytes(header[:4])), descriptors))
            finally:
                for each in descriptors:
                    os.close(each)


def _isolate(profile: Profile | None, connection: socket.socket) -> Report | None:
    if profile is None:
        return None
    server = multiprocessing.parent_process()
    assert server is not None
    env.close_descriptors({0, 1, 2, connection.fileno(), server.sentinel})
    if not profile.writable:
        spool.reserve(_SPOOL_FILES)
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_SPOOL_BYTES, _MAX_SPOOL_BYTES))
    return apply(profile)


def _receive_header(connection: socket.socket) -> tuple[bytes, list[int]]:
    """The header of a task, empty at the end, and the descriptors of its files."""
    header, descriptors, _, _ = socket.recv_fds(connection, _HEADER_BYTES, MAX_FILES)
    while header and len(header) < _HEADER_BYTES:
        header += connection.recv(_HEADER_BYTES - len(header))
    return header, descriptors


def _receive(connection: socket.socket, length: int) -> bytearray:
    task = bytearray(length)
    view, at = memoryview(task), 0
    while at < length:
        received = connection.recv_into(view[at:])
        if not received:
            raise EOFError
        at += received
    return task


def _send(connection: socket.socket, response: bytes) -> None:
    connection.sendall(len(response).to_bytes(4))
    connection.sendall(response)


def _run_task(task: bytearray, descriptors: Sequence[int]) -> bytes:
    """The answer to a pickled task."""
    try:
        function, args, files, max_answer_bytes = pickle.loads(task)
        task.clear()
        file_access.hand_over(_handed(files, descriptors))
        answer = encode(function(*args), env.model_bytes())
        return (
            answer if len(answer) <= max_answer_bytes else encode_error(AnswerTooLarge(), env.model_bytes())
        )
    except MemoryError:
        # The heap of this process is too full and too fragmented for the next task: a new process takes its place.
        os._exit(env.OUT_OF_MEMORY)
    except Exception as error:
        return encode_error(error, env.model_bytes())
    finally:
        file_access.hand_over({})


def _handed(
    files: Sequence[tuple[str, tuple[FailureCategory, str, bool] | None]], descriptors: Sequence[int]
) -> dict[str, int | ExtractError]:
    """The descriptor of each file, or why it could not be opened."""
    opened = iter(descriptors)
    return {path: next(opened) if failure is None else ExtractError(*failure) for path, failure in files}


def embed(spec: ModelSpec, texts: Sequence[str], failpoint: str) -> np.ndarray:
    """Vectors of chunks: float16 (n, dimension) of unit length. Raises Invalid when one of them is not finite."""
    from pipeline.embedding import model

    for text in texts:
        failpoints.reach(failpoint, "embed", text)
    vectors = model.load(spec).embed([normalized(text) for text in texts]).astype(np.float16)
    if not np.isfinite(vectors).all():
        bad = texts[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
        raise Invalid(f"The model gives no vector for the chunk “{bad[:60]}…”.")
    return vectors


def describe(spec: ModelSpec) -> ModelInfo:
    """Load the model and return its properties; raises Invalid when it cannot be loaded."""
    from pipeline.embedding import model

    return model.load(spec).info
