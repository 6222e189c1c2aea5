"""Scores texts for a query with a cross-encoder, which reads both together. Runs in a worker process of its own.

Knows the class CrossEncoder of sentence-transformers; torch is imported late.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.embedding import model
from semantik.core.errors import Invalid
from semantik.core.normalization import normalized


def score_texts(name: str, query: str, texts: Sequence[str]) -> list[float]:
    """A score for each text, higher for one that answers the query better; their range depends on the model.

    Raises Invalid, in one sentence, when the model cannot be loaded, or gives other than one number for each text.
    """
    pairs = [(normalized(query), normalized(text)) for text in texts]
    scores = np.asarray(_load(name).predict(pairs, batch_size=len(pairs), show_progress_bar=False))
    if scores.shape != (len(texts),) or not np.isfinite(scores).all():
        raise Invalid(f"The model {name!r} does not give one number for each text: it is no reranker.")
    return [float(score) for score in scores]


@functools.lru_cache(maxsize=1)
def _load(name: str) -> Any:
    return model.load_cross_encoder(name)
