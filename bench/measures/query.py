"""The embedding of one query, compared with sentence-transformers in float32: latency, and equality of the hits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import inserted_data
from bench.queries import random_queries
from bench.results import Result
from bench.sizes import sized
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import query_model
from pipeline.embedding.model import load, load_sentence_transformer
from semantik.config.settings import EmbeddingSettings

_QUERIES = sized(500, 200)
_BLOCK = 25
_CHUNKS = sized(100_000, 20_000)
_K = 10


def measure() -> Iterator[Result]:
    spec = ModelSpec(EmbeddingSettings().model, EmbeddingSettings().precision)
    library_model = load_sentence_transformer(spec.name, "float32")
    texts = list(islice(random_queries(seed=1), _QUERIES))

    def encode(query: str) -> Any:
        return library_model.encode([query], show_progress_bar=False)[0]

    methods: dict[str, Callable[[str], Any]] = {
        "reference": encode,
        "semantik": lambda query: query_model.load_embedder(spec, "")([query])[0],
        "document encoder": lambda query: load(spec).embed_queries([query])[0],
    }
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    vectors: dict[str, list[Any]] = {name: [] for name in methods}
    for method in methods.values():
        method("warm")
    for start in range(0, _QUERIES, _BLOCK):
        for name, method in methods.items():
            for text in texts[start : start + _BLOCK]:
                started = time.perf_counter()
                vectors[name].append(method(text))
                seconds[name].append(time.perf_counter() - started)
    library_ms = median(seconds["reference"]) * 1000
    reference_name = "SentenceTransformer.encode([q]), float32"
    yield Result(
        "one query embedded, p50, one thread",
        median(seconds["semantik"]) * 1000,
        "ms",
        library_ms,
        reference_name,
        maximum=0.25,
        note=f"{_QUERIES} queries of 4 to 15 tokens",
    )
    documents = inserted_data.vectors(_CHUNKS).astype(np.float32)
    expected = _top_k(documents, vectors["reference"])
    for name, minimum in (("semantik", 0.98), ("document encoder", None)):
        found = _top_k(documents, vectors[name])
        overlaps = [len(a & b) / _K for a, b in zip(found, expected, strict=True)]
        note = (
            f"{_QUERIES} queries, {_CHUNKS:,} chunks"
            if name == "semantik"
            else f"the model in {load(spec).info.precision}, for comparison"
        )
        yield Result(
            f"queries with the same top {_K}, {name}",
            float(np.mean(np.array(overlaps) == 1)),
            "",
            minimum=minimum,
            note=note,
        )
        yield Result(
            f"share of the top {_K} that is the same, {name}", float(np.mean(overlaps)), "", note="mean"
        )


def _top_k(documents: NDArray[np.float32], vectors: Sequence[Any]) -> list[set[int]]:
    scores = np.stack(vectors).astype(np.float32) @ documents.T
    return [set(row) for row in np.argpartition(-scores, _K, axis=1)[:, :_K].tolist()]
