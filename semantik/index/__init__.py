"""The vector index: a cache on disk of the vectors that MongoDB holds; a query in, seqs and scores out.

It knows seqs and vectors, never users or stores. It is the only package that imports annoy. `keyword/` is the index of
words beside it. Changes run in one
thread, searches in several others, merges of segments in the worker pool. `retriever.py` says how to add another index.
"""

from semantik.index.engine_state import EngineState
from semantik.index.registry import IndexRegistry
from semantik.index.retriever import (
    IndexStats,
    RetrievalQuery,
    Retriever,
    RetrieverRegistry,
    ScoredSeq,
    VectorRetriever,
)
from semantik.index.vector_index import VectorIndex

__all__ = [
    "EngineState",
    "IndexRegistry",
    "IndexStats",
    "RetrievalQuery",
    "Retriever",
    "RetrieverRegistry",
    "ScoredSeq",
    "VectorIndex",
    "VectorRetriever",
]
