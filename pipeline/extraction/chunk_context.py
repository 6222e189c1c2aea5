"""What a chunk does not say itself: the title of its document and the headings above it. Pure; in the worker processes.

The model reads them before the chunk's text, on a line each. Knows nothing of files or models; the tokenizer is an
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
_SITE = re.compile(
    r"\s[|·–—-]\s"
)  # what follows is the name of a site or a product, as in "Install | Semantik 3.1"
_WORDS = re.compile(r"[^\W_]+")


class ChunkContext:
    """For the chunks of one document with this title; `model_tokens` is how many tokens the model reads."""

    def __init__(self, title: str | None, tokenizer: Any, model_tokens: int) -> None:
        title = " ".join((title or "").split())
        self._title = title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1].rstrip() + "…"
        self._words = _words(_SITE.split(title[:_MAX_TITLE])[0]) if title else ""
        self._tokenizer = tokenizer
        self.max_tokens = min(MAX_TOKENS, int(model_tokens * _MAX_SHARE))
        self._shortened = functools.lru_cache(maxsize=64)(self._shorten)

    def title(self, heading: str | None, text: str) -> str | None:
        """The title, if neither the heading path nor the beginning of the chunk's text says it."""
        if not self._words.strip() or self._words in _words(heading or ""):
            return None
        return None if self._words in _words(text[: 2 * len(self._title) + 20]) else self._title

    def text(self, title: str | None, heading: str | None, text: str) -> str | None:
        """What the model reads before `text`, of at most `max_tokens`: what `text` does not say at its beginning.

        That is the title, or else the highest heading; and the lowest heading. Those between say little for their
        tokens, each of which takes its time.
        """
        parts = heading.split(PATH_SEPARATOR) if heading else []
        top = [title] if title else parts[:1]
        beginning = _words(text[:_BEGINNING])
        lines = tuple(dict.fromkeys(each for each in top + parts[-1:] if _words(each) not in beginning))
        return self._shortened(lines) if lines else None

    def _shorten(self, lines: tuple[str, ...]) -> str | None:
        """The lines, of which the first one has as many tokens as the other one leaves it, but half of all at least."""
        lowest = self._cut(lines[-1], self.max_tokens // len(lines))
        room = self.max_tokens - self._count(lowest)
        return "".join([*(self._cut(each, room) for each in lines[:-1]), lowest]) or None

    def _cut(self, line: str, room: int) -> str:
        """The line with its end, without the words that are too many."""
        while line and self._count(f"{line}\n") > room:
            line = line.rpartition(" ")[0]
        return f"{line}\n" if line else ""

    def _count(self, text: str) -> int:
        """With the characters between two lines, which are tokens of some models."""
        return len(self._tokenizer.encode(normalized(text), add_special_tokens=False))


def _words(text: str) -> str:
    """The words in lower case, with a space around each."""
    return f" {' '.join(_WORDS.findall(normalized(text).casefold()))} "
