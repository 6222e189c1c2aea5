"""The tools `search` and `similar`. Runs on the loop."""

from __future__ import annotations

from handlers.mcp.caller import Answer, Arguments, Caller
from handlers.mcp.passages import NOTICE, hit_page
from semantik.core.models import Filters
from semantik.search.hits import SearchResult
from semantik.search.query import SearchQuery

_PER_DOCUMENT = 3


async def search(caller: Caller, arguments: Arguments) -> Answer:
    limit, offset = arguments["limit"], arguments["offset"]
    ids = arguments.get("collection_ids")
    per_document = arguments.get("per_document")
    if per_document is None and arguments["group_by"] == "document":
        per_document = _PER_DOCUMENT
    # One more than asked for shows whether there is a next page, as far as results go.
    largest = caller.services.settings.search.max_results
    query = SearchQuery(
        text=arguments["query"],
        collection_ids=None if ids is None else tuple(ids),
        k=max(limit, min(limit + 1, largest - offset)),
        offset=offset,
        filters=Filters(**arguments["filters"]),
        mode=arguments["mode"],
        group_by=arguments["group_by"],
        per_document=per_document,
    )
    result = await caller.services.search.search(caller.principal, query)
    return _answer(result, limit, offset, caller.answer_bytes(arguments))


async def similar(caller: Caller, arguments: Arguments) -> Answer:
    limit, offset = arguments["limit"], arguments["offset"]
    result = await caller.services.search.similar.find(
        caller.principal,
        arguments["collection_id"],
        arguments["document_id"],
        arguments["seq"],
        limit + 1,
        offset,
        arguments["group_by"],
    )
    return _answer(result, limit, offset, caller.answer_bytes(arguments))


def _answer(result: SearchResult, limit: int, offset: int, max_bytes: int) -> Answer:
    items, links = hit_page(result.hits[:limit], max_bytes)
    structured = {
        "notice": NOTICE,
        "hits": items,
        "next_offset": offset + len(items) if len(result.hits) > len(items) else None,
        "mode": result.mode,
        "degraded": result.degraded,
        "relevance": result.relevance,
        "corrections": [{"from": each.word, "to": each.instead} for each in result.corrections],
    }
    return Answer(structured, links)
