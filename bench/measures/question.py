"""A question's way to its vector, beside sentence-transformers in float32, and whether the same passages are found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import indexed
from bench.figures import Figure
from bench.questions import questions
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import query_model
from pipeline.embedding.model import load, sentence_transformer
from semantik.config.settings import EmbeddingSettings

_QUESTIONS = 500
_BLOCK = 25
_PASSAGES = 100_000
_K = 10


def measure() -> Iterator[Figure]:
    spec = ModelSpec(EmbeddingSettings().model, EmbeddingSettings().precision)
    theirs = sentence_transformer(spec.name, "float32")
    texts = list(islice(questions(seed=1), _QUESTIONS))

    def encode(question: str) -> Any:
        return theirs.encode([question], show_progress_bar=False)[0]

    ways: dict[str, Callable[[str], Any]] = {
        "reference": encode,
        "ours": lambda question: query_model.load(spec, "")([question])[0],
        "as documents are": lambda question: load(spec).embed_questions([question])[0],
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, list[Any]] = {name: [] for name in ways}
    for way in ways.values():
        way("warm")
    for at in range(0, _QUESTIONS, _BLOCK):
        for name, way in ways.items():
            for text in texts[at : at + _BLOCK]:
                begun = time.perf_counter()
                vectors[name].append(way(text))
                seconds[name].append(time.perf_counter() - begun)
    encoded = median(seconds["reference"]) * 1000
    against = "SentenceTransformer.encode([q]), float32"
    yield Figure(
        "one question embedded, p50, one thread",
        median(seconds["ours"]) * 1000,
        "ms",
        encoded,
        against,
        most=0.25,
        note=f"{_QUESTIONS} questions of 4 to 15 tokens",
    )
    documents = indexed.vectors(_PASSAGES).astype(np.float32)
    right = _best(documents, vectors["reference"])
    for name, least in (("ours", 0.98), ("as documents are", None)):
        found = _best(documents, vectors[name])
        shared = [len(a & b) / _K for a, b in zip(found, right, strict=True)]
        note = (
            f"{_QUESTIONS} questions, {_PASSAGES:,} passages"
            if name == "ours"
            else f"the model in {load(spec).info.precision}, for comparison"
        )
        yield Figure(
            f"the same {_K} best, {name}", float(np.mean(np.array(shared) == 1)), "", least=least, note=note
        )
        yield Figure(f"of the {_K} best are the same, {name}", float(np.mean(shared)), "", note="mean")


def _best(documents: NDArray[np.float32], vectors: Sequence[Any]) -> list[set[int]]:
    scores = np.stack(vectors).astype(np.float32) @ documents.T
    return [set(row) for row in np.argpartition(-scores, _K, axis=1)[:, :_K].tolist()]
