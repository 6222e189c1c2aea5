"""Any number of vectors from those of real sentences, and queries that are real questions.

Each vector is that of a definition of WordNet, moved towards two others of the same topic, as sentences of one passage
are: a + 0.5 b + 0.35 c, of unit length, a drawn at random, b and c from some 500 that k-means puts beside it. So there
are neighbourhoods, which random numbers do not have, and no two vectors are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.corpus import wordnet_definitions, wordnet_questions
from bench.embedded_texts import embedded
from semantik.index.engines import cells

BLOCK = 10_000
_DEFINITIONS = 110_000
_QUERIES = 200
_SHARES = (np.float32(0.5), np.float32(0.35))  # of the two others
_SEED = 20_261_130


def blocks(first: int, last: int) -> Iterator[NDArray[np.float16]]:
    """The vectors `first` to `last`, multiples of `BLOCK`, as blocks (BLOCK, dimension). The same at every call."""
    real = embedded(f"definitions-{_DEFINITIONS}", _definitions)
    topics = cells.build(real.astype(np.float16))
    topic_of = np.empty(len(real), np.int64)
    for topic, (start, end) in enumerate(pairwise(topics.starts)):
        topic_of[topics.order[start:end]] = topic
    for start in range(first, last, BLOCK):
        rng = np.random.default_rng((_SEED, start))
        base = rng.integers(0, len(real), BLOCK)
        begins, ends = topics.starts[topic_of[base]], topics.starts[topic_of[base] + 1]
        others = [real[topics.order[rng.integers(begins, ends)]] for _ in _SHARES]
        mixed = real[base] + sum(share * other for share, other in zip(_SHARES, others, strict=True))
        yield (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float16)


def queries() -> NDArray[np.float32]:
    """Vectors of questions such as "What is a truffle?", (200, dimension), of unit length."""
    return embedded(f"questions-{_QUERIES}", _questions, as_queries=True)


def _definitions() -> list[str]:
    return random.Random(_SEED).sample(wordnet_definitions(), _DEFINITIONS)


def _questions() -> list[str]:
    return random.Random(_SEED).sample(wordnet_questions(), _QUERIES)
