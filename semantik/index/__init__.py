"""The vector index: a cache on disk of the vectors that MongoDB holds; a question in, seqs and scores out.

It knows seqs and vectors, never texts, users or stores; it is the only room that imports annoy. Changes run
in one thread, searches in a few others, the merging of segments in the worker pool.
"""

from semantik.index.contents import IndexStats
from semantik.index.indexes import Indexes
from semantik.index.rows import Scored
from semantik.index.vector_index import VectorIndex

__all__ = ["IndexStats", "Indexes", "Scored", "VectorIndex"]
