"""From hits in their order to the result: copies count once, and a document has so many chunks at most. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from semantik.search.duplicates import copies
from semantik.search.hits import Copy, Hit
from semantik.search.query import SearchQuery

_CHUNKS_OF_GROUP = 3
# Two copies have nine tenths of their text in common, so their lengths and their cosines to the query are close.
_LENGTHS = 1.2
_COSINES = 0.05


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
    suspects = _alike(hits)
    if not suspects:
        return list(hits)
    firsts = copies([hits[index].chunk.text for index in suspects])
    others: dict[int, list[Copy]] = {}
    copied = set()
    for index, first in zip(suspects, firsts, strict=True):
        if suspects[first] != index:
            hit = hits[index]
            others.setdefault(suspects[first], []).append(Copy(hit.document, hit.collection, hit.chunk))
            copied.add(index)
    return [
        replace(hit, also_in=tuple(others[index])) if index in others else hit
        for index, hit in enumerate(hits)
        if index not in copied
    ]


def _alike(hits: Sequence[Hit]) -> list[int]:
    """The hits whose length and meaning are those of a neighbour by length: only these may be copies, and few are."""
    by_length = sorted(range(len(hits)), key=lambda index: len(hits[index].chunk.text))
    found = set()
    for at, index in enumerate(by_length):
        longest = len(hits[index].chunk.text) * _LENGTHS
        for other in by_length[at + 1 :]:
            if len(hits[other].chunk.text) > longest:
                break
            one, two = hits[index].scores.meaning, hits[other].scores.meaning
            if one is None or two is None or abs(one - two) <= _COSINES:
                found |= {index, other}
    return sorted(found)


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
