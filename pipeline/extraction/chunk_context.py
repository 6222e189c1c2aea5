"""What a chunk does not say itself: the title of its document and the headings above it. Pure; in the worker processes.

The model reads both before the chunk's text, on a line each. Knows nothing of files or models; the tokenizer is an
argument.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from pipeline.extraction.outline import PATH_SEPARATOR
from semantik.core.normalization import normalized

MAX_TOKENS = (
    48  # of a chunk's context; with a chunk of 200 tokens they are within the 254 of the bundled model
)
_MAX_SHARE = 0.25  # of what the model reads
_MAX_TITLE = 200  # characters: it is stored with each chunk
_BEGINNING = 400  # characters of a chunk in which a title or heading is looked for
_WORDS = re.compile(r"[^\W_]+")


class ChunkContext:
    """For the chunks of one document with this title; `model_tokens` is how many tokens the model reads."""

    def __init__(self, title: str | None, tokenizer: Any, model_tokens: int) -> None:
        title = " ".join((title or "").split())
        self._title = title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1].rstrip() + "…"
        self._words = _words(title[:_MAX_TITLE])
        self._tokenizer = tokenizer
        self.max_tokens = min(MAX_TOKENS, int(model_tokens * _MAX_SHARE))
        self._shortened = functools.lru_cache(maxsize=64)(self._shorten)

    def title(self, heading: str | None, text: str) -> str | None:
        """The title, if neither the heading path nor the beginning of the chunk's text says it."""
        if not self._words.strip() or self._words in _words(heading or ""):
            return None
        return None if self._words in _words(text[: 2 * len(self._title) + 20]) else self._title

    def text(self, title: str | None, heading: str | None, text: str) -> str | None:
        """What the model reads before `text`, of at most `max_tokens`: what of title and headings `text` does not say
        at its beginning."""
        headings: tuple[str, ...] = ()
        if heading:
            beginning = _words(text[:_BEGINNING])
            headings = tuple(each for each in heading.split(PATH_SEPARATOR) if _words(each) not in beginning)
        return self._shortened(title, headings) if title or headings else None

    def _shorten(self, title: str | None, headings: tuple[str, ...]) -> str | None:
        """The lowest headings say most of a chunk: the upper ones are left out first, then the ends of title and
        lowest heading."""
        room = self.max_tokens
        reserved = min(self._count(f"{title}\n"), room // 2) if title else 0
        lowest: list[str] = []
        for each in reversed(headings):
            if self._count(PATH_SEPARATOR.join([each, *lowest])) > room - reserved:
                break
            lowest.insert(0, each)
        if headings and not lowest:
            lowest = [self._cut(headings[-1], room - reserved)]
        path = PATH_SEPARATOR.join(lowest)
        parts = [self._cut(title, room - self._count(path)) if title else "", path]
        return "".join(f"{each}\n" for each in parts if each) or None

    def _cut(self, title: str, room: int) -> str:
        """The title, without the words that are too many."""
        while title and self._count(f"{title}\n") > room:
            title = title.rpartition(" ")[0]
        return title

    def _count(self, text: str) -> int:
        """With the characters between two parts, which are tokens of some models."""
        return len(self._tokenizer.encode(normalized(text), add_special_tokens=False))


def _words(text: str) -> str:
    """The words in lower case, with a space around each."""
    return f" {' '.join(_WORDS.findall(normalized(text).casefold()))} "
