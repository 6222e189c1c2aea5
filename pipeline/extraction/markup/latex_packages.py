"""Rewrites what common packages and classes add to LaTeX: slides of beamer, numbers with units. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.extraction import raised_text
from pipeline.extraction.markup import latex_units
from pipeline.extraction.markup.latex_source import group

# "<2-| alert@3>": on which slides something is shown.
_SLIDES = (
    r"(?:\d|[.+,*|@: -]|alert|only|handout|beamer|trans|article|presentation|all|visible|uncover|second"
    r"|\\value\{\w+\})"
)
_OVERLAY = re.compile(rf"(\\(?:(?:begin|end)\{{\w+\*?\}}|[a-zA-Z]+\*?)(?:\{{\}})?)\s?<{_SLIDES}{{1,30}}>")
_FRAME = re.compile(r"\\begin\{frame\}\s*(?:\[[^\]\n]*\]\s*)*(?=\{)")
_BLOCK = re.compile(r"\\begin\{(?:alert|example)?block\}\s*(?=\{)")
_COLUMN = re.compile(r"\\(?:begin\{column\}|column\b)\s*(?:\[[^\]\n]*\])?\s*(?=\{)")
_STATEMENT = re.compile(
    r"(\\begin\{(?:theorem|lemma|definition|proposition|corollary|example|remark|proof|satz|beweis)\*?\})"
    r"\s*\[((?:[^\[\]{}]|\{[^{}]*\})*)\]",
    re.IGNORECASE,
)
_ALTERNATIVES = re.compile(r"\\(texorpdfstring|hyperlink|hypertarget|inst)\s*(?=\{)")
_SHIFTED = re.compile(r"\\text(super|sub)script\s*\{([^{}\\$]{1,100})\}")
# What stands raised after a name: a note, or the number of an institute.
MARK_AFTER_NAME = re.compile(
    r"\\(?:thanks|footnote|textsuperscript)\s*\{[^{}]*\}|\$\^(?:\{[\w,*\\]+\}|[\w*])\$|(?<=\w)\[[\d,; –-]+\]"
)
_QUANTITY = re.compile(
    r"\\(?P<name>SIrange|qtyrange|SI|qty|si|unit|numrange|numlist|num|ang)\s*(?:\[[^\]\n]*\])?\s*(?=\{)"
)
_CITES = re.compile(r"\\[a-zA-Z]*[cC]ites\s*(?=[\[{])")
_Replace = Callable[[re.Match[str], str, int], tuple[str, int]]
_COUNTS = {"SIrange": 3, "qtyrange": 3, "SI": 2, "qty": 2, "numrange": 2}


def rewritten(source: str) -> str:
    """The same source in the commands that every text has."""
    source = _STATEMENT.sub(r"\1(\2) ", _OVERLAY.sub(r"\1", source))
    source = _replaced(_ALTERNATIVES, source, _alternative)
    source = _SHIFTED.sub(_shifted, source)
    source = _replaced(_CITES, source, _cites)
    source = _replaced(_QUANTITY, source, _quantity)
    if r"\begin{frame}" in source or "{beamer}" in source:
        source = _replaced(_FRAME, source, _frame)
        source = _replaced(_BLOCK, source, lambda _, text, at: _titled(*group(text, at)))
        source = _replaced(_COLUMN, source, lambda _, text, at: ("\n\n", group(text, at)[1]))
    return source


def _replaced(pattern: re.Pattern[str], source: str, replace: _Replace) -> str:
    """`replace` gets the match, the source, and where the arguments begin; it returns a text and where they end."""
    pieces, at = [], 0
    for found in pattern.finditer(source):
        if found.start() >= at:
            text, end = replace(found, source, found.end())
            pieces += [source[at : found.start()], text]
            at = end
    return "".join([*pieces, source[at:]])


def _arguments(source: str, at: int, count: int) -> tuple[list[str], int]:
    arguments = []
    for _ in range(count):
        opening = re.compile(r"\s*(?:\[[^\]\n]*\]){0,2}\s*(?=\{)").match(source, at)
        if not opening:
            break
        argument, at = group(source, opening.end())
        arguments.append(argument)
    return arguments, at


def _alternative(found: re.Match[str], source: str, at: int) -> tuple[str, int]:
    if found[1] == "texorpdfstring":
        (shown, *_), at = _arguments(source, at, 2)
        return f"{{{shown}}}", at
    return "", group(source, at)[1]


def _quantity(found: re.Match[str], source: str, at: int) -> tuple[str, int]:
    arguments, at = _arguments(source, at, _COUNTS.get(found["name"], 1))
    return latex_units.quantity(found["name"], arguments), at


def _cites(found: re.Match[str], source: str, at: int) -> tuple[str, int]:
    keys, at = _arguments(source, at, 20)
    return " ".join(f"[{each}]" for each in keys), at


def _shifted(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 8) : found.start()]
    shown = raised_text.resolved(before + raised_text.marked(found[2], 1 if found[1] == "super" else -1))
    return shown[len(before) :]


def _frame(found: re.Match[str], source: str, at: int) -> tuple[str, int]:
    (title, *more), at = _arguments(source, at, 2)
    subtitle = rf"\framesubtitle{{{more[0]}}}" if more else ""
    return rf"\begin{{frame}}\frametitle{{{title}}}{subtitle}", at


def _titled(title: str, at: int) -> tuple[str, int]:
    return f"\n\n{title}\n\n", at
