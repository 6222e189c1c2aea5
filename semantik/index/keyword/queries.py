"""A parsed query as tantivy queries: what has to match, and what each word is worth. Pure; runs in threads.

The BM25 scores of all terms are added. An exact word is worth more than its stem, an identifier as a whole adds to
its parts, and a word of a title or heading counts as one more match.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tantivy import Occur, Query

from semantik.analysis import QueryTerm, QueryWord, is_function_word, is_name, query_words
from semantik.analysis.query_terms import FORM_WEIGHT, FORMS_TIE
from semantik.index.keyword.schema import SCHEMA, TITLES, WHOLES, WORDS
from semantik.query import Clause, ParsedQuery

Frequency = Callable[[str, str], int]
"""`frequency(field, term)`: how many chunks have the term in the field."""
Complete = Callable[[str, int], Sequence[str]]
"""`complete(prefix, limit)`: the most frequent words with this prefix."""

TITLE_WEIGHT = 0.5
_MAX_WORDS = 64  # the rarest are searched for: a pasted page has thousands, and a few dozen find it
_MAX_READ_WORDS = 1024
# "How do I" is rare in many texts, and would decide: it says nothing of what a question is about.
_FUNCTION_WEIGHT = 0.25
_EXPANSIONS = 32
_LEAST_PASTED, _LEAST_IN_NAME = 3, 2
_QUESTION_MARKS = ("?", "？", "؟")
# Of so many chunks a word costs much that is in a good share of them: it is looked up only in the best that rarer words
# find. One that is in this larger share says nearly nothing, and is left out where there is another.
_MANY_CHUNKS = 20_000
_COMMON_SHARE = 0.08
_EMPTY_SHARE = 0.4

Terms = dict[tuple[str, str], float]
"""The weight of each (field, term)."""


@dataclass(frozen=True)
class KeywordQuery:
    """What is searched for.

    `conditions` have to hold and give no score. `rare` and `common` are scored terms: where `rare` finds enough, the
    `common` ones, of which each is in a good share of all chunks, need not be looked up in all of them.
    """

    conditions: tuple[tuple[Occur, Query], ...]
    rare: tuple[Query, ...]
    common: tuple[Query, ...]

    @property
    def scored(self) -> tuple[Query, ...]:
        return self.rare + self.common

    @property
    def is_empty(self) -> bool:
        """Whether no chunk can match: no word occurs in any, and nothing is required."""
        return not self.scored and not _has_required(self.conditions)


def make_query(
    parsed: ParsedQuery, languages: Sequence[str], frequency: Frequency, complete: Complete, total: int
) -> KeywordQuery:
    """The query to an index of `total` chunks."""
    conditions: list[tuple[Occur, Query]] = []
    for group in parsed.required:
        alternatives = [found for clause in group for found in _matches(clause, languages)]
        if alternatives:
            conditions.append((Occur.Must, _unscored(_any_of(alternatives))))
    for clause in parsed.excluded:
        conditions += [(Occur.MustNot, found) for found in _matches(clause, ())]
    clauses = parsed.scored
    words = _rarest(_found_words(clauses, languages, frequency))
    if total >= _MANY_CHUNKS:
        words = [each for each in words if each.count <= _EMPTY_SHARE * total] or words
    # A word that a query repeats counts as often.
    repeated = Counter(words)
    common_from = _common_from(list(repeated), total)
    less = _FUNCTION_WEIGHT if any(not each.is_function_word for each in words) else 1.0
    weights = {word: times * (less if word.is_function_word else 1.0) for word, times in repeated.items()}
    rare = [_scored(word, weight) for word, weight in weights.items() if word.count <= common_from]
    common = [_scored(word, weight) for word, weight in weights.items() if word.count > common_from]
    prefixes = [found for clause in clauses for found in _expansions(clause, complete)]
    return KeywordQuery(tuple(conditions), (*rare, *prefixes, *_pasted(parsed)), tuple(common))


def _pasted(parsed: ParsedQuery) -> Iterator[Query]:
    """All words side by side, which adds as much again: a name, or somebody may have pasted a piece of a text."""
    words = query_words(parsed.plain, ()) if not parsed.plain.endswith(_QUESTION_MARKS) else ()
    least = _LEAST_IN_NAME if is_name(parsed.plain) else _LEAST_PASTED
    if least <= len(words) <= _MAX_WORDS:
        yield Query.phrase_query(SCHEMA, WORDS, [each.word for each in words])


def _common_from(words: Sequence[_FoundWord], total: int) -> float:
    """The frequency above which words are looked up only in the best chunks; the two rarest words never are."""
    rarest = sorted(word.count for word in words)[:2]
    return max([_COMMON_SHARE * total, *rarest]) if total >= _MANY_CHUNKS else total


def combine(
    query: KeywordQuery, scored: Sequence[Query], filters: Sequence[Query] = (), optional: bool = False
) -> Query:
    """Chunks that pass conditions and filters, and match at least one of the `scored` unless that is `optional`."""
    clauses = [*query.conditions, *((Occur.Must, each) for each in filters)]
    if scored:
        if not clauses and not optional:
            return _any_of(scored)
        needed = not optional and not _has_required(query.conditions)
        clauses.append((Occur.Must if needed else Occur.Should, _any_of(scored)))
    if not _has_required(clauses):
        clauses.append((Occur.Must, _unscored(Query.all_query())))
    return Query.boolean_query(clauses)


def restrict(scored: Sequence[Query], chosen: Query) -> Query:
    """Those of the `chosen` chunks that match one of the `scored`."""
    return Query.boolean_query([(Occur.Must, chosen), (Occur.Must, _any_of(scored))])


def _has_required(clauses: Sequence[tuple[Occur, Query]]) -> bool:
    return any(occur == Occur.Must for occur, _ in clauses)


@dataclass(frozen=True)
class _FoundWord:
    """A word of the query: the largest frequency of its terms, and (field, term, weight) of those that occur.

    A function word counts less beside others. `forms` are forms of the one word, of which the best counts; `others` add
    to it. `parts` side by side are one of the forms.
    """

    count: int
    is_function_word: bool
    forms: tuple[tuple[str, str, float], ...]
    others: tuple[tuple[str, str, float], ...]
    parts: tuple[str, ...] = ()


def _found_words(
    clauses: Iterable[Clause], languages: Sequence[str], frequency: Frequency
) -> Iterator[_FoundWord]:
    for word in _words(clauses, languages):
        forms: Terms = {}
        others: Terms = {}
        largest = 0
        for term in word.terms:
            for field, weight in ((term.field, term.weight), (TITLES, term.weight * TITLE_WEIGHT)):
                if count := frequency(field, term.term):
                    chosen = others if term.adds or field == TITLES else forms
                    chosen[field, term.term] = max(weight, chosen.get((field, term.term), 0.0))
                    largest = max(largest, count)
        if forms or others:
            is_function = is_function_word(word.word, languages)
            parts = word.parts if all(frequency(WORDS, part) for part in word.parts) else ()
            yield _FoundWord(largest, is_function, _terms(forms), _terms(others), parts)


def _terms(terms: Terms) -> tuple[tuple[str, str, float], ...]:
    return tuple((field, term, weight) for (field, term), weight in terms.items())


def _words(clauses: Iterable[Clause], languages: Sequence[str]) -> Iterator[QueryWord]:
    left = _MAX_READ_WORDS
    for clause in clauses:
        if not clause.prefix:
            words = query_words(clause.text, languages)[:left]
            left -= len(words)
            yield from words


def _rarest(words: Iterable[_FoundWord]) -> list[_FoundWord]:
    found = list(words)
    return sorted(found, key=lambda each: each.count)[:_MAX_WORDS] if len(found) > _MAX_WORDS else found


def _scored(word: _FoundWord, weight: float) -> Query:
    forms = [_term(*each) for each in word.forms]
    if len(word.parts) > 1:
        side_by_side = Query.phrase_query(SCHEMA, WORDS, list(word.parts))
        forms.append(Query.boost_query(side_by_side, FORM_WEIGHT))
    best = [Query.disjunction_max_query(forms, tie_breaker=FORMS_TIE)] if len(forms) > 1 else forms
    query = _any_of([*best, *(_term(*each) for each in word.others)])
    return query if weight == 1.0 else Query.boost_query(query, weight)


def _term(field: str, term: str, weight: float) -> Query:
    query = Query.term_query(SCHEMA, field, term)
    return query if weight == 1.0 else Query.boost_query(query, weight)


def _expansions(clause: Clause, complete: Complete) -> Iterator[Query]:
    """The best of the words that begin with a prefix, scored: it counts as one word."""
    words = query_words(clause.text, ()) if clause.prefix else ()
    before = [each.word for each in words[:-1]]
    found = [
        Query.phrase_query(SCHEMA, WORDS, [*before, each])
        if before
        else Query.term_query(SCHEMA, WORDS, each)
        for each in (complete(words[-1].word, _EXPANSIONS) if words else ())
    ]
    if found:
        yield Query.disjunction_max_query(found)


def _matches(clause: Clause, languages: Sequence[str]) -> Iterator[Query]:
    """Queries of which at least one matches where the clause holds; none for a clause without words.

    A phrase matches as it stands; a single word also in the forms that `languages` give it.
    """
    words = query_words(clause.text, () if clause.phrase else languages)
    if not words:
        return
    side_by_side = [each.word for each in words]
    for field in (WORDS, TITLES):
        if clause.prefix:
            yield _prefix(field, side_by_side)
        elif len(words) > 1:
            yield Query.phrase_query(SCHEMA, field, list(side_by_side))
        else:
            yield Query.term_query(SCHEMA, field, side_by_side[0])
    if clause.prefix or (clause.phrase and len(words) > 1):
        return
    for term in _other_terms(words, bool(languages)):
        yield Query.term_query(SCHEMA, term.field, term.term)
        yield Query.term_query(SCHEMA, TITLES, term.term)


def _other_terms(words: Sequence[QueryWord], forms: bool) -> Iterator[QueryTerm]:
    """The whole of a compound in any case; the forms of a word that stands alone, if asked for."""
    for word in words:
        for term in word.terms:
            whole = term.field == WHOLES
            if (
                whole
                if len(words) > 1
                else whole or (forms and (term.field, term.term) != (WORDS, word.word))
            ):
                yield term


def _prefix(field: str, words: list[str]) -> Query:
    if len(words) > 1:
        return Query.phrase_prefix_query(SCHEMA, field, list(words))
    escaped = "".join(each if each.isalnum() else f"\\{each}" for each in words[0])
    return Query.regex_query(SCHEMA, field, escaped + ".*")


def _any_of(queries: Sequence[Query]) -> Query:
    return (
        queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, each) for each in queries])
    )


def _unscored(query: Query) -> Query:
    return Query.const_score_query(query, 0.0)
