"""Folding: the spelling of a word in which differences of case, accents and vowel marks are gone. Pure."""

from __future__ import annotations

import re
import unicodedata

import regex

from semantik.core.normalization import is_normalized, normalized

# Letters that Unicode does not decompose, though people type them without their stroke or as two letters.
_LETTERS = str.maketrans(
    {
        "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŧ": "t",
        "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ھ": "ه", "ۀ": "ه", "ـ": "",
        "’": "'", "ʼ": "'", "‐": "-", "ґ": "г", "ँ": "ं",
    }
)  # fmt: skip

# Marks that are dropped, in NFD: accents of Latin and Greek letters; in Cyrillic the stress and the dots of ё (й, ї,
# ѓ and ќ are letters of their own); the vowel and hamza marks of Arabic; the points of Hebrew; the dot that makes
# borrowed letters of Devanagari. Marks of all other scripts are vowels or change the consonant, and stay.
_MARKS = regex.compile(
    r"(?<=[\p{Latin}\p{Greek}]\p{M}*)\p{M}|(?<=е)\u0308|(?<=[аеиоуыэюяєіїё])[\u0300\u0301]"
    r"|[\u064B-\u065F\u0670\u06D6-\u06ED\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u093C]"
)

# Devanagari writes a nasal before a consonant of its own place as that letter or as a dot: हिन्दी, हिंदी.
_VIRAMA = "\u094d"
_NASAL = re.compile(
    "(?:ङ\u094d(?=[क-घ])|ञ\u094d(?=[च-झ])|ण\u094d(?=[ट-ढ])|न\u094d(?=[त-ध])|म\u094d(?=[प-भ]))"
)

_DIGIT = regex.compile(r"(?![0-9])\p{Nd}")
_CLUSTER = regex.compile(r"\X")


def folded(word: str) -> str:
    """`word`, which is in NFKC, without case, accents and vowel marks; digits of all scripts become 0 to 9."""
    if word.isascii():
        return word.lower()
    plain = _MARKS.sub("", unicodedata.normalize("NFD", word.casefold()))
    plain = unicodedata.normalize("NFC", plain).translate(_LETTERS)
    if _VIRAMA in plain:
        plain = _NASAL.sub("ं", plain)
    digits: str = _DIGIT.sub(_digit, plain)
    return digits or word  # a lone mark stays


def _digit(found: regex.Match[str]) -> str:
    # regex knows a later Unicode than Python, and thus digits that Python does not.
    value = unicodedata.decimal(found[0], None)
    return found[0] if value is None else str(value)


def exact(word: str) -> str:
    """`word`, which is in NFKC, in lower case, with its accents."""
    return word.lower().replace("’", "'").replace("‐", "-")


class Aligned:
    """A text in NFKC without invisible characters, that knows where each character came from."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, original: str) -> None:
        self._starts: list[int] | None = None
        self._ends: list[int] | None = None
        if is_normalized(original):
            self.text = original
            return
        self._starts, self._ends, pieces = [], [], []
        for cluster in _CLUSTER.finditer(original):
            piece = normalized(cluster[0])
            pieces.append(piece)
            self._starts += [cluster.start()] * len(piece)
            self._ends += [cluster.end()] * len(piece)
        self.text = "".join(pieces)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters `start` to `end` (at least one) of the normalised text stand in the original."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]
