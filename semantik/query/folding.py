"""Spellings in which titles and paths are compared with what is typed. Pure."""

from __future__ import annotations

import unicodedata

import regex

from semantik.analysis.folding import folded
from semantik.core.normalization import normalized

_BETWEEN_WORDS = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_WITHOUT_SPACES = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


def words_key(text: str) -> str:
    """The words of a text without case and accents, with one space before each and one at the end."""
    words = _BETWEEN_WORDS.sub(" ", folded(normalized(text))).strip()
    return f" {words} " if words else " "


def words_pattern(typed: str) -> str:
    """What the `words_key` of a text contains if the text has these words side by side; `heat*` begins a word."""
    key = words_key(typed)
    if _WITHOUT_SPACES.search(key):  # its words are not known
        return key.strip()
    return key.rstrip() if typed.rstrip().endswith("*") else key


def path_key(path: str) -> str:
    """A path without case, its letters composed: some systems store accents apart from their letters."""
    return unicodedata.normalize("NFC", path).casefold()
