"""The retriever: what finds chunks for a query. It knows chunks by their seqs, never users or stores.

`VectorIndex`, `KeywordIndex` and `MilvusVectors` are the retrievers of today. To add another:

1. Write a class with the members of `Retriever`. It is a cache: MongoDB holds what it indexes, and the caller adds
   everything above `last_seq`. A crash may cost it its newest chunks, but then `last_seq` must step back with them.
2. Write its `RetrieverRegistry`, which opens one retriever for each generation of a collection, and make it in
   `semantik/server.py`.
3. In `semantik/search/index_sync.py` add a `RetrieverSync`: the registry, and how to add from MongoDB what is missing.
   Catching up, searches, deletions and the removal of generations then include it.
4. In `semantik/search/fusion.py` combine its list with that of the vectors for each collection.
5. Add it to `IMPLEMENTATIONS` in `tests/support/retrievers.py`: `tests/search/test_retriever.py` compares each with
   brute force.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from semantik.index.ranges import Ranges
from semantik.query import ParsedQuery

Content = TypeVar("Content", contravariant=True)
"""What a retriever indexes of n chunks: their vectors (float16, (n, dimension)), or their texts."""
R_co = TypeVar("R_co", bound="Retriever[Any]", covariant=True)


class ScoredSeq(NamedTuple):
    """The seq of a chunk and its score: of a vector, the cosine to the query's, in [-1, 1]."""

    seq: int
    score: float


@dataclass(frozen=True)
class IndexStats:
    """`vectors` can be found; `deleted` still use space; `unsaved` are in memory only; `bytes` are on disk.

    `engine` names those in use ("codes", "annoy", "milvus"), or is "exact"; of one that is not on this machine, only
    `vectors` is known. `measured_recall` is the mean recall@10 over the
    vectors that an engine searches, `effort` the largest in use; both None where every search is an exact scan.
    """

    vectors: int
    deleted: int
    unsaved: int
    segments: int
    bytes: int
    engine: str
    measured_recall: float | None
    effort: int | None


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """A query to the retrievers of one generation of a collection.

    `await embed()` is the vector of `text`, float32 (dimension,), by the model of the generation. A retriever that
    needs no vector does not call it. Raises Unavailable when the model does not answer in time. `parsed` is what the
    text means to a retriever of words, by default the text parsed; `languages` (ISO 639-1) choose the stemmers.
    """

    text: str
    embed: Callable[[], Awaitable[NDArray[np.float32]]]
    parsed: ParsedQuery | None = None
    languages: tuple[str, ...] = ()


class Retriever(Protocol[Content]):
    """The chunks of one generation of a collection. All calls come from the event loop."""

    @property
    def last_seq(self) -> int:
        """The highest seq that was added, or -1. The caller adds what MongoDB has above it."""

    @property
    def size(self) -> int:
        """How many chunks can be found."""

    async def add(self, seqs: NDArray[np.int64], contents: Content, /) -> None:
        """Let chunks be found from now on, by their ascending seqs (n).

        Seqs up to `last_seq` are skipped, and calls take effect in the order in which they were made.
        Raises Invalid for wrong shapes, types or seqs; Unavailable when it cannot take them now.
        """

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges, /) -> None:
        """Let the seqs of half-open ranges not be found from now on, also if they are added only later.

        Raises Invalid for bad ranges; Unavailable when the deletion could not be saved: delete again then.
        """

    async def search(
        self,
        query: RetrievalQuery,
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        """The k best chunks, best first, equal scores by lower seq; fewer where there are no more.

        None scores below `threshold`. With `allowed`, half-open seq ranges, only those are found.
        Raises Invalid, or Unavailable: after the retriever was closed, and as `query.embed` does.
        """

    async def scores(self, query: RetrievalQuery, seqs: Sequence[int], /) -> dict[int, float]:
        """The score of each of these chunks, as `search` would give it; one that cannot be found is absent.

        Raises what `search` does.
        """


class VectorRetriever(Retriever[NDArray[np.float16]], Protocol):
    """A retriever by the cosine of vectors (float16, of length 1)."""

    @property
    def dimension(self) -> int:
        """That of its vectors."""

    @property
    def closed(self) -> bool:
        """Whether every call raises Unavailable: it has to be opened again."""

    async def nearest(
        self,
        vector: NDArray[np.float32],
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        """As `search`, for the vector (dimension,) of a query.

        Raises Invalid for a vector of another shape, of length 0, or with numbers that are not finite.
        """

    async def sample(self, count: int) -> NDArray[np.float32]:
        """At most `count` of the vectors that can be found, spread over all of them: (n, dimension)."""

    async def count(self) -> int:
        """How many chunks can be found, counted now: `size` may lag where servers share an index."""

    def stats(self) -> IndexStats:
        """Its state, for people."""


class SharedVectorRetriever(VectorRetriever, Protocol):
    """One that several servers share: another of them may add to it, too."""

    async def refresh(self) -> None:
        """Let `last_seq` and `size` count what other servers have added, and let it be found. Raises Unavailable."""


class RetrieverRegistry(Protocol[R_co]):
    """The retrievers of one kind on this server, opened when first needed: one for each collection and generation."""

    async def open(self, collection_id: str, generation: int, dimension: int) -> R_co:
        """The retriever, the same object for every caller until it is closed.

        `dimension` is that of the generation's vectors. Raises Unavailable when its files cannot be used.
        """

    def get_if_open(self, collection_id: str, generation: int) -> R_co | None:
        """The retriever, if it is open already."""

    def open_keys(self) -> list[tuple[str, int]]:
        """The collections and generations whose retrievers are open, or about to be."""

    async def drop(self, collection_id: str, generation: int | None = None) -> None:
        """Close and delete one generation's retriever, or all of the collection's.

        A running search completes. Raises Unavailable when the files cannot be removed.
        """
