"""Facets: how many documents of a set have each author, tag, type, language, year, collection
or folder. Pure; runs in threads.

A document counts once for each of its values, and each value, as a filter, selects exactly those documents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache

from semantik.core.document_types import DOCUMENT_TYPES, DocumentType
from semantik.core.metadata import tag_key
from semantik.core.upload_paths import is_content
from semantik.query import DocumentColumns
from semantik.query.folding import path_key, words_key
from semantik.search.hits import FacetCounts
from semantik.search.query import Facet

Part = tuple[str, DocumentColumns, Sequence[int]]
"""A collection's name, its documents, and the numbers of those that are counted."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/?")  # the beginning of https://example.org/page.html
_Value = tuple[str, str]  # its key, by which it is counted, and a spelling of it


def count_facets(parts: Sequence[Part], facets: Sequence[Facet], most: int) -> dict[Facet, FacetCounts]:
    """The `most` frequent values of each facet; equal ones in the order of their keys, years from the latest."""
    return {facet: _counted(parts, facet, most) for facet in facets}


def _counted(parts: Sequence[Part], facet: Facet, most: int) -> FacetCounts:
    counts: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = {}
    missing = 0
    for name, columns, numbers in parts:
        values_of = _VALUES[facet](name, columns)
        same: Counter[tuple[_Value, ...]] = Counter(values_of(number) for number in numbers)
        for values, number_of in same.items():
            missing += 0 if values else number_of
            for key, text in dict(values).items():
                counts[key] += number_of
                spellings.setdefault(key, Counter())[text] += number_of
    if facet == "folder":  # one that holds them all tells nothing
        total = sum(len(numbers) for _, _, numbers in parts)
        counts = Counter({key: count for key, count in counts.items() if count < total})
    if facet == "year":
        ordered = sorted(counts.items(), reverse=True)
    else:
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = tuple((_usual(spellings[key]), count) for key, count in ordered[:most])
    return FacetCounts(shown, missing, max(0, len(ordered) - most))


def _usual(spellings: Mapping[str, int]) -> str:
    return min(spellings, key=lambda text: (-spellings[text], text))


Values = Callable[[int], tuple[_Value, ...]]


def _authors(_: str, columns: DocumentColumns) -> Values:
    known = {names: tuple((words_key(name), name) for name in names) for names in set(columns.authors)}
    return lambda number: known[columns.authors[number]]


def _tags(_: str, columns: DocumentColumns) -> Values:
    known = {tags: tuple((tag_key(tag), tag) for tag in tags) for tags in set(columns.tags)}
    return lambda number: known[columns.tags[number]]


def _languages(_: str, columns: DocumentColumns) -> Values:
    return lambda number: _plain([code] if (code := columns.languages[number]) else [])


def _years(_: str, columns: DocumentColumns) -> Values:
    return lambda number: _plain([f"{date.fromordinal(max(1, columns.days[number])).year:04d}"])


def _types(_: str, columns: DocumentColumns) -> Values:
    paths, mimes = columns.paths, columns.mimes

    def values(number: int) -> tuple[_Value, ...]:
        dot = paths[number].rfind(".")
        return _types_of(mimes[number] or "", paths[number][dot:].lower() if dot >= 0 else "")

    return values


@cache
def _names() -> list[tuple[str, DocumentType]]:
    """Each type under its first name."""
    names: dict[DocumentType, str] = {}
    for name, each in DOCUMENT_TYPES.items():
        names.setdefault(each, name)
    return [(name, each) for each, name in names.items()]


def _types_of(mime: str, ending: str) -> tuple[_Value, ...]:
    """As the filter `type:` decides; see `semantik/query/document_filter.py`."""
    return _plain(
        name
        for name, each in _names()
        if mime in each.mimes
        or mime.startswith(tuple(kind for kind in each.mimes if kind.endswith("/")))
        or ending in each.endings
    )


def _collections(name: str, _: DocumentColumns) -> Values:
    values = ((name.casefold(), name),)
    return lambda number: values


def _folders(_: str, columns: DocumentColumns) -> Values:
    known: dict[str, tuple[_Value, ...]] = {}

    def values(number: int) -> tuple[_Value, ...]:
        folder = columns.paths[number].rpartition("/")[0]
        if folder not in known:
            parts = folder.split("/")
            above = ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
            known[folder] = tuple((path_key(each), each) for each in above if _is_folder(each))
        return known[folder]

    return values


def _is_folder(path: str) -> bool:
    return not (path == "" or _SCHEME.fullmatch(path) or is_content(path))


def _recognised(_: str, columns: DocumentColumns) -> Values:
    return lambda number: _plain(["yes"] if columns.recognised[number] else [])


def _plain(values: Iterable[str]) -> tuple[_Value, ...]:
    return tuple((value, value) for value in values)


_VALUES: dict[Facet, Callable[[str, DocumentColumns], Values]] = {
    "author": _authors,
    "tag": _tags,
    "type": _types,
    "language": _languages,
    "year": _years,
    "collection": _collections,
    "folder": _folders,
    "recognised": _recognised,
}
