"""What the fork servers load before any worker is forked; all workers share it.

No thread may be alive when these functions return: a forked process has only the thread that forked.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from pipeline.compute.messages import ModelSpec
from semantik.core.errors import Invalid


def base(name: str, precision: str, traced_models_dir: str) -> None:
    """Load torch, tokenizers, and the traced model if the folder `traced_models_dir` has it."""
    from pipeline.compute import env
    from pipeline.embedding import query_model
    from pipeline.embedding.multilingual import unpacked

    unpacked.use_directory(traced_models_dir)
    query_model.import_libraries()
    query_model.load_traced(ModelSpec(name, precision), traced_models_dir)
    env.return_freed_memory()


def full(name: str, precision: str) -> None:
    """Load the model itself, the libraries that it needs, the readers without their libraries, and the chunker."""
    import tqdm  # type: ignore[import-untyped]

    from pipeline.embedding import model
    from pipeline.workers import file_reader, file_reading, worker  # noqa: F401

    # tqdm would start a thread and create a system semaphore, though no progress bar is shown.
    tqdm.tqdm.monitor_interval = 0
    tqdm.tqdm.set_lock(threading.RLock())
    # Workers are needed even if the model cannot be loaded: the task that asks for it raises the error.
    with suppress(Invalid):
        model.load(ModelSpec(name, precision)).embed(["warm"])
