"""The tool `read`: the passages of a document around a hit, or from an offset on. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.mcp.budget import Budget, json_size, prefix
from handlers.mcp.caller import Answer, Arguments, Caller, Json
from handlers.mcp.passages import NOTICE, document_item, document_link, passage_item
from semantik.core.errors import NotFound
from semantik.core.models import Chunk, Document


async def read(caller: Caller, arguments: Arguments) -> Answer:
    document = await caller.services.authorizer.document(
        caller.principal, arguments["collection_id"], arguments["document_id"]
    )
    link = document_link(document)
    described = document_item(document)
    max_bytes = caller.answer_bytes(arguments)
    budget = Budget(max_bytes - json_size(described) - link.bytes)
    around = arguments.get("around")
    if around is None:
        # A character has a byte at least, so no more of them can fit.
        start = arguments["offset"]
        chunks = await caller.services.collections.document_chunks(document, start, start + max_bytes)
        items = _forward(chunks, start, budget)
    else:
        if not document.has_chunk(around):
            raise NotFound(
                f"There is no passage {around} in this document; it may have changed: search again."
            )
        first, last = around - arguments["before"], around + arguments["after"]
        chunks = await caller.services.collections.neighbours(document, first, last)
        items = _window(chunks, around, budget)
    structured = {
        "notice": NOTICE,
        "document": described,
        "passages": items,
        "previous_seq": _previous(document, items),
        "next_offset": _next(document, items),
    }
    return Answer(structured, [link])


def _forward(chunks: Sequence[Chunk], start: int, budget: Budget) -> list[Json]:
    """Passages from the character `start` on, as far as they fit. What two chunks share is in the first one only."""
    items: list[Json] = []
    at = start
    for chunk in chunks:
        if chunk.end <= at:
            continue
        begin = max(at, chunk.start)
        item = passage_item(chunk, begin, chunk.text[begin - chunk.start :])
        if not budget.take(item):
            if not items:
                items.append(_shortened(chunk, begin, budget))
            break
        items.append(item)
        at = chunk.end
    return items


def _window(chunks: Sequence[Chunk], around: int, budget: Budget) -> list[Json]:
    """The passage `around`, and as many of its neighbours as fit, the nearest first."""
    by_seq = {chunk.seq: chunk for chunk in chunks}
    hit = by_seq.get(around)
    if hit is None:  # the document was indexed again a moment ago
        raise NotFound(f"There is no passage {around} in this document; it may have changed: search again.")
    middle = passage_item(hit, hit.start, hit.text)
    if not budget.take(middle):
        return [_shortened(hit, hit.start, budget)]
    before: list[Json] = []
    after: list[Json] = []
    low: Chunk | None = hit
    high: Chunk | None = hit
    while low is not None or high is not None:
        if high is not None:
            chunk = by_seq.get(high.seq + 1)
            high = chunk if chunk and _add(chunk, max(high.end, chunk.start), None, budget, after) else None
        if low is not None:
            chunk = by_seq.get(low.seq - 1)
            low = chunk if chunk and _add(chunk, chunk.start, low.start, budget, before) else None
    return [*reversed(before), middle, *after]


def _add(chunk: Chunk, begin: int, end: int | None, budget: Budget, items: list[Json]) -> bool:
    text = chunk.text[begin - chunk.start : None if end is None else max(end - chunk.start, 0)]
    item = passage_item(chunk, begin, text)
    if end is not None and end < chunk.end:
        item["end"], item["continues_at"] = begin + len(text), None  # the rest is in the passage after it
    if budget.take(item):
        items.append(item)
        return True
    return False


def _shortened(chunk: Chunk, begin: int, budget: Budget) -> Json:
    """As much of a passage as fits; it says where it continues."""
    bare = json_size(passage_item(chunk, begin, ""))
    return passage_item(chunk, begin, prefix(chunk.text[begin - chunk.start :], budget.left - bare))


def _previous(document: Document, items: Sequence[Json]) -> int | None:
    first = items[0]["seq"] if items else document.first_seq
    return first - 1 if document.has_chunk(first - 1) else None


def _next(document: Document, items: Sequence[Json]) -> int | None:
    if not items:
        return None
    last = items[-1]
    more = last["continues_at"] is not None or document.has_chunk(last["seq"] + 1)
    return last["end"] if more else None
