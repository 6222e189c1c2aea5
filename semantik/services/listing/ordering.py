"""Which documents a list has, and in which order, decided on columns. Pure; runs in threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from semantik.core.models import DocumentStatus
from semantik.storage.mongo.listing_columns import Coded, ListingColumns

SortKey = Literal["path", "name", "type", "size", "changed", "chunks", "status"]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)

# What needs attention comes first.
_STATUS_ORDER = ("failed", "pending", "skipped", "indexed")


@dataclass(frozen=True)
class ListingQuery:
    """The order of a list, and what its documents must be; equal ones stand in the order of their paths.

    status: `pending` means all that are to be read, whatever their status was before.
    name: a part of the path, case aside. folder: the path of a folder that they lie below.
    type: as `type_name` gives it. reason: the category of the failure. source_id: their source.
    """

    sort: SortKey = "path"
    descending: bool = False
    status: DocumentStatus | None = None
    warned: bool = False
    name: str = ""
    type: str = ""
    folder: str = ""
    reason: str = ""
    source_id: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether all documents are listed by path."""
        return self == ListingQuery()


def ordered(columns: ListingColumns, query: ListingQuery) -> NDArray[np.int64]:
    """The numbers of the documents, in the order of the list."""
    numbers = np.flatnonzero(_wanted(columns, query))
    if query.sort == "path":
        return numbers[::-1] if query.descending else numbers
    if query.sort == "name":
        keys = columns.name_keys
        by_name = sorted(numbers.tolist(), key=keys.__getitem__, reverse=query.descending)
        return np.array(by_name, np.int64)
    values = _values(columns, query)[numbers]
    return numbers[np.argsort(-values if query.descending else values, kind="stable")]


def place_of(columns: ListingColumns, order: NDArray[np.int64], text: str) -> int | None:
    """The place of the first document whose name begins with `text`, case aside, or else contains it."""
    key, names = text.casefold(), columns.name_keys
    numbers = order.tolist()
    for fits in (str.startswith, str.__contains__):
        found = next((place for place, number in enumerate(numbers) if fits(names[number], key)), None)
        if found is not None:
            return found
    return None


def _wanted(columns: ListingColumns, query: ListingQuery) -> NDArray[np.bool_]:
    wanted = np.ones(len(columns), bool)
    if query.status == "pending":
        wanted &= np.array(columns.due, bool)
    elif query.status is not None:
        wanted &= columns.statuses.values == columns.statuses.code(query.status)
    if query.warned:
        wanted &= np.array(columns.warned, bool)
    for value, column in (
        (query.type, columns.types),
        (query.reason, columns.reasons),
        (query.source_id, columns.sources),
    ):
        if value:
            wanted &= column.values == column.code(value)
    if query.folder:
        start = query.folder.rstrip("/") + "/"
        wanted &= np.fromiter((path.startswith(start) for path in columns.paths), bool, len(columns))
    if query.name:
        key = query.name.casefold()
        wanted &= np.fromiter((key in path for path in columns.path_keys), bool, len(columns))
    return wanted


def _values(columns: ListingColumns, query: ListingQuery) -> NDArray[np.int64]:
    if query.sort == "type":
        return _ranks(columns.types, sorted(columns.types.names))
    if query.sort == "status":
        values = _ranks(columns.statuses, list(_STATUS_ORDER))
        return np.where(np.array(columns.due, bool), _STATUS_ORDER.index("pending"), values)
    return columns.integers({"changed": "modified_ns", "size": "sizes", "chunks": "chunks"}[query.sort])


def _ranks(column: Coded, names: list[str]) -> NDArray[np.int64]:
    """The place of each document's text among `names`."""
    places = {name: place for place, name in enumerate(names)}
    ranks = np.array([places[name] for name in column.names], np.int64)
    return ranks[column.values] if len(ranks) else np.empty(0, np.int64)
