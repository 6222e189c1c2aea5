"""Chunks and their vectors. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Chunk:
    """A part of a document: `text` is the document's characters `start` to `end`; `recognised` in a picture or not.

    `page_label` is what stands on the page, like "iii", where that is not its number. `title` is the document's, where
    the chunk does not begin with it, and `language` the document's. `context` is what the model read before the text:
    it decides the vector, too. `since` is the seq that this text had in an earlier version of the document, if any.
    """

    seq: int
    document_id: str
    text: str
    start: int
    end: int
    page: int | None
    heading: str | None
    recognised: bool = False
    page_label: str | None = None
    title: str | None = None
    language: str | None = None
    context: str | None = None
    since: int | None = None

    @property
    def key(self) -> tuple[str | None, str]:
        """(context, text): what decides its vector."""
        return self.context, self.text

    @property
    def embedded(self) -> str:
        """What the model reads of it."""
        return (self.context or "") + self.text


@dataclass(frozen=True)
class VectorBlock:
    """Chunk vectors as the index takes them: seqs int64 (n,), rising; vectors float16 (n, dimension)."""

    seqs: NDArray[np.int64]
    vectors: NDArray[np.float16]
