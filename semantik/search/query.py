"""What a search asks for. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from semantik.core.models import Filters

Mode = Literal[
    "hybrid",  # by meaning and by words
    "meaning",  # by the cosines of vectors alone
    "words",  # by the words alone, without the model
]
MODES: tuple[Mode, ...] = get_args(Mode)

Facet = Literal[
    "author",  # one of them, by the whole name
    "tag",  # of the document, its path or its users
    "type",  # a name of `semantik/core/document_types.py`
    "language",  # ISO 639-1
    "year",  # of the date that filters use
    "collection",  # its name
    "folder",  # each one that it lies in, below those that hold all counted documents
    "recognised",  # "yes" of documents with text that was recognised in pictures
]
FACETS: tuple[Facet, ...] = get_args(Facet)

SortBy = Literal["relevance", "title", "author", "date", "language", "tag", "type", "path"]
SORTS: tuple[SortBy, ...] = get_args(SortBy)

GroupBy = Literal["chunk", "document"]
GROUPINGS: tuple[GroupBy, ...] = get_args(GroupBy)


@dataclass(frozen=True)
class SearchQuery:
    """`collection_ids` None means all collections that the user may read; `threshold` is the lowest cosine of a hit.

    Grouped by document, `k` and `offset` count documents. A document has at most `per_document` chunks in the result,
    in either grouping; None is no limit, or 3 where the result is grouped by document. Without `correct`, words that
    no collection has stay as they were typed. With `sort`, the matched set is ordered by what is known of its documents
    (see `semantik/search/matched_set.py`); `facets` are counted in it, at most `facet_values` values of each.
    Without `relax`, phrases that no chunk has are not searched for as words.
    """

    text: str
    collection_ids: tuple[str, ...] | None = None
    k: int = 10
    offset: int = 0
    threshold: float | None = None
    filters: Filters = field(default_factory=Filters)
    mode: Mode = "hybrid"
    group_by: GroupBy = "chunk"
    per_document: int | None = None
    correct: bool = True
    facets: tuple[Facet, ...] = ()
    facet_values: int = 10
    sort: SortBy = "relevance"
    descending: bool = False
    rerank: bool = True  # where search.reranker is set
    relax: bool = True
