"""What a chunk does not say itself: the title of its document and the headings above it. Pure; in the worker processes.

Knows nothing of files or models.
"""

from __future__ import annotations

import re

from semantik.core.normalization import normalized

_MAX_TITLE = 200  # characters: it is stored with each chunk
_WORDS = re.compile(r"[^\W_]+")


class ChunkContext:
    """For the chunks of one document with this title."""

    def __init__(self, title: str | None) -> None:
        title = " ".join((title or "").split())
        self._title = title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1].rstrip() + "…"
        self._words = _words(title[:_MAX_TITLE])

    def title(self, heading: str | None, text: str) -> str | None:
        """The title, if neither the heading path nor the beginning of the chunk's text says it."""
        if not self._words.strip() or self._words in _words(heading or ""):
            return None
        return None if self._words in _words(text[: 2 * len(self._title) + 20]) else self._title


def _words(text: str) -> str:
    """The words in lower case, with a space around each."""
    return f" {' '.join(_WORDS.findall(normalized(text).casefold()))} "
