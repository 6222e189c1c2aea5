"""Answers of `POST /api/v2/search` that no index made, for tests of what the page does with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route

Answer = dict[str, Any]


def hit(number: int, text: str = "", **more: Any) -> Answer:
    """A hit in a document of its own; `more` replaces fields."""
    passage = text or f"Passage {number} tells of the pump."
    return {
        "score": 0.5, "relevance": "strong", "passage": passage, "highlights": [], "best_sentence": None, "matched": [],
        "scores": {"meaning": 0.5, "words": 2.0, "fused": 0.8, "rerank": None},
        "seq": number, "start": 0, "end": len(passage), "page": None, "page_label": None, "heading": None,
        "recognised": False, "also_in": [], "more": [], "collection": {"id": "c", "name": "Plant"},
        "document": {
            "id": f"d{number}", "path": f"/srv/{number}.md", "name": f"{number}.md", "title": None,
            "mime": "text/markdown", "modified_at": "2025-01-01T00:00:00Z", "author": None, "authors": [], "date": None,
            "language": "en", "tags": [], "container_id": None, "part": None,
        },
    } | more  # fmt: skip


def answer(hits: list[Answer], total: int | None = None, **more: Any) -> Answer:
    """The answer with these hits; `total` documents match."""
    nothing: Answer = {"values": [], "missing": 0, "others": 0}
    names = ("collection", "folder", "type", "year", "language", "author", "tag", "recognised")
    return {
        "hits": hits, "total_considered": 10_000, "mode": "hybrid", "degraded": None, "corrections": [], "took_ms": 3.2,
        "relevance": hits[0]["relevance"] if hits else None, "facets": dict.fromkeys(names, nothing),
        "matched": {"documents": len(hits) if total is None else total, "complete": True},
    } | more  # fmt: skip


def serve_answers(page: Page, made: Callable[[Answer], Answer | None]) -> list[Answer]:
    """Answer the page's searches by `made(body)`, or let the server do it where that is None. Returns the bodies."""
    bodies: list[Answer] = []

    def fulfil(route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        bodies.append(body)
        found = made(body)
        if found is None:
            route.continue_()
        else:
            route.fulfill(status=200, content_type="application/json", body=json.dumps(found))

    page.route("**/api/v2/search", fulfil)
    return bodies
