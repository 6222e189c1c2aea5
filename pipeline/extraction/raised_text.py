"""Raised and lowered text: powers and indices as small digits, marks of references apart from their words. Pure.

A reader puts `marked` around the pieces of a paragraph, as a program may cut "1,2" into three, and `resolved` reads the
whole. Without that "10" and "6" would be 106, and the word before a mark would not be found: "cells12".
"""

from __future__ import annotations

import re
import unicodedata

_RAISED = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_ALL_RAISED = re.compile(r"[0-9+\-−=()]+|n|[0-9n+\-−]*n[0-9n+\-−]*")
_ALL_LOWERED = re.compile(r"[0-9+\-−=()]+")
# Characters that no XML holds: the begin and end of raised and of lowered text.
_UP, _UP_END, _DOWN, _DOWN_END = "\x01\x02\x03\x04"
_MARKED = re.compile(r"(?:\x01([^\x01-\x04]*)\x02|\x03([^\x01-\x04]*)\x04)")
_MATTERS = re.compile(r"[\d+\-−–=/n,;]|\A\s*[a-d]\s*\Z")
_MARK = r"(?:\d{1,3}|[a-h*†‡§¶])"
_REFERENCE = re.compile(rf"\d{{1,3}}|{_MARK}(?:\s?[,;–-]\s?{_MARK}){{1,30}}")
_LETTER = re.compile(r"[a-d]")  # of a note below a table; the other letters also end words: "no", "deuxième"
# A word or the end of a sentence; shorter words are mostly units and names of functions.
_BEFORE_REFERENCE = re.compile(r"(?:[^\W\d_]{4}|\b[A-Z][a-z]{2}|[^\W\d_][.,;:!?”’»])\Z")
# What raised digits are a power of, though it has as many letters as the word before a mark.
_POWERED = re.compile(r"(?:sinh|cosh|tanh|metres?|meters?|miles?|inch|inches|feet|yards?)\Z", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,3}")
_BEGINS = re.compile(
    r"[^\W\d_]{3}"
)  # a word that the number of its verse or sentence stands before; "¹⁴C" has less
_BEFORE_LETTER = re.compile(r"[^\W\d_]{4}[a-z]\Z")


def marked(text: str, position: int) -> str:
    """A piece of a paragraph that is raised (`position` above 0) or lowered (below 0)."""
    if not position or not _MATTERS.search(text):
        return text
    return f"{_UP}{text}{_UP_END}" if position > 0 else f"{_DOWN}{text}{_DOWN_END}"


def resolved(text: str) -> str:
    """The paragraph with its marked pieces as they read."""
    if _UP not in text and _DOWN not in text:
        return text
    text = text.replace(_UP_END + _UP, "").replace(_DOWN_END + _DOWN, "")
    text = _MARKED.sub(_shown, text)
    return re.sub("[\x01-\x04]", "", text)


def plain(text: str) -> str:
    """The text as if nothing in it were raised or lowered, before or after `resolved`."""
    return unicodedata.normalize("NFKC", re.sub("[\x01-\x04]", "", text))


def raised(text: str) -> str:
    """Raised text: powers as raised digits, letters as they are."""
    if _ALL_RAISED.fullmatch(text):
        return text.translate(_RAISED)
    return "^" + text if re.search(r"[\d+\-−=/]", text) and len(text) < 20 and " " not in text else text


def lowered(text: str) -> str:
    """Lowered text: indices as lowered digits, letters as they are."""
    return text.translate(_LOWERED) if _ALL_LOWERED.fullmatch(text) else text


def _shown(found: re.Match[str]) -> str:
    inner = found[1] if found[1] is not None else found[2]
    text = inner.strip()
    if not text or "[" in text:  # the mark of a note of the document
        return inner
    if found[1] is None:
        shown = lowered(text)
    elif _NUMBER.fullmatch(text) and _BEGINS.match(found.string, found.end()) and _apart(found):
        shown = f"{raised(text)} "
    else:
        shown = (
            f"[{text}]"
            if _refers(text, found.string[max(0, found.start() - 8) : found.start()])
            else raised(text)
        )
    return inner.replace(text, shown, 1)


def _refers(text: str, before: str) -> bool:
    """Whether raised text is a mark that refers to something, by what stands before it."""
    if _LETTER.fullmatch(text):
        return bool(_BEFORE_LETTER.search(before))
    if text in ("2", "3") and _POWERED.search(before):
        return False
    return bool(_REFERENCE.fullmatch(text) and _BEFORE_REFERENCE.search(before))


def _apart(found: re.Match[str]) -> bool:
    """Whether no word stands before the raised text."""
    return not found.start() or found.string[found.start() - 1] in " \n\t\xa0([“‘\"'"
