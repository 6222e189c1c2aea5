"""The query language: no text fails, nothing is made up, and quotes, minus and filters do what they say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.property_tests import examples

from semantik.query import ParsedQuery, parse

_WORD = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=6)
_WORDS = st.lists(_WORD, min_size=1, max_size=4)
_SIGNS = st.sampled_from([*'"“”«»-−*():：', "OR", "and", "阀门"])
_FILTERS = st.sampled_from(["title:", "path:/", "type:pdf", "after:2025", "before:x", "lang:de", "in:"])
_SPACE = st.sampled_from([" ", "\t", "\u200b", "\0", "e\u0301"])
_ANYTHING = st.lists(_SIGNS | _FILTERS | _SPACE | _WORD | st.text(max_size=3), max_size=12).map("".join)


def _texts(query: ParsedQuery) -> list[str]:
    """All words and phrases of the query."""
    groups = [query.optional, *query.required, query.excluded]
    return [clause.text for group in groups for clause in group]


@examples(500)
@given(text=_ANYTHING)
def test_any_text_is_a_query_of_its_own_words(text: str) -> None:
    found = parse(text)
    assert found.source == text
    typed = "".join(text.split())
    for each in (*_texts(found), *found.plain.split()):
        assert each and "".join(each.split()) in typed
    assert bool(found.plain) or found.filters.any or not any(char.isalnum() for char in text)


@examples(300)
@given(text=_ANYTHING)
def test_space_around_a_query_does_not_matter(text: str) -> None:
    found, padded = parse(text), parse(f"  {text}\n")
    assert (found.plain, _texts(found), found.filters) == (padded.plain, _texts(padded), padded.filters)


@examples(100)
@given(words=_WORDS)
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    found = parse(" ".join(words))
    assert found.plain == " ".join(words)
    assert [clause.text for clause in found.optional] == words
    assert (found.required, found.excluded) == ((), ())


@examples(100)
@given(words=_WORDS, phrase=_WORDS, excluded=_WORD)
def test_a_phrase_is_required_and_an_excluded_word_is_not_searched_for(
    words: list[str], phrase: list[str], excluded: str
) -> None:
    found = parse(f'{" ".join(words)} "{" ".join(phrase)}" -{excluded}')
    assert [[clause.text for clause in group] for group in found.required] == [[" ".join(phrase)]]
    assert [clause.text for clause in found.excluded] == [excluded]
    assert found.plain == " ".join([*words, *phrase])


@examples(100)
@given(words=_WORDS, day=st.dates())
def test_filters_are_no_words(words: list[str], day: object) -> None:
    found = parse(f"type:pdf {' '.join(words)} after:{day} -lang:de")
    assert found.plain == " ".join(words)
    filters = found.filters
    assert (filters.types, filters.after, filters.not_languages) == (("pdf",), day, ("de",))
