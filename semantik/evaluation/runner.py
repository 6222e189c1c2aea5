"""Asks a server every query of a judged set in each mode, and measures the rankings. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from semantik.client.api import Client
from semantik.evaluation.judged_set import JudgedQuery, JudgedSet, matches_path, relevances
from semantik.evaluation.measures import DEPTH, Interval, column, interval, measured

MODES = ("hybrid", "meaning", "words")
_CONCURRENT = 4
_MAX_QUERY_CHARS = 10_000

Progress = Callable[[str, int, int], None]
"""`progress(mode, done, total)`, after each query."""


@dataclass(frozen=True)
class Answer:
    """The ranked documents of one query in one mode: their names or paths, the grade of each, and the measures."""

    query: JudgedQuery
    found: tuple[str, ...]
    grades: tuple[float, ...]
    measures: dict[str, float]

    @property
    def first_rank(self) -> int | None:
        """The rank of the first expected document, from 1; None if it is not among the first `DEPTH`."""
        return next((rank for rank, grade in enumerate(self.grades, 1) if grade > 0), None)


@dataclass(frozen=True)
class Evaluation:
    """The answers of each mode, in the order of the queries."""

    judged: JudgedSet
    answers: dict[str, tuple[Answer, ...]]

    def means(self, mode: str, measure: str) -> Interval:
        """The mean of a measure in a mode."""
        return interval(column([each.measures for each in self.answers[mode]], measure))

    def difference(self, mode: str, other: str, measure: str) -> Interval:
        """How much better `mode` is than `other`, paired query by query."""
        pairs = zip(self.answers[mode], self.answers[other], strict=True)
        return interval([one.measures[measure] - two.measures[measure] for one, two in pairs])


async def evaluate(
    client: Client,
    judged: JudgedSet,
    collections: Sequence[str] | None,
    progress: Progress,
    modes: Sequence[str] = MODES,
    name_of: Callable[[str], str] | None = None,
    depth: int = DEPTH,
) -> Evaluation:
    """Ask all queries in `modes`, for `depth` documents, in the given collections or in all that the client may read.

    `name_of(path)` is the id in the judged set of the document at a path; without it, expected paths are compared.
    Raises Refused or Unavailable when the server does not answer one of them.
    """
    answers: dict[str, tuple[Answer, ...]] = {}
    for mode in modes:
        answers[mode] = await _answers(client, judged, collections, progress, mode, name_of, depth)
    return Evaluation(judged, answers)


async def _answers(
    client: Client,
    judged: JudgedSet,
    collections: Sequence[str] | None,
    progress: Progress,
    mode: str,
    name_of: Callable[[str], str] | None,
    depth: int,
) -> tuple[Answer, ...]:
    pending = iter(enumerate(judged.queries))
    done: dict[int, Answer] = {}

    async def ask_next() -> None:
        for number, query in pending:
            paths = await ranked_paths(client, query.text, collections, mode, depth)
            names = [name_of(path) for path in paths] if name_of else paths
            grades = relevances(query, names, str.__eq__ if name_of else matches_path)
            done[number] = Answer(query, tuple(names), tuple(grades), measured(query, grades))
            progress(mode, len(done), len(judged.queries))

    tasks = [asyncio.create_task(ask_next()) for _ in range(_CONCURRENT)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return tuple(done[number] for number in range(len(judged.queries)))


async def ranked_paths(
    client: Client, query: str, collections: Sequence[str] | None, mode: str, depth: int
) -> list[str]:
    """The paths of the documents that a server finds, best first, each once, copies after the one they are of."""
    body: dict[str, Any] = {
        "query": query[:_MAX_QUERY_CHARS],
        "k": depth,
        "mode": mode,
        "group_by": "document",
    }
    if collections is not None:
        body["collection_ids"] = list(collections)
    answer = await client.read_json("POST", "search", body=body, repeatable=True)
    paths: dict[str, None] = {}
    for hit in answer["hits"]:
        paths.setdefault(hit["document"]["path"])
        for copy in hit.get("also_in") or ():
            paths.setdefault(copy["document"]["path"])
    return list(paths)[:depth]
