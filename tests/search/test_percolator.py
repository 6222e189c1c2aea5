"""Percolation against searches: new chunks match a query strongly where a search marks them as strong."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.search_service import SearchFixture, search_fixture

from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Filters
from semantik.index import VectorIndex
from semantik.index.keyword import KeywordIndex
from semantik.search.percolation import NewChunks, StandingQuery
from semantik.search.percolator import Found
from semantik.services.notifications.new_chunks import new_chunks

pytestmark = [pytest.mark.gen_test, pytest.mark.real_model]

_SUBJECTS = {
    "lamps": "The {} lamp of the harbour shines over the water at night, and its keeper trims the wick.",
    "bread": "Bread with {} flour rises for two hours in a warm kitchen before the baker shapes it.",
    "knots": "A {} bowline does not slip, whatever the load on the rope may be.",
    "pumps": "If the {} bilge pump fails, start the spare one by hand and call the engineer at once.",
    "ferry": "The {} ferry leaves at seven in the morning and returns from the island at noon.",
    "käse": "Der {} Ziegenkäse reift sechs Wochen im kühlen Keller unter der alten Mühle.",
    "taxes": "A {} dividend is taxed in the year in which the company pays it to its shareholders.",
    "camel": "Call readTimeout of the {} HttpClient, or set KX-5519 in the configuration.",
    "灯台": "灯台守は毎晩{}の灯りを丁寧に磨いていた。その後、天気を日誌に書いた。",
}
_ADJECTIVES = ["green", "old", "heavy", "brass", "second", "quiet", "northern", "broken", "famous", "cheap"]

_QUERIES = [
    StandingQuery("green lamp"),
    StandingQuery("When does the ferry to the island leave?"),
    StandingQuery("pump failure", mode="meaning"),
    StandingQuery("bilge pump", mode="words"),
    StandingQuery('"bowline does not slip"'),
    StandingQuery('"green lamp" harbour', mode="meaning"),
    StandingQuery("bread -brass"),
    StandingQuery("KX-5519"),
    StandingQuery("read timeout of the client"),
    StandingQuery("Ziegenkäse"),
    StandingQuery("天気を日誌に"),
    StandingQuery("divid*", mode="words"),
    StandingQuery("divid* company"),
    StandingQuery("capital of Mongolia"),
    StandingQuery("the", mode="words"),
    StandingQuery("???"),
    StandingQuery("lamp path:old"),
    StandingQuery("ferry in:docs"),
    StandingQuery("ferry in:elsewhere"),
    StandingQuery("type:text"),
    StandingQuery("goat cheese", filters=Filters(extensions=(".md",))),
]


def _documents(seed: int, count: int) -> dict[str, list[str]]:
    """`count` documents of one to three chunks by their paths."""
    chosen = random.Random(seed)
    documents = {}
    for number in range(count):
        folder = chosen.choice(["old", "new"])
        ending = chosen.choice(["txt", "md"])
        chunks = [
            " ".join(
                _SUBJECTS[subject].format(chosen.choice(_ADJECTIVES))
                for subject in chosen.sample(sorted(_SUBJECTS), chosen.choice([1, 1, 2]))
            )
            for _ in range(chosen.choice([1, 2, 3]))
        ]
        documents[f"/{folder}/{seed}-{number}.{ending}"] = chunks
    return documents


async def _add(fixture: SearchFixture, collection: Collection, documents: dict[str, list[str]]) -> Collection:
    first = collection.current.last_seq + 1
    await fixture.add(collection, documents, first)
    grown = await fixture.store.collections.get(collection.id)
    assert grown is not None
    return grown


async def _percolated(
    fixture: SearchFixture, collection: Collection, after: int, queries: list[StandingQuery]
) -> list[Found]:
    """What all queries find among the chunks above a seq, page by page."""
    found: list[Found] = [[] for _ in queries]
    pages = new_chunks(fixture.store, collection.current, after, collection.current.last_seq)
    async for new in pages:
        for half in _halves(new):
            outcomes = await fixture.service.percolator.find(collection, queries, half)
            for number, outcome in enumerate(outcomes):
                known = found[number]
                found[number] = [*known, *outcome] if isinstance(outcome, list) else outcome  # type: ignore[misc]
    return found


def _halves(new: NewChunks) -> list[NewChunks]:
    """A page as two, so that several are looked at."""
    middle = len(new) // 2
    parts = [slice(0, middle), slice(middle, None)]
    return [
        replace(new, chunks=new.chunks[part], vectors=new.vectors[part], owners=new.owners[part])
        for part in parts
        if len(new.chunks[part])
    ]


async def _strong(
    fixture: SearchFixture, collection: Collection, after: int, query: StandingQuery
) -> set[int]:
    """The chunks above a seq that a search in the collection finds, and marks as strong."""
    more: dict[str, Any] = {"mode": query.mode, "filters": query.filters, "collection_ids": (collection.id,)}
    result = await fixture.ask(query.text, k=1000, relax=False, correct=False, **more)
    assert result.mode == query.mode or not query.text.strip("?") or "type:" in query.text
    every = "type:" in query.text
    hits = [
        seq
        for hit in result.hits
        if every or hit.relevance == "strong"
        for seq in [hit.chunk.seq, *(copy.chunk.seq for copy in hit.also_in)]
    ]
    return {seq for seq in hits if seq > after}


async def test_new_chunks_match_where_a_search_marks_them_as_strong(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as fixture:
        collection = await _add(fixture, await fixture.collection(), _documents(1, 60))
        for seed in (2, 3):  # the second time much is known of the first
            after = collection.current.last_seq
            collection = await _add(fixture, collection, _documents(seed, 40))
            found = await _percolated(fixture, collection, after, _QUERIES)
            matching = 0
            for query, outcome in zip(_QUERIES, found, strict=True):
                assert isinstance(outcome, list), (query, outcome)
                expected = await _strong(fixture, collection, after, query)
                assert {each.chunk.seq for each in outcome} == expected, query
                matching += bool(expected)
            assert matching > len(_QUERIES) // 2


async def test_queries_that_need_no_model_match_while_it_does_not_answer(tmp_path: Path) -> None:
    queries = [StandingQuery("green lamp"), StandingQuery("lamp", mode="words")]
    async with search_fixture(tmp_path) as fixture:
        collection = await _add(fixture, await fixture.collection(), {"/a.txt": ["Bread is baked."] * 10})
        after = collection.current.last_seq
        collection = await _add(fixture, collection, {"/b.txt": ["The green lamp."]})
        fixture.broken.append("The model cannot be loaded.")
        by_meaning, by_words = await _percolated(fixture, collection, after, queries)
        assert isinstance(by_meaning, Unavailable) and "cannot be loaded" in str(by_meaning)
        assert isinstance(by_words, list) and [each.document.path for each in by_words] == ["/b.txt"]
        fixture.broken.clear()
        by_meaning, _ = await _percolated(fixture, collection, after, queries)
        assert isinstance(by_meaning, list) and [each.document.path for each in by_meaning] == ["/b.txt"]


async def test_a_query_asks_no_index_until_a_chunk_may_match_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is measured: else the work would grow with the queries, however little is new."""
    async with search_fixture(tmp_path) as fixture:
        bread = [f"Bread number {number} is baked." for number in range(200)]
        collection = await _add(fixture, await fixture.collection(), {"/a.txt": bread})
        queries = [StandingQuery("green lamp"), StandingQuery("fog horn at night", mode="words")]
        assert await _percolated(fixture, collection, -1, queries) == [[], []]
        asked: list[str] = []
        methods = [(VectorIndex, "nearest"), (VectorIndex, "scores"), (KeywordIndex, "scores")]
        for owner, name in [*methods, (KeywordIndex, "frequency")]:
            monkeypatch.setattr(owner, name, _noting(getattr(owner, name), asked))
        after = collection.current.last_seq
        collection = await _add(fixture, collection, {"/b.txt": ["Bread is sold."]})
        assert await _percolated(fixture, collection, after, queries) == [[], []]
        assert asked == []
        after = collection.current.last_seq
        collection = await _add(fixture, collection, {"/c.txt": ["The green lamp."]})
        lamp, _ = await _percolated(fixture, collection, after, queries)
        assert isinstance(lamp, list) and len(lamp) == 1 and asked == ["scores"]


def _noting(method: Callable[..., Any], asked: list[str]) -> Callable[..., Any]:
    async def noting(*args: Any, **more: Any) -> Any:
        asked.append(method.__name__)
        return await method(*args, **more)

    return noting
