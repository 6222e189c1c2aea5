"""Takes a text apart into sentences and the numbers that they cite, while it is still being written. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_CHARS = 4000  # a longer sentence is cut
_CITATION = re.compile(r"\s*[\[【](\d{1,3}(?:\s*[,;]\s*\d{1,3})*)[\]】]")
_END = re.compile(r"[.!?…]+[\"”’»)*_]*|[。！？]+[”』」]*|\n+")
_OPEN = re.compile(r"\s*[\[【][\d,;\s]*\Z")  # perhaps the beginning of a citation
_LAST_WORD = re.compile(r"(\w[\w.]*)\.\Z")
_ABBREVIATIONS = re.compile(
    r"(approx|bzw|ca|cf|dr|e\.g|eg|etc|fig|i\.e|ie|inc|jr|ltd|mrs?|ms|no|nr|pp?|prof|sr|st|u\.a|vol|vs|z\.b)\Z",
    re.I,
)
_BEFORE_PUNCTUATION = re.compile(r"\s+([.,;:!?…])")


@dataclass(frozen=True)
class CitedText:
    """A sentence without its citations, and their numbers, each once."""

    text: str
    numbers: tuple[int, ...]


class SentenceSplitter:
    """Give it pieces of a text with `feed`, and call `end` after the last one."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, piece: str) -> list[CitedText]:
        """The sentences that are complete now. A citation may come before the full stop or after it."""
        self._text += piece
        found = []
        while (end := _boundary(self._text)) is not None:
            found.append(self._text[:end])
            self._text = self._text[end:]
        return _cited(found)

    def end(self) -> list[CitedText]:
        """What is left, as one sentence or none."""
        rest, self._text = self._text, ""
        return _cited([rest])


def _boundary(text: str) -> int | None:
    """Where the first sentence ends, with the citations after it; None while that is not known."""
    for mark in _END.finditer(text):
        end = mark.end()
        cited = False
        while citation := _CITATION.match(text, end):
            end, cited = citation.end(), True
        rest = text[end:]
        if _OPEN.match(rest) or (not rest.strip() and "\n" not in rest):
            break  # the next piece decides
        if "\n" in mark[0] or cited or _ends_sentence(text[: mark.end()], mark[0], rest):
            return end
    return _MAX_CHARS if len(text) > _MAX_CHARS else None


def _ends_sentence(before: str, mark: str, rest: str) -> bool:
    if mark[0] in "。！？":
        return True
    if not rest[0].isspace():  # 3.5, example.org
        return False
    if rest.lstrip()[:1].islower():
        return False
    word = _LAST_WORD.search(before) if mark == "." else None
    return word is None or not (_ABBREVIATIONS.match(word[1]) or _is_initial(word[1]))


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha() and word.isupper()


def _cited(texts: list[str]) -> list[CitedText]:
    found = []
    for text in texts:
        numbers = [int(each) for group in _CITATION.findall(text) for each in re.findall(r"\d+", group)]
        plain = _BEFORE_PUNCTUATION.sub(r"\1", _CITATION.sub("", text)).strip()
        if any(character.isalnum() for character in plain):
            found.append(CitedText(plain, tuple(dict.fromkeys(numbers))))
    return found
