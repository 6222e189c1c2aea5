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

GroupBy = Literal["chunk", "document"]
GROUPINGS: tuple[GroupBy, ...] = get_args(GroupBy)


@dataclass(frozen=True)
class SearchQuery:
    """`collection_ids` None means all collections that the user may read; `threshold` is the lowest cosine of a hit.

    Grouped by document, `k` and `offset` count documents. A document has at most `per_document` chunks in the result,
    in either grouping; None is no limit, or 3 where the result is grouped by document. Without `correct`, words that
    no collection has stay as they were typed.
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
    rerank: bool = True  # where search.reranker is set
