"""The words of a PDF page as pieces of lines, in drawn order. Pure; runs in the worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.extraction.pdf.words import Word

_INITIAL = 2  # characters, as a quotation mark may stand before the letter
_HIGH = 1.8  # lines: an initial is higher
_MAX_INITIALS = 20  # of a page
_WIDEST = 4.0  # of a line's height, between the words of justified text


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
    return _with_justified(_with_initials(_without_doubles(pieces)))


def _continues(piece: Piece, word: Word) -> bool:
    before = piece.words[-1]
    high, low = (before, word) if before.height > word.height else (word, before)
    height = high.height
    # Beside an initial that is as high as several lines, only the line of its foot goes on.
    initial = height > _HIGH * low.height and _is_capital(high.text)
    if abs(word.y - before.y) > 0.4 * (low.height if initial else height):
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


def _with_initials(pieces: list[Piece]) -> list[Piece]:
    """The pieces, where an initial that is as high as several lines belongs to the first of them."""
    initials = [piece for piece in pieces if _may_be_initial(piece)]
    taken = set()
    for initial in initials[:_MAX_INITIALS]:
        beside = [piece for piece in pieces if _is_beside(initial, piece)]
        if beside:
            first = max(beside, key=lambda piece: piece.y)
            word = first.words[0]
            first.words[0] = replace(word, text=initial.words[0].text + word.text)
            taken.add(id(initial))
    return [piece for piece in pieces if id(piece) not in taken]


def _may_be_initial(piece: Piece) -> bool:
    return len(piece.words) == 1 and _is_capital(piece.words[0].text)


def _is_capital(text: str) -> bool:
    return len(text) <= _INITIAL and text[-1].isupper()


def _is_beside(initial: Piece, piece: Piece) -> bool:
    """Whether a line begins close to an initial, and above its base line."""
    high = piece.height
    return (
        initial.height > _HIGH * high
        and -0.5 * high < piece.x0 - initial.x1 < 1.5 * high
        and 0.6 * high < piece.y - initial.y < initial.height
        and piece.words[0].text[0].isalpha()
    )


def _with_justified(pieces: list[Piece]) -> list[Piece]:
    """The pieces, where words that a line of justified text spaces widely, but equally, are one piece."""
    result: list[Piece] = []
    run: list[Piece] = []
    for piece in pieces:
        if run and not _may_be_justified(run, piece):
            result += _merged(run)
            run = []
        run.append(piece)
    return result + _merged(run)


def _may_be_justified(run: list[Piece], piece: Piece) -> bool:
    before, height = run[-1], piece.height
    gap = piece.x0 - before.x1
    return (
        len(piece.words) == 1 == len(before.words)
        and abs(piece.y - before.y) < 0.1 * height
        and 0 < gap < _WIDEST * height
        and (len(run) == 1 or abs(gap - (before.x0 - run[-2].x1)) < 0.1 * height)
    )


def _merged(run: list[Piece]) -> list[Piece]:
    """The run as one piece; words of equal widths at equal distances are cells of a table."""
    widths = [piece.x1 - piece.x0 for piece in run]
    if len(run) < 3 or max(widths) - min(widths) < run[0].height:
        return run
    first, last = run[0], run[-1]
    words = [piece.words[0] for piece in run]
    return [Piece(words, first.x0, last.x1, first.y, max(piece.height for piece in run), first.order)]
