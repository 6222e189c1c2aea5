"""Which functions the worker processes of a pool run: importable ones, so that a task names them.

Another table makes a pool with the same processes and other work in them, for example without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.compute.messages import ChunkingOptions, FileTask, ModelInfo, ModelSpec, Outcome, TextChunks
from pipeline.workers import preload, worker
from pipeline.workers.worker import ReadOptions

Pages = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class WorkerFunctions:
    """Each does what the function of `pipeline.workers.worker` does that is its default.

    `check_recording` is None where queries need no recordings. `preload_base(name, precision, recordings)` and
    `preload_full(name, precision)` get the default model, and run once in a fork server (`pipeline.workers.preload`).
    """

    read_files: Callable[[Sequence[FileTask], ChunkingOptions, ReadOptions], list[Outcome]] = (
        worker.read_files
    )
    cut_text: Callable[[str, Pages, ChunkingOptions, str], TextChunks] = worker.split_text
    embed: Callable[[ModelSpec, Sequence[str], str], np.ndarray] = worker.embed
    embed_questions: Callable[[ModelSpec, Sequence[str], str, bool], np.ndarray | None] = worker.embed_queries
    describe: Callable[[ModelSpec], ModelInfo] = worker.describe
    check_recording: Callable[[ModelSpec, str], str] | None = worker.check_recording
    preload_base: Callable[[str, str, str], None] = preload.base
    preload_full: Callable[[str, str], None] = preload.full
