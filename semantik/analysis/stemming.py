"""Light stemming: the forms under which inflected words meet. Pure."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import Stemmer

# Snowball's algorithms by ISO 639-1.
ALGORITHMS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch", "en": "english",
    "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi",
    "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "no": "norwegian", "nb": "norwegian", "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

# A stemmer keeps state while it works, so two threads must not share one.
_local = threading.local()


def stem(word: str, language: str) -> str:
    """The stem of a folded word; the word itself in a language without a stemmer, and if it has digits."""
    algorithm = ALGORITHMS.get(language)
    if algorithm is None or len(word) < 3 or not word.isalpha():
        return word
    stemmers: dict[str, Stemmer.Stemmer] = _local.__dict__.setdefault("stemmers", {})
    if algorithm not in stemmers:
        stemmers[algorithm] = Stemmer.Stemmer(algorithm, 0)
    found: str = stemmers[algorithm].stemWord(word)
    return found or word


@lru_cache(maxsize=4096)
def _stems(word: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    found = dict.fromkeys(stem(word, language) for language in languages)
    return tuple(each for each in found if each != word)


def stems(word: str, languages: Sequence[str]) -> list[str]:
    """The stems of a folded word in these languages (ISO 639-1), each once, without the word itself."""
    return list(_stems(word, tuple(languages)))
