"""Queries with the documents that should be found. Plain values; knows neither files nor servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

Matcher = Callable[[str, str], bool]
"""`matches(expected, path)`: whether the document at `path` is the expected one."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """A document that should be found, and how relevant it is, above 0."""

    expected: str
    grade: float = 1.0


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """`judgments` is not empty; each names a document of its own."""

    id: str
    text: str
    judgments: tuple[Judgment, ...]


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A document of a judged set; `title` may be empty."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class JudgedSet:
    """Queries, and the documents to index; None where these are on the server already."""

    name: str
    queries: tuple[JudgedQuery, ...]
    documents: tuple[JudgedDocument, ...] | None = None


def matches_path(expected: str, path: str) -> bool:
    """Whether a path is what a person wrote of it: the path, its end from a `/` on, or a glob of either.

    The name without its extension is enough: `ferry` is `/docs/ferry.txt`. Case counts.
    """
    wanted = expected.strip().removeprefix("./")
    if path == wanted or path.endswith("/" + wanted.lstrip("/")):
        return True
    if any(mark in wanted for mark in "*?["):
        return fnmatchcase(path, wanted) or fnmatchcase(path, f"*/{wanted.lstrip('/')}")
    name = path.rpartition("/")[2]
    return "/" not in wanted and name.rpartition(".")[0] == wanted


def relevances(query: JudgedQuery, paths: Sequence[str], matches: Matcher = matches_path) -> list[float]:
    """The grade of each ranked path: 0 if it is not expected, or if an earlier one has met that expectation."""
    pending = list(query.judgments)
    found = []
    for path in paths:
        met = next((each for each in pending if matches(each.expected, path)), None)
        found.append(met.grade if met else 0.0)
        if met:
            pending.remove(met)
    return found
