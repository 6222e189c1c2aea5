"""The keyword index: a cache on disk of the words that MongoDB's chunks hold; a query in, seqs and BM25 scores out.

It knows seqs and words, never users or stores. It is the only package that imports tantivy.
"""

from semantik.index.keyword.index import KeywordIndex
from semantik.index.keyword.registry import KeywordRegistry
from semantik.index.keyword.texts import KeywordText

__all__ = ["KeywordIndex", "KeywordRegistry", "KeywordText"]
