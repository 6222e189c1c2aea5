"""The words of a PDF page as pieces of lines, in drawn order. Pure; runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.extraction.pdf.words import Word

# Characters of scripts that are written without spaces.
SOLID = re.compile(r"[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(slots=True)
class Piece:
    """Words that stand close together on one line, in the order in which they are drawn.

    cells: of a row of a table whose cells have several lines, the pieces of each of them; `words` is empty then.
    """

    words: list[Word]
    x0: float
    x1: float
    y: float
    height: float
    order: int
    cells: tuple[tuple[Piece, ...], ...] = ()

    @property
    def characters(self) -> int:
        return sum(len(word.text) for word in self.all_words)

    @property
    def all_words(self) -> list[Word]:
        """Also those of the cells."""
        return [word for cell in self.cells for piece in cell for word in piece.words] or self.words


def pieces_of(words: Sequence[Word]) -> list[Piece]:
    """Neighbours that are drawn one after the other, on one line, without a wide gap; each of them once."""
    pieces: list[Piece] = []
    for word in words:
        if pieces and _continues(pieces[-1], word):
            piece = pieces[-1]
            piece.words.append(word)
            if word.x0 < piece.x0:
                piece.x0 = word.x0
            if word.x1 > piece.x1:
                piece.x1 = word.x1
            if word.height > piece.height:
                piece.height = word.height
        else:
            pieces.append(Piece([word], word.x0, word.x1, word.y, word.height, word.order))
    return _without_doubles(pieces)


def _continues(piece: Piece, word: Word) -> bool:
    before = piece.words[-1]
    height = before.height if before.height > word.height else word.height
    if abs(word.y - before.y) > 0.4 * height:
        return False
    if -0.1 < word.x0 - before.x1 < 0.9 * height:
        return True
    gap = max(word.x0 - before.x1, before.x0 - word.x1)
    overlap = min(word.x1, before.x1) - max(word.x0, before.x0)
    return gap < 0.9 * height and overlap < 0.5 * min(word.x1 - word.x0, before.x1 - before.x0) + 0.1


def _without_doubles(pieces: list[Piece]) -> list[Piece]:
    """The pieces without those that are drawn again at almost the same place, for bold letters or a shadow."""
    seen: dict[str, list[Piece]] = {}
    result = []
    for piece in pieces:
        same = seen.setdefault("".join(word.text for word in piece.words), [])
        near = 0.25 * piece.height
        if any(abs(each.x0 - piece.x0) < near and abs(each.y - piece.y) < near for each in same[-50:]):
            continue
        same.append(piece)
        result.append(piece)
    return result
