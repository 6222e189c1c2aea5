"""Queries generated from a corpus whose answer is certain: needles, and a set's own queries with one typo. Pure.

A needle is a name, a number, a rare word or six words in a row that only one document has.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from semantik.evaluation.judged_set import JudgedDocument, JudgedQuery, Judgment

KINDS = ("name", "number", "word", "phrase")
OWN, TYPO, NEEDLE = "own", "typo", "needle"  # the first part of a query's id in a combined set
_PER_KIND = 50
_TYPOS = 200
_SEED = 20_261_129
_PHRASE_WORDS = 6
_MIN_RARE, _MIN_NUMBER, _MIN_MISTYPED = 7, 3, 5  # characters
_NO_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_RUN_CHARACTERS = 12  # of a phrase, where words are not separated

_NAME = re.compile(r"(?<=[^\W\d_] )[^\W\d_a-z]\w+ [^\W\d_a-z]\w+")  # not at the start of a sentence
_NUMBER = re.compile(r"\b\d[\d.,:/-]*\d\b|\b\d{3,}\b")
_WORD = re.compile(r"\b[^\W\d_]+\b")
_PHRASE_WORD = re.compile(r"\w+(?:['’.,-]\w+)*")


def combined(documents: Sequence[JudgedDocument], queries: Sequence[JudgedQuery]) -> tuple[JudgedQuery, ...]:
    """The set's own queries, 200 of them with a typo, and 50 needles of each kind; the first part of an id tells."""
    rng = random.Random(_SEED)
    own = [JudgedQuery(f"{OWN}:{each.id}", each.text, each.judgments) for each in queries]
    return (*own, *typos(queries, rng), *needles(documents, rng))


def typos(queries: Sequence[JudgedQuery], rng: random.Random) -> list[JudgedQuery]:
    """Queries with one letter of one long word left out, doubled, replaced, or swapped with the next."""
    found = []
    for query in rng.sample(list(queries), len(queries)):
        words = [each for each in _WORD.finditer(query.text) if len(each[0]) >= _MIN_MISTYPED]
        words = [each for each in words if not _NO_SPACES.search(each[0])]
        if words:
            word = rng.choice(words)
            text = query.text[: word.start()] + _mistyped(word[0], rng) + query.text[word.end() :]
            found.append(JudgedQuery(f"{TYPO}:{query.id}", text, query.judgments))
    return found[:_TYPOS]


def _mistyped(word: str, rng: random.Random) -> str:
    """Another word, one edit away; the first letter stays, as in most typos."""
    while True:
        at = rng.randrange(1, len(word) - 1)
        letters = sorted(set(word.lower()))
        mistyped = rng.choice(
            (
                word[:at] + word[at + 1 :],
                word[: at + 1] + word[at:],
                word[:at] + rng.choice(letters) + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            )
        )
        if mistyped != word:
            return mistyped


def needles(documents: Sequence[JudgedDocument], rng: random.Random) -> list[JudgedQuery]:
    """Up to 50 of each kind, each in one document only, no two of a kind in the same one."""
    found = []
    for kind, strings_of in _STRINGS.items():
        owners: dict[str, set[str]] = defaultdict(set)
        for document in documents:
            for string in strings_of(f"{document.title}\n{document.text}", rng):
                owners[string].add(document.id)
        unique = [(next(iter(ids)), string) for string, ids in sorted(owners.items()) if len(ids) == 1]
        rng.shuffle(unique)
        by_document = dict(unique)
        haystack = [(document.id, f"{document.title}\n{document.text}".lower()) for document in documents]
        chosen = 0
        for document_id, string in by_document.items():
            if chosen == _PER_KIND:
                break
            # As part of a longer word, or in another case, it may stand elsewhere.
            if all(string.lower() not in text for id_, text in haystack if id_ != document_id):
                judgment = (Judgment(document_id),)
                found.append(JudgedQuery(f"{NEEDLE}:{kind}-{chosen}", string, judgment))
                chosen += 1
    return found


def _names(text: str, rng: random.Random) -> Iterable[str]:
    return (each for each in _NAME.findall(text) if all(word[0].isupper() for word in each.split()))


def _numbers(text: str, rng: random.Random) -> Iterable[str]:
    return (each for each in _NUMBER.findall(text) if len(each) >= _MIN_NUMBER)


def _words(text: str, rng: random.Random) -> Iterable[str]:
    return (
        each
        for each in _WORD.findall(text)
        if len(each) >= _MIN_RARE and each.islower() and not _NO_SPACES.search(each)
    )


def _phrases(text: str, rng: random.Random) -> Iterator[str]:
    """One run of six words, or of twelve characters in a script without spaces."""
    line = " ".join(text.split())
    words = list(_PHRASE_WORD.finditer(line))
    spaceless = _NO_SPACES.search(line)
    if spaceless and len(line) > _RUN_CHARACTERS:
        at = rng.randrange(len(line) - _RUN_CHARACTERS)
        yield line[at : at + _RUN_CHARACTERS]
    elif not spaceless and len(words) >= _PHRASE_WORDS:
        first = rng.randrange(len(words) - _PHRASE_WORDS + 1)
        yield line[words[first].start() : words[first + _PHRASE_WORDS - 1].end()]


_STRINGS: dict[str, Callable[[str, random.Random], Iterable[str]]] = {
    "name": _names,
    "number": _numbers,
    "word": _words,
    "phrase": _phrases,
}
