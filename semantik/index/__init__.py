"""The vector index: a cache on disk of the vectors that MongoDB holds; a question in, seqs and scores out.

It knows seqs and vectors, never texts, users or stores; it is the only room that imports annoy. Changes run
in one thread, searches in a few others, the merging of segments in the worker pool.
"""

from semantik.index.registry import IndexRegistry
from semantik.index.segments.rows import Scored
from semantik.index.state import IndexStats
from semantik.index.vector_index import VectorIndex

__all__ = ["IndexRegistry", "IndexStats", "Scored", "VectorIndex"]
