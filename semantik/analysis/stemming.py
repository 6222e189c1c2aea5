"""Light stemming: the forms under which inflected words meet. Pure."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import Stemmer

from semantik.analysis.folding import exact, folded
from semantik.analysis.language_profiles import ARABIC, CYRILLIC, DEVANAGARI, LATIN

# Snowball's algorithms by ISO 639-1.
ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

_LONGEST_SHORT = 4
_SHORT = frozenset(
    folded(word)
    for profiles in (LATIN, CYRILLIC, ARABIC, DEVANAGARI)
    for words in profiles.values()
    for word in words.split()
    if len(word) <= _LONGEST_SHORT
)

# A stemmer keeps state while it works, so two threads must not share one.
_local = threading.local()


def has_stem(word: str) -> bool:
    """Whether a folded word is stored in `stems`, too: those of letters are, but for frequent short ones.

    Half of a text are words such as "the", which have no endings worth anything: that they are left out, in texts and
    questions of all languages alike, makes the field half as large.
    """
    return word.isalpha() and word not in _SHORT


def stem(word: str, language: str) -> str:
    """The stem of a word in lower case; the word itself in a language without a stemmer, and if it has digits."""
    algorithm = ALGORITHMS.get(language)
    if algorithm is None or len(word) < 3 or not word.isalpha():
        return word
    stemmers: dict[str, Stemmer.Stemmer] = _local.__dict__.setdefault("stemmers", {})
    if algorithm not in stemmers:
        stemmers[algorithm] = Stemmer.Stemmer(algorithm, 0)
    found: str = stemmers[algorithm].stemWord(word)
    return found or word


@lru_cache(maxsize=4096)
def forms(word: str, exact: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The stems of a word in these languages, each once; the word itself where it is its own stem.

    Stemmers know endings by their accents, and people leave accents out: the stem of the exact spelling is folded, and
    that of the folded one is added.
    """
    found: dict[str, None] = {}
    for language in languages:
        found[stem(word, language)] = None
        if exact != word and exact.isalpha():
            found[folded(stem(exact, language))] = None
    return tuple(found)


@lru_cache(maxsize=1024)
def query_forms(word: str, exact: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The stems of a word of a question, each once: of the spelling as typed, since texts are stored with both."""
    spelled = exact if exact.isalpha() else word
    return tuple(dict.fromkeys(folded(stem(spelled, language)) for language in languages))


def stems(word: str, languages: Sequence[str]) -> list[str]:
    """The stems of a word in these languages (ISO 639-1), each once, without the folded word itself."""
    spelled = exact(word)
    plain = folded(spelled)
    return [each for each in query_forms(plain, spelled, tuple(languages)) if each != plain]
