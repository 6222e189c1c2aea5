"""What the fork servers load before any worker is forked: all workers share it.

No thread may be alive when these functions return, because a forked process has only the thread that forked.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from pipeline.compute.messages import ModelSpec
from semantik.core.errors import Invalid


def base(name: str, precision: str, recordings: str) -> None:
    """Load torch, the tokenizers, and the model's recording if the folder `recordings` has one."""
    from pipeline.compute import env
    from pipeline.embedding import query_model

    query_model.set_up()
    query_model.kept(ModelSpec(name, precision), recordings)
    env.return_freed_memory()


def full(name: str, precision: str) -> None:
    """Load the model itself, with all that its libraries need, and what cuts texts."""
    import tqdm  # type: ignore[import-untyped]

    from pipeline.embedding import model
    from pipeline.workers import worker  # noqa: F401

    # It would start a thread and take a semaphore of the system, though no progress bar is shown.
    tqdm.tqdm.monitor_interval = 0
    tqdm.tqdm.set_lock(threading.RLock())
    # A model that cannot be loaded is no reason to have no workers: the task that asks for it gets the sentence.
    with suppress(Invalid):
        model.load(ModelSpec(name, precision)).embed(["warm"])
