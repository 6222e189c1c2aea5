"""Light stemming: the forms under which inflected words meet. Pure."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import regex
import Stemmer

from semantik.analysis.folding import exact, folded

# Snowball's algorithms by ISO 639-1.
ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

# A stemmer keeps state while it works, so two threads must not share one.
_local = threading.local()

# "And the", "so the": Snowball removes either prefix of an Arabic word, but not both together.
_AND_THE = ("وال", "فال")
_LONG_ENOUGH = 5
_LONG_ENOUGH_IN_HEBREW = 4  # a noun of three letters and its prefix
# The vowels of Indic scripts are marks.
_WORD = regex.compile(r"[\p{L}\p{M}]+")


def _without_prefix(word: str) -> str:
    """A Hebrew word without "and", and without "the", "in", "to", "as" or "that", if enough is left to be a word."""
    for prefixes in ("ו", "הבלכש"):
        if len(word) >= _LONG_ENOUGH_IN_HEBREW and word[0] in prefixes:
            word = word[1:]
    return word


def stem(word: str, language: str) -> str:
    """The stem of a word in lower case; the word itself in a language without a stemmer, and if it has digits."""
    if language == "he":
        return _without_prefix(word)
    algorithm = ALGORITHMS.get(language)
    if algorithm is None or len(word) < 3 or not (word.isalpha() or _WORD.fullmatch(word)):
        return word
    stemmers: dict[str, Stemmer.Stemmer] = _local.__dict__.setdefault("stemmers", {})
    if algorithm not in stemmers:
        stemmers[algorithm] = Stemmer.Stemmer(algorithm, 0)
    if language == "ar" and word.startswith(_AND_THE) and len(word) > _LONG_ENOUGH:
        word = word[1:]
    found: str = stemmers[algorithm].stemWord(word)
    return found or word


@lru_cache(maxsize=4096)
def forms(word: str, exact: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The stems of a word in these languages, each once, without the word itself.

    Stemmers know endings by their accents, and people leave accents out: the stem of the exact spelling is folded, and
    that of the folded one is added.
    """
    found: dict[str, None] = {}
    for language in languages:
        found[stem(word, language)] = None
        if exact != word and (exact.isalpha() or _WORD.fullmatch(exact)):
            found[folded(stem(exact, language))] = None
    found.pop(word, None)
    return tuple(found)


def stems(word: str, languages: Sequence[str]) -> list[str]:
    """The stems of a word in these languages (ISO 639-1), each once, without the folded word itself."""
    spelled = exact(word)
    return list(forms(folded(spelled), spelled, tuple(languages)))
