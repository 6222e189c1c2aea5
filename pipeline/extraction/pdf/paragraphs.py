"""Joins the lines of a PDF page to paragraphs, and the words that are broken at their ends.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.extraction.pdf.layout import Line
from pipeline.extraction.pdf.words import SOLID

_MIN_LINE = 25  # characters of a line that another one goes on from
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")
_BROKEN = re.compile(r"(?P<head>[^\W_]+(?:[-\u2010\u2011'’][^\W_]+)*)(?P<mark>[-\u2010\xad])$")
_ITEM = re.compile(r"(?:[•▪■●○◦‣⁃∙·*–—-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])(?:\s|$)|[•▪■●○◦‣]")
# The dots before the number of a page in a table of contents.
_LEADERS = re.compile(r"\s?(?:[.…·]\s?){5,}(?P<number>[\w.–-]{1,9})$")
# An address that the end of a line may break, and what may be the rest of it.
_ADDRESS = re.compile(r"\w://(?:\S*[/?&=#%_.])?$")
_ADDRESS_REST = re.compile(r"[^\s/=?&_%.]+[/=?&_%.]\w")
_PARTS = 8  # of the text so far: the lines that a long address may take, and what separates them
# A word that is broken after one of these keeps its hyphen, unless an ending follows: "well-known", "high-est".
_PREFIXES = frozenset(["all", "cross", "half", "high", "long", "low", "self", "short", "well"])
_ENDINGS = frozenset(
    ["age", "ed", "en", "er", "ers", "est", "ing", "ings", "ish", "less", "ly", "ment", "ness", "s"]
)
_MIN_WORD = 4  # letters of each part of a compound that is told by its parts


class Vocabulary:
    """The words of a document, without those that are broken at the ends of lines: evidence for how to join these."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._words: set[str] = set()
        for line in lines:
            words = _WORD.findall(line.text.lower())
            self._words.update(words[:-1] if _BROKEN.search(line.text) else words)

    @property
    def english(self) -> bool:
        """English writes many compounds with a hyphen."""
        return {"the", "and", "of"} <= self._words

    def __contains__(self, word: str) -> bool:
        return word.lower().replace("\u2010", "-").replace("\u2011", "-") in self._words


def joined(head: str, mark: str, tail: str, vocabulary: Vocabulary) -> str:
    """The word that a line's end broke into `head` and `tail`; `mark` is the hyphen between."""
    if mark == "\xad":
        return head + tail
    hyphenated, solid = f"{head}-{tail}", head + tail
    if not tail[0].islower() or not head[-1].isalpha():
        return hyphenated
    if solid in vocabulary:
        return solid
    last = re.split("[-\u2010\u2011]", head)[-1].lower()
    if hyphenated in vocabulary or len(last) == 1 or last != head.lower():
        return hyphenated
    if last in _PREFIXES and tail not in _ENDINGS:
        return hyphenated
    long = min(len(last), len(tail)) >= _MIN_WORD
    return hyphenated if long and vocabulary.english and last in vocabulary and tail in vocabulary else solid


class _Joiner:
    """Lines of a page in order, written one after the other."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.parts: list[str] = []

    def add(self, text: str, separator: str, goes_on: bool = True) -> None:
        """Add a line after `separator`, or directly after the broken word that it ends; `goes_on`: it may end one."""
        broken = _BROKEN.search(self.parts[-1]) if self.parts and goes_on else None
        tail = re.match(r"[^\W_]+", text) if broken else None
        if broken is None or tail is None:
            self.parts += [separator, text] if self.parts else [text]
            return
        word = joined(broken["head"], broken["mark"], tail[0], self._vocabulary)
        # A broken word shows that the paragraph goes on, however long the line is.
        self.parts[-1] = self.parts[-1][: broken.start()] + word + text[tail.end() :]


def text_of(lines: Sequence[Line], vocabulary: Vocabulary) -> str:
    """The lines of a page as text: a paragraph on one line, an empty line between blocks."""
    joiner = _Joiner(vocabulary)
    last: Line | None = None
    for group in _same_style(lines):
        left, right = min(line.x0 for line in group), max(line.x1 for line in group)
        before: Line | None = None
        for line in group:
            in_row = _in_one_row(last, line)
            if before is None:
                separator = " " if in_row else "\n"
            elif in_row or (
                _goes_on(before, line, left, right) and not (len(group) == 2 and line.text[0].isupper())
            ):
                separator = "" if _is_one_word("".join(joiner.parts[-_PARTS:]), line.text) else " "
            else:
                separator = "\n"
            text = _LEADERS.sub(r" ... \g<number>", line.text)
            joiner.add(text, separator, goes_on=before is not None or not in_row)
            last = before = line
    return "".join(joiner.parts).replace("\xad", "")


def join_across_pages(bodies: list[str], vocabulary: Vocabulary) -> None:
    """Move the rest of a word that the end of a page broke to the page where it begins."""
    for at in range(len(bodies) - 1):
        broken = _BROKEN.search(bodies[at])
        tail = re.match(r"[^\W\d_]+[^\s]*", bodies[at + 1])
        if broken is None or tail is None or not tail[0][0].islower():
            continue
        word = re.match(r"[^\W\d_]+", tail[0])
        assert word is not None
        whole = joined(broken["head"], broken["mark"], word[0], vocabulary) + tail[0][word.end() :]
        bodies[at] = bodies[at][: broken.start()] + whole
        bodies[at + 1] = bodies[at + 1][tail.end() :].lstrip()


def _same_style(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines in groups of one block, one size and one distance between lines."""
    groups: list[list[Line]] = []
    for line in lines:
        before = groups[-1][-1] if groups else None
        if (
            before is not None
            and before.block == line.block
            and before.direction == line.direction
            and abs(before.height - line.height) < 0.15 * line.height
            and 0.3 * line.height < before.y - line.y < 1.9 * line.height
        ):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _in_one_row(before: Line | None, line: Line) -> bool:
    """Whether both are of one row of a table, which is a line of the text but for the items of lists in its cells."""
    return before is not None and 0 < before.row == line.row and not _ITEM.match(line.text)


def _is_one_word(before: str, text: str) -> bool:
    """Whether no space stood where a line was broken: in scripts without spaces, and in a long address."""
    if _ADDRESS.search(before):
        return _ADDRESS_REST.match(text) is not None
    return SOLID.match(before[-1]) is not None and SOLID.match(text[0]) is not None


def _goes_on(before: Line, line: Line, left: float, right: float) -> bool:
    """Whether the paragraph of `before` goes on in `line`: its first word had no room on the line before."""
    if len(before.cells) > 1 or len(line.cells) > 1 or _ITEM.match(line.text):
        return False
    least = _MIN_LINE // 2 if SOLID.search(before.text) else _MIN_LINE
    if len(before.text) < least:
        return False
    if line.rtl != before.rtl or _LEADERS.search(before.text):
        return False
    if line.rtl:
        return before.x0 - left < line.first_word + 0.4 * line.height
    indented = line.x0 - before.x0
    hanging = _ITEM.match(before.text) is not None and indented < 4 * line.height
    if indented > 0.8 * line.height and not hanging:
        return False
    return right - before.x1 < line.first_word + 0.4 * line.height
