"""What a search asks for. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from semantik.core.models import Filters


@dataclass(frozen=True)
class SearchQuery:
    """`collection_ids` None means all collections that the user may read; `threshold` is the lowest score of a hit."""

    text: str
    collection_ids: tuple[str, ...] | None = None
    k: int = 10
    offset: int = 0
    threshold: float | None = None
    filters: Filters = field(default_factory=Filters)
