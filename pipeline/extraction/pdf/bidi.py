"""The text of a line that has letters of a right-to-left script, in logical order. Pure; runs in the worker processes.

PDF draws such letters at their places, so their order is found by the Unicode bidirectional algorithm turned round.
What that leaves open is taken as people mostly write it: "Version 2.1" is one run from left to right.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from pipeline.extraction.pdf.words import Glyph, Word

GlyphsOf = Callable[[Word], Sequence[Glyph]]
"""The glyphs of a word, in the order in which PDFium finds them."""

_SAME = 0.02  # points between the edges of characters that are one glyph
_BRACKETS = ("()", "[]", "{}", "«»", "‹›")


@dataclass(slots=True)
class _Cluster:
    """A glyph with its characters and the marks on it. kind: of what is here, one of the letters L, R, 0 and N."""

    text: str
    x0: float
    x1: float
    word: Word
    kind: str
    marks: list[str] = field(default_factory=list)

    @property
    def whole(self) -> str:
        return unicodedata.normalize("NFC", self.text + "".join(self.marks)) if self.marks else self.text


def cells(words: Sequence[Word], glyphs_of: GlyphsOf, page_rtl: bool) -> tuple[tuple[str, ...], bool]:
    """The texts between the wide gaps of a line, and whether the line runs from right to left."""
    clusters = sorted(_clusters(words, glyphs_of), key=lambda cluster: cluster.x0 + cluster.x1)
    right = sum(cluster.kind == "R" for cluster in clusters)
    left = sum(cluster.kind == "L" for cluster in clusters)
    rtl = right * 1.5 >= left if page_rtl else right > left
    height = max(word.height for word in words)
    parts: list[list[_Cluster]] = [[]]
    before: _Cluster | None = None
    written = False  # whether a space is written since `before`
    for cluster in clusters:
        if cluster.text == " ":
            written = True
            continue
        if before is not None:
            gap = (cluster.x0 - before.x1) / height
            if gap > 0.9:
                parts.append([])
            elif _gap_is_space(before, cluster, gap, written):
                parts[-1].append(_Cluster(" ", before.x1, cluster.x0, cluster.word, "N"))
        parts[-1].append(cluster)
        before, written = cluster, False
    texts = [_with_brackets(_logical(part, rtl)).strip() for part in parts]
    return tuple(reversed(texts) if rtl else texts), rtl


def _gap_is_space(before: _Cluster, cluster: _Cluster, gap: float, written: bool) -> bool:
    """Some programs write spaces; the gaps that others leave may be as narrow as those of letters that do not join."""
    if written:
        return gap > 0.03
    if before.word is cluster.word:
        return gap > 0.2
    return gap > (0.12 if "N" in (before.kind, cluster.kind) else 0.07)


def _clusters(words: Sequence[Word], glyphs_of: GlyphsOf) -> list[_Cluster]:
    clusters: list[_Cluster] = []
    alone: list[Glyph] = []  # marks that PDFium takes for words
    for word in words:
        if word.typed:
            clusters.append(_Cluster(word.text, word.x0, word.x1, word, "R" if word.rtl else "L"))
            continue
        first = len(clusters)
        marks: list[Glyph] = []
        before: Glyph | None = None
        for glyph in glyphs_of(word):
            one = before is not None and glyph.x1 > glyph.x0 and _same_place(glyph, before)
            before = glyph
            if one and clusters[first:]:
                clusters[-1].text += glyph.text
            elif unicodedata.category(glyph.text[0]) == "Mn":
                marks.append(glyph)
            else:
                clusters.append(_Cluster(glyph.text, glyph.x0, glyph.x1, word, _kind(glyph.text)))
        near = clusters[first:]
        for cluster in near:
            cluster.text = _ligature(cluster.text)
        if any(cluster.kind == "R" for cluster in near):
            _attach(marks, near)
        else:
            alone += marks
    _attach(alone, clusters)
    return clusters


def _same_place(glyph: Glyph, other: Glyph) -> bool:
    return abs(glyph.x0 - other.x0) < _SAME and abs(glyph.x1 - other.x1) < _SAME


def _attach(marks: Sequence[Glyph], clusters: Sequence[_Cluster]) -> None:
    """Add each mark to the letter on which it stands, or at whose left side it stands where it has its own place."""
    letters = [cluster for cluster in clusters if cluster.kind == "R"]
    for mark in sorted(marks, key=lambda mark: -mark.x1) if letters else ():
        middle = (mark.x0 + mark.x1) / 2
        base = min(letters, key=lambda each: max(each.x0 - middle, 2 * (middle - each.x1), 0.0))
        base.marks.append(mark.text)
        if base.x0 - 0.1 <= mark.x1 and mark.x0 < base.x0:
            base.x0 = mark.x0


@cache
def _ligatures() -> frozenset[str]:
    """The letters of every ligature that Unicode has as a character of its own."""
    forms = (unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB1D, 0xFEFD))
    return frozenset(form for form in forms if len(form) > 1)


def _ligature(text: str) -> str:
    """The characters of one glyph in logical order.

    PDFium turns them round with the line, unless the font names a single character for them.
    """
    if len(text) == 1 or text in _ligatures() or not all(map(_turns, text)):
        return text
    return text[::-1]


def _turns(character: str) -> bool:
    return _kind(character) == "R" or unicodedata.category(character) == "Mn"


def _kind(text: str) -> str:
    bidirectional = unicodedata.bidirectional(text[0])
    if bidirectional in ("R", "AL"):
        return "R"
    if bidirectional in ("EN", "AN"):
        return "0"
    return "L" if bidirectional == "L" else "N"


def _logical(clusters: list[_Cluster], rtl: bool) -> str:
    """The clusters, which are in the order of their places, as text in logical order."""
    units = _numbers(clusters)
    against = "L" if rtl else "R"
    kinds = [kind for kind, _ in units]
    ends = ("L", "0") if rtl else ("R",)
    result: list[str] = []
    at = 0
    while at < len(units):
        if kinds[at] not in ends:
            result.append(units[at][1])
            at += 1
            continue
        end = at
        for ahead in range(at, len(units)):
            if kinds[ahead] in ends:
                end = ahead
            elif kinds[ahead] != "N" and not (kinds[ahead] == "0" and not rtl):
                break
        end = _closed(units, at, end)
        run = [text for _, text in units[at : end + 1]]
        if against in kinds[at : end + 1]:
            # In a line from right to left, the run is turned with the line below; so it is turned here first.
            result += ["".join(run)] if rtl else run[::-1]
        else:
            result += run
        at = end + 1
    return "".join(reversed(result) if rtl else result)


def _closed(units: list[tuple[str, str]], at: int, end: int) -> int:
    """The end of a run, with the bracket that closes one inside it."""
    text = "".join(text for _, text in units[at : end + 1])
    for brackets in _BRACKETS:
        odd = sum(character in brackets for character in text) % 2
        if odd and end + 1 < len(units) and units[end + 1][1] in brackets:
            return end + 1
    return end


def _numbers(clusters: list[_Cluster]) -> list[tuple[str, str]]:
    """(kind, text) of the clusters, where each number with its separators and its unit is one."""
    units: list[tuple[str, str]] = []
    arabic = any("\u0600" <= cluster.text[0] <= "\u08ff" and cluster.kind == "R" for cluster in clusters)
    for at, cluster in enumerate(clusters):
        kind, text = cluster.kind, cluster.whole
        following = clusters[at + 1].kind if at + 1 < len(clusters) else ""
        after_number = bool(units) and units[-1][0] == "0"
        separator = text in ".,:/٫٬" or (text in "-+" and not arabic)
        if (
            (kind == "0" and after_number)
            or (after_number and text in "%‰°€$£₪")
            or (after_number and separator and following == "0" and units[-1][1][-1:].isdigit())
        ):
            units[-1] = ("0", units[-1][1] + text)
        elif text in "€$£₪" and following == "0":
            units.append(("0", text))
        else:
            units.append((kind, text))
    return units


def _with_brackets(text: str) -> str:
    """The text with the brackets of each kind opened and closed in turn: PDFium mirrors only some of them."""
    for brackets in _BRACKETS:
        opening, closing = brackets[0], brackets[1]
        places = [at for at, character in enumerate(text) if character in (opening, closing)]
        if places and len(places) % 2 == 0:
            letters = list(text)
            for turn, at in enumerate(places):
                letters[at] = opening if turn % 2 == 0 else closing
            text = "".join(letters)
    return text
