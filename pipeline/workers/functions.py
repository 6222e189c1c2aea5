"""The table of functions that a pool's worker processes run; they are importable, so that a task can name them.

Another table makes a pool with the same processes and other functions, for example without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelInfo,
    ModelSpec,
    Outcome,
    Pages,
    TextChunks,
)
from pipeline.compute.page_messages import PageTask, PageText
from pipeline.embedding import model_files, query_model, reranker
from pipeline.workers import file_reading, language_sample, page_recognition, preload, worker
from pipeline.workers.page_recognition import PageOptions
from pipeline.workers.read_options import ReadOptions

EMBED_TIMEOUT_S = 600.0  # of one embedding task, which may have to load a large model first


@dataclass(frozen=True)
class WorkerFunctions:
    """Each function has the contract of the default one.

    Beside programs and models they may read what is below the folders `readable`.
    `check_traced_model` is None where queries need no traced model. `preload_base(name, precision, traced_models_dir)`
    and `preload_full(name, precision)` get the default model; each runs once in a fork server (see
    `pipeline.workers.preload`).
    """

    read_files: Callable[[Sequence[FileTask], ChunkingOptions, ReadOptions], list[Outcome]] = (
        file_reading.read_files
    )
    split_text: Callable[[str, Pages, ChunkingOptions, str], TextChunks] = file_reading.split_text
    recognise_page: Callable[[PageTask, PageOptions], PageText] = page_recognition.recognise_page
    embed: Callable[[ModelSpec, Sequence[str], str], np.ndarray] = worker.embed
    embed_queries: Callable[[ModelSpec, Sequence[str], str, bool], np.ndarray | None] = (
        query_model.embed_queries
    )
    describe: Callable[[ModelSpec], ModelInfo] = worker.describe
    check_traced_model: Callable[[ModelSpec, str], str] | None = query_model.check_traced_model
    rerank: Callable[[str, str, Sequence[str]], list[float]] = reranker.score_texts
    sample_languages: Callable[[Sequence[str], int, float], list[str]] = language_sample.sample_languages
    readable: Sequence[str] = ()
    prepare_model: Callable[[str, Mapping[str, str]], None] = model_files.prepare
    preload_base: Callable[[str, str, str], None] = preload.base
    preload_full: Callable[[str, str], None] = preload.full
