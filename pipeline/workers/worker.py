"""The loop of a worker process, which runs one task at a time, and the functions for models; files: `file_reading.py`.

Knows nothing of Tornado, MongoDB, Redis or the pool. The server imports this module too, to name its functions. So
torch is imported when it is first needed.
"""

from __future__ import annotations

import os
import pickle
import socket
import traceback
from collections.abc import Sequence
from io import BufferedRWPair

import numpy as np

from pipeline import failpoints
from pipeline.compute import env
from pipeline.compute.messages import ModelInfo, ModelSpec
from pipeline.embedding import device
from semantik.core.errors import Invalid, SemantikError
from semantik.core.normalization import normalized


def serve(connection: socket.socket, nice: bool, memory_bytes: int, device_name: str = device.CPU) -> None:
    """Run tasks from a socket until it closes: (function, args) comes in, (succeeded, result or error, bytes) goes out.

    The bytes are those of models that the process has loaded. Each is a pickle after its length in four bytes. This is
    all that a worker process does.
    """
    # A GPU's driver maps address ranges of many gigabytes, which a limit would count.
    env.set_up(nice, memory_bytes if device_name == device.CPU else None)
    device.use(device_name)
    with connection.makefile("rwb") as stream:
        while header := stream.read(4):
            # No variable holds the task or the response, so that neither takes memory while the worker waits.
            _send(stream, _run_task(stream.read(int.from_bytes(header))))


def _send(stream: BufferedRWPair, response: bytes) -> None:
    stream.write(len(response).to_bytes(4))
    stream.write(response)
    stream.flush()


def _run_task(task: bytes) -> bytes:
    """Run a pickled task. An error that the server may be unable to unpickle becomes a RuntimeError with its text."""
    try:
        function, args = pickle.loads(task)
        return pickle.dumps((True, function(*args), env.model_bytes()))
    except MemoryError:
        # The heap of this process is too full and too fragmented for the next task: a new process takes its place.
        os._exit(env.OUT_OF_MEMORY)
    except SemantikError as error:
        return pickle.dumps((False, error, env.model_bytes()))
    except Exception as error:
        is_builtin = type(error).__module__ == "builtins"
        sent = error if is_builtin else RuntimeError(f"{type(error).__name__}: {error}")
        # A pickled error has no traceback; the server logs the note.
        sent.add_note("".join(traceback.format_exception(error)))
        return pickle.dumps((False, sent, env.model_bytes()))


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
