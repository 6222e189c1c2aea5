"""A query made ready for the retrievers: understood, and its words with what they are worth. Runs on the loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from semantik.analysis import likely_languages
from semantik.core.models import Collection
from semantik.index.keyword import KeywordIndex
from semantik.query import ParsedQuery, QueryFilters, parse
from semantik.search.candidates import Retrieved
from semantik.search.matching import QueryForms, QueryWords, WordWorth, words_of

_SHORT = 3  # letters: what a word is worth without an index of words
_SHORT_WORTH = 0.2
# "the" and "when" are marked only where all words are like them: those in more than an eighth of all chunks, if another
# word that is found is worth much more.
_COMMON_WORTH, _LEAST_SHARE = 2.0, 0.6


@dataclass(frozen=True)
class PreparedQuery:
    """`languages` (ISO 639-1) are those whose stems the query's words may have."""

    parsed: ParsedQuery
    languages: tuple[str, ...]
    words: QueryWords


@lru_cache(maxsize=256)
def prepare(text: str) -> PreparedQuery:
    return prepare_parsed(parse(text))


def relaxed(prepared: PreparedQuery) -> PreparedQuery | None:
    """The query with its phrases as plain words, for when no chunk has them; None where it has no phrases.

    People put quotation marks into questions that are about a name or a title, too.
    """
    parsed = prepared.parsed
    if not parsed.required:
        return None
    words = tuple(replace(clause, phrase=False) for group in parsed.required for clause in group)
    return prepare_parsed(replace(parsed, optional=(*words, *parsed.optional), required=()))


def prepare_parsed(parsed: ParsedQuery) -> PreparedQuery:
    languages = likely_languages(parsed.plain)
    return PreparedQuery(parsed, languages, words_of(parsed, languages))


def chosen(collections: Sequence[Collection], typed: QueryFilters) -> list[Collection]:
    """Those that the query names with `in:`, or all; without those that it excludes."""
    wanted = {name.casefold() for name in typed.collections}
    unwanted = {name.casefold() for name in typed.not_collections}
    names = [(each.name.casefold(), each) for each in collections]
    return [each for name, each in names if name not in unwanted and (not wanted or name in wanted)]


async def frequencies(words: QueryWords, index: KeywordIndex) -> tuple[int, ...]:
    """In how many chunks each word is, in its most frequent form."""
    return tuple([await _frequency(each, index) for each in words.words])


async def _frequency(word: QueryForms, index: KeywordIndex) -> int:
    if word.prefix:
        return max([count for _, count in await index.complete(word.word, 1)], default=0)
    return max([await index.frequency(form) for form in {word.word, *(word.forms - word.wholes)}])


def worth(words: QueryWords, retrieved: Sequence[Retrieved]) -> WordWorth:
    """What each word is worth, as in BM25: the more, the fewer chunks of all collections have it."""
    known = [each for each in retrieved if each.frequencies is not None]
    if not known:
        values = [1.0 if len(each.word) > _SHORT else _SHORT_WORTH for each in words.words]
        return WordWorth(values, _LEAST_SHARE * max(values, default=0.0))
    total = sum(each.size for each in known)
    columns = zip(*(each.frequencies for each in known if each.frequencies is not None), strict=True)
    counts = [sum(column) for column in columns]
    values = [inverse_frequency(count, total) for count in counts]
    found = [value for value, count in zip(values, counts, strict=True) if count]
    return WordWorth(values, min(_COMMON_WORTH, _LEAST_SHARE * max(found, default=0.0)))


def inverse_frequency(count: int, total: int) -> float:
    return math.log(1 + max(total - count + 0.5, 0.5) / (count + 0.5))
