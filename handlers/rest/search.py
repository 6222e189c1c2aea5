"""`POST /api/v2/search`: a query in, hits out; and `…/similar`: more like one chunk."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import voluptuous as vol

from handlers.audit_trail import READ
from handlers.base import RestHandler
from handlers.fields import (
    Expected,
    Validator,
    boolean,
    integer,
    integer_parameter,
    list_of,
    number,
    one_of,
    optional,
    text,
)
from handlers.hit_serializers import hit_json
from semantik.core.document_types import document_type
from semantik.core.models import Filters
from semantik.query import first_day, language_code
from semantik.search.hits import SearchResult
from semantik.search.query import FACETS, GROUPINGS, MODES, SORTS, SearchQuery

_YEARS = (1900, 2200)
MAX_ENDING = 50  # characters


def timestamp(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise Expected("a date or time in ISO 8601 (as 2026-01-31T12:00:00Z)") from error
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise Expected(f"a year from {_YEARS[0]} to {_YEARS[1]}")
    return moment


def _extension(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ENDING:
        raise Expected(f"a file name's ending of 1 to {MAX_ENDING} characters (as .pdf)")
    return value if value.startswith(".") else f".{value}"


def day(value: Any) -> date | None:
    if value is None:
        return None
    if not isinstance(value, str) or (first := first_day(value)) is None:
        raise Expected("a day, month or year (as 2026-01-31, 2026-01 or 2026)")
    return first


def type_name(value: Any) -> str:
    if not isinstance(value, str) or document_type(value) is None:
        raise Expected("a type (as pdf, word, sheet, mail, .txt or image/*)")
    return value


def language(value: Any) -> str:
    if not isinstance(value, str) or (code := language_code(value)) is None:
        raise Expected("a language (as en or de)")
    return code


def _alternatives(check: Validator, items: str) -> Validator:
    """A list of which one has to hold; none are no condition."""
    listed = list_of(check, 100, items)
    return lambda value: tuple([group] if (group := tuple(listed(value))) else [])


FILTERS = vol.Schema(
    {
        vol.Optional("path_glob"): optional(text(1, 1000)),
        vol.Optional("extensions"): vol.All(
            list_of(_extension, 100, "file names' endings"), vol.Coerce(tuple)
        ),
        vol.Optional("modified_after"): timestamp,
        vol.Optional("modified_before"): timestamp,
        vol.Optional("titles"): _alternatives(text(1, 1000), "texts"),
        vol.Optional("paths"): _alternatives(text(1, 1000), "texts"),
        vol.Optional("types"): _alternatives(type_name, "types"),
        vol.Optional("languages"): _alternatives(language, "languages"),
        vol.Optional("authors"): _alternatives(text(1, 1000), "texts"),
        vol.Optional("tags"): _alternatives(text(1, 1000), "texts"),
        vol.Optional("after"): day,
        vol.Optional("before"): day,
        vol.Optional("recognised"): optional(boolean()),
    }
)
_SEARCH = vol.Schema(
    {
        vol.Required("query"): text(),
        vol.Optional("collection_ids"): optional(list_of(text(1, 100), 1000, "collections' ids")),
        vol.Optional("k", default=10): integer(1, 100_000),
        vol.Optional("offset", default=0): integer(0, 100_000),
        vol.Optional("score_threshold"): optional(number(-1, 1)),
        vol.Optional("mode", default="hybrid"): one_of(*MODES),
        vol.Optional("group_by", default="chunk"): one_of(*GROUPINGS),
        vol.Optional("per_document"): optional(integer(1, 1000)),
        vol.Optional("correct", default=True): boolean(),
        vol.Optional("rerank", default=True): boolean(),
        vol.Optional("facets", default=list): list_of(one_of(*FACETS), len(FACETS), "facets"),
        vol.Optional("facet_values", default=10): integer(1, 1000),
        vol.Optional("sort", default="relevance"): one_of(*SORTS),
        vol.Optional("order", default="ascending"): one_of("ascending", "descending"),
        vol.Optional("filters", default=dict): FILTERS,
    }
)


_SIMILAR = vol.Schema(
    {
        vol.Optional("k", default="10"): integer_parameter(1, 100),
        vol.Optional("offset", default="0"): integer_parameter(0, 1000),
        vol.Optional("group_by", default="chunk"): one_of(*GROUPINGS),
    }
)


class SearchHandler(RestHandler):
    scope = "read"
    rate_group = "search"
    audit: ClassVar = {"POST": READ}

    async def post(self) -> None:
        started = time.perf_counter()
        body = self.body(_SEARCH)
        ids = body.get("collection_ids")
        query = SearchQuery(
            text=body["query"],
            collection_ids=None if ids is None else tuple(ids),
            k=body["k"],
            offset=body["offset"],
            threshold=body.get("score_threshold"),
            filters=Filters(**body["filters"]),
            mode=body["mode"],
            group_by=body["group_by"],
            per_document=body.get("per_document"),
            correct=body["correct"],
            rerank=body["rerank"],
            facets=tuple(dict.fromkeys(body["facets"])),
            facet_values=body["facet_values"],
            sort=body["sort"],
            descending=body["order"] == "descending",
        )
        result = await self.services.search.search(self.principal, query)
        self.reply(_result_json(result, started))


class SimilarHandler(RestHandler):
    """Chunks that are like one of a document."""

    rate_group = "search"

    async def get(self, collection_id: str, document_id: str, seq: str) -> None:
        started = time.perf_counter()
        query = self.query(_SIMILAR)
        result = await self.services.search.similar.find(
            self.principal,
            collection_id,
            document_id,
            int(seq),
            query["k"],
            query["offset"],
            query["group_by"],
        )
        self.reply(_result_json(result, started))


def _result_json(result: SearchResult, started: float) -> dict[str, Any]:
    return {
        "hits": [hit_json(hit) for hit in result.hits],
        "total_considered": result.considered,
        "mode": result.mode,
        "degraded": result.degraded,
        "relevance": result.relevance,
        "corrections": [{"from": each.word, "to": each.instead} for each in result.corrections],
        "facets": _facets_json(result),
        "matched": result.matched and asdict(result.matched),
        "took_ms": round((time.perf_counter() - started) * 1000, 2),
    }


def _facets_json(result: SearchResult) -> dict[str, Any] | None:
    if result.facets is None:
        return None
    return {
        name: {
            "values": [{"value": value, "count": count} for value, count in counts.values],
            "missing": counts.missing,
            "others": counts.others,
        }
        for name, counts in result.facets.items()
    }
