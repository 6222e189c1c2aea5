"""Compares two texts of the same file word by word: how many words one of them lost, and how many it added.

The order of the words does not count. Hyphens are left out of both texts, since one program joins a word that the end
of a line breaks, and another one does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

# Characters of scripts without spaces are words of their own.
_SOLID = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"(?=\w)[{_SOLID}]|[^\W_{_SOLID}]+")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\xad\u2010\u2011]\s*(?=[^\W\d_])")
_INVISIBLE = re.compile(r"[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class WordDifference:
    """The words of a reference text, and those lost from it and added to it by another text."""

    words: int
    lost: Counter[str]
    added: Counter[str]

    @property
    def lost_percent(self) -> float:
        return 100 * self.lost.total() / max(self.words, 1)

    @property
    def added_percent(self) -> float:
        return 100 * self.added.total() / max(self.words, 1)

    @property
    def total(self) -> int:
        """All words that only one of the texts has."""
        return self.lost.total() + self.added.total()


def words(text: str) -> Counter[str]:
    """The words of a text, normalised, with their numbers."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return Counter(_WORD.findall(_HYPHEN.sub("", plain).casefold()))


def word_difference(reference: str, text: str) -> WordDifference:
    """What `text` lost of the words of `reference`, and what it added."""
    expected, found = words(reference), words(text)
    return WordDifference(expected.total(), expected - found, found - expected)


def without_running_lines(pages: list[str]) -> str:
    """The pages of a reference without lines that at least three of them begin or end with, numbers aside."""
    edges: Counter[str] = Counter()
    split = [[line.strip() for line in page.split("\n") if line.strip()] for page in pages]
    for lines in split:
        edges.update({re.sub(r"\d+|\b[ivxl]+\b", "#", line) for line in lines[:3] + lines[-3:]})
    kept = []
    for lines in split:
        for at, line in enumerate(lines):
            outer = at < 3 or at >= len(lines) - 3
            if not (outer and edges[re.sub(r"\d+|\b[ivxl]+\b", "#", line)] >= 3):
                kept.append(line)
    return "\n".join(kept)
