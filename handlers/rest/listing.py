"""What the requests for lists of documents and for actions on many of them share: their fields, and the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import voluptuous as vol

from handlers.fields import one_of, text
from handlers.serializers import document_json
from semantik.core.models import FAILURE_CATEGORIES, DocumentStatus
from semantik.services.listing.ordering import ListingQuery
from semantik.services.listing.service import Listing
from semantik.services.listing.statistics import Bar, DocumentStatistics

LISTED_STATUSES: tuple[DocumentStatus, ...] = ("pending", "indexed", "failed", "skipped")

CHOICE_BY_LIST: dict[Any, Any] = {
    vol.Optional("type"): text(1, 100),
    vol.Optional("folder"): text(1, 4096),
    vol.Optional("reason"): one_of(*FAILURE_CATEGORIES),
    vol.Optional("source_id"): text(1, 100),
}
_FILTERS = ("status", "name", "type", "folder", "reason", "source_id")


def listing_query(given: Mapping[str, Any]) -> ListingQuery:
    """The list that a request asks for; `warned` may be a JSON boolean, or the text of a parameter."""
    return ListingQuery(
        given.get("sort", "path"),
        given.get("order") == "descending",
        warned=given.get("warned") in (True, "true"),
        **{name: given[name] for name in _FILTERS if name in given},
    )


def listing_json(listing: Listing) -> dict[str, Any]:
    return {
        "items": [document_json(one) for one in listing.items],
        "next_cursor": None,
        "offset": listing.offset,
        "total": listing.total,
        "changing": listing.changing,
        "found": listing.found,
    }


def statistics_json(found: DocumentStatistics) -> dict[str, Any]:
    return {
        "documents": found.documents,
        "bytes": found.bytes,
        "chunks": found.chunks,
        "warned": found.warned,
        "missing": found.missing,
        "statuses": dict(found.statuses),
        "types": [asdict(each) for each in found.types],
        "languages": [asdict(each) for each in found.languages],
        "reasons": dict(found.reasons),
        "sizes": _bars_json(found.sizes),
        "chunk_lengths": _bars_json(found.chunk_lengths),
        "sampled_chunks": found.sampled_chunks,
        "mean_chunk_length": found.mean_chunk_length,
    }


def _bars_json(bars: Sequence[Bar]) -> list[dict[str, Any]]:
    return [asdict(each) for each in bars]
