"""What the keyword index takes of a chunk, and the words that it makes of it. Pure; runs in the pool and in threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from semantik.analysis import terms


@dataclass(frozen=True, slots=True)
class KeywordText:
    """The text of a chunk, the title of its document, its headings, and its language (ISO 639-1); None if unknown."""

    text: str
    title: str | None = None
    heading: str | None = None
    language: str | None = None


Fields = tuple[str, str, str, str, str]
"""The words of a text, their stems, its identifiers as a whole, and all of these of its title and headings; each is a
string of words with a space between two. At last the term of its heading (see `heading_term`), or nothing.
"""

_HEADING_SEPARATOR = "›"
_WITHIN_TERM = "\x1f"  # no white space to tantivy
_LONGEST_HEADING = 100


def analyse(texts: Sequence[KeywordText]) -> list[Fields]:
    """The fields of each text, in order."""
    return [_fields(each) for each in texts]


def _fields(text: KeywordText) -> Fields:
    found = terms(text.text, text.language)
    titles = _titles(text.title, text.heading, text.language)
    return _join(found.words), _join(found.stems), _join(found.wholes), titles, heading_term(text.heading)


@lru_cache(256)  # the chunks of a document share them
def _titles(title: str | None, heading: str | None, language: str | None) -> str:
    parts = [terms(part, language) for part in (title, heading) if part]
    return _join([word for part in parts for word in (*part.words, *part.stems, *part.wholes)])


@lru_cache(256)
def heading_term(path: str | None) -> str:
    """The last of the headings of a path as one term without white space; empty where there is none."""
    words = (path or "").rpartition(_HEADING_SEPARATOR)[2].split()
    return _join([_WITHIN_TERM.join(words)[:_LONGEST_HEADING]])


def heading_of(term: str) -> str:
    """The heading that has this term."""
    return term.replace(_WITHIN_TERM, " ")


def _join(words: Sequence[str]) -> str:
    joined = " ".join(words)
    # A lone surrogate is no text: it cannot be stored.
    return joined if joined.isascii() else joined.encode("utf-8", "ignore").decode("utf-8")
