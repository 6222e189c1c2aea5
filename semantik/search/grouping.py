"""From hits in their order to the result: copies count once, and a document has so many chunks at most. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from semantik.search.duplicates import copies
from semantik.search.hits import Copy, Hit
from semantik.search.query import SearchQuery

_CHUNKS_OF_GROUP = 3


def arrange(hits: Sequence[Hit], query: SearchQuery) -> list[Hit]:
    """The result of a search from its first hit on, as far as `hits`, best first, go.

    What comes first does not depend on how many hits follow, except for a hit's `also_in` and `more`.
    """
    unique = _fold(hits)
    if query.group_by == "document":
        return _group(unique, query.per_document or _CHUNKS_OF_GROUP)
    return _cap(unique, query.per_document) if query.per_document else unique


def _fold(hits: Sequence[Hit]) -> list[Hit]:
    """Each hit that is a copy of an earlier one becomes a part of that."""
    also_in: dict[int, list[Copy]] = {}
    for index, (first, hit) in enumerate(zip(copies([hit.chunk.text for hit in hits]), hits, strict=True)):
        if first == index:
            also_in[index] = []
        else:
            also_in[first].append(Copy(hit.document, hit.collection, hit.chunk))
    return [
        replace(hits[index], also_in=tuple(others)) if others else hits[index]
        for index, others in also_in.items()
    ]


def _group(hits: Sequence[Hit], per_document: int) -> list[Hit]:
    """The best hit of each document, with up to `per_document` - 1 others in `more`."""
    groups: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        groups.setdefault((hit.collection.id, hit.document.id), []).append(hit)
    return [replace(best, more=tuple(others[: per_document - 1])) for best, *others in groups.values()]


def _cap(hits: Sequence[Hit], per_document: int) -> list[Hit]:
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for hit in hits:
        key = (hit.collection.id, hit.document.id)
        seen[key] += 1
        if seen[key] <= per_document:
            kept.append(hit)
    return kept
