"""Cuts a query into pieces: words, quoted phrases, `key:value`, each perhaps with a minus. Pure; never raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KEYS = frozenset({"title", "path", "type", "after", "before", "lang", "in", "author", "tag", "is"})

# What may close a quote, by what opens it. Phones and word processors mix the kinds.
DOUBLE = '"“”„‟＂'
_CLOSERS = {
    **dict.fromkeys(DOUBLE, DOUBLE),
    "«": "»",
    "»": "«",
    "「": "」",
    "『": "』",
}
# These only ever open a quote, so they do so within a text without spaces, too.
_DIRECTED = "“„«「『"
_CLOSING = {opener: re.compile(f"[{re.escape(closers)}]") for opener, closers in _CLOSERS.items()}
_KEY = re.compile(r"([A-Za-z]+)[:：]")
_WORD_END = re.compile(rf"[\s{_DIRECTED}]")
_MINUS = "-−"
# Numbers below zero: with a unit that tells, or where there is nothing before to exclude them from.
_NEGATIVE = re.compile(r"[-−]\d")
_MEASURED = re.compile(r"[-−]\d[\d.,]*\s*[°%€$£¥℃℉]")
_BRACKETS = re.compile(r"[(\[{]*")
_AFTER_QUOTE = re.compile(r"[)\]}.,;:!?]+(?=\s|\Z)")
# A minus after one of these is a hyphen: "An- und -Abfahrt". In capitals they are meant as operators.
_CONJUNCTIONS = frozenset(
    re.findall(r"\S+", "and or and/or und oder sowie bzw bzw. und/oder et ou y o och eller og ja tai и или")
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A word or a quoted text without its quotes; `raw` is what was typed for it, with minus, key and quotes.

    `quoted`: the quote that opens it, or "".
    """

    text: str
    raw: str
    quoted: str = ""
    negated: bool = False
    key: str | None = None


def pieces(query: str) -> Iterator[Piece]:
    """The pieces of a query in order."""
    at = 0
    last = ""
    while at < len(query):
        if query[at].isspace():
            at += 1
            continue
        piece, at = _piece(query, at, last in _CONJUNCTIONS)
        if piece is not None:
            last = piece.raw
            yield piece


def _piece(query: str, start: int, after_conjunction: bool) -> tuple[Piece | None, int]:
    """The piece that begins at `start`, if any, and where to go on."""
    first = start == 0 or query[start - 1].isspace()
    negated = first and _is_minus(query, start)
    at = start + negated
    key = _key(query, at) if first else None
    if key is not None:
        at += len(key) + 1
    if found := _quoted(query, at, first):
        opener, text, end = found
        return Piece(text, query[start:end], opener, negated, key), end
    end = _word_end(query, at)
    if key is None and after_conjunction:
        at, negated = start, False
    text = query[at:end]
    if text[0] in _CLOSERS and key is None:
        text = text[1:]  # it is never closed
    return (Piece(text, query[start:end], "", negated, key) if text else None), end


def _is_minus(query: str, at: int) -> bool:
    """Whether a minus at `at` excludes what follows; two are a command's option, one may be a number's."""
    following = query[at + 1 : at + 2]
    if query[at] not in _MINUS or not following or following.isspace() or following in _MINUS:
        return False
    return not _NEGATIVE.match(query, at) or (query[at] == "-" and at > 0 and not _MEASURED.match(query, at))


def _key(query: str, at: int) -> str | None:
    """The key that is followed by a value at `at`."""
    found = _KEY.match(query, at)
    if found is None or found[1].lower() not in KEYS:
        return None
    value = query[found.end() : found.end() + 1]
    return found[1].lower() if value and not value.isspace() else None


def _quoted(query: str, at: int, first: bool) -> tuple[str, str, int] | None:
    """The quote that opens at `at`, perhaps after brackets, the text in it, and the position after it."""
    brackets = _BRACKETS.match(query, at)
    opened = brackets.end() if brackets else at
    if not first and query[opened : opened + 1] not in _DIRECTED:
        return None
    end = _closing(query, opened)
    if end is None:
        return None
    after = _AFTER_QUOTE.match(query, end + 1)
    return query[opened], query[opened + 1 : end], after.end() if after else end + 1


def _closing(query: str, opened: int) -> int | None:
    """Where the quote that opens at `opened` is closed; None where there is no quote, or no end of it."""
    closing = _CLOSING.get(query[opened : opened + 1])
    found = closing.search(query, opened + 1) if closing else None
    return found.start() if found else None


def _word_end(query: str, start: int) -> int:
    """The end of the word that begins at `start`: a space, or a quote that opens and is closed."""
    for found in _WORD_END.finditer(query, start + 1):
        if query[found.start()].isspace() or _closing(query, found.start()) is not None:
            return found.start()
    return len(query)
