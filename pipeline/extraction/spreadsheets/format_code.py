"""Splits the format code of a spreadsheet's cell (ECMA-376, 18.8.31) into sections and tokens. Pure.

Knows nothing of values; `number_format.py` and `date_format.py` apply the sections to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What a token of a format code stands for; its text says which one."""

    LITERAL = 1
    DIGIT = 2  # 0, # or ?
    POINT = 3
    COMMA = 4
    PERCENT = 5
    EXPONENT = 6  # E+ or E-
    SLASH = 7
    TEXT = 8  # @
    GENERAL = 9
    DATE = 10  # a run of one letter: "yyyy"
    ELAPSED = 11  # "hh" of [hh]
    HALF_DAY = 12  # AM/PM
    FRACTION = 13  # "0", "00"... of a second


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str


@dataclass(frozen=True)
class Section:
    """`condition` is an operator with its limit; `locale` a Windows locale in hexadecimal ("411"), or its tag."""

    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None = None
    locale: str = ""
    kinds: frozenset[Kind] = field(default=frozenset())

    @property
    def is_date(self) -> bool:
        return Kind.DATE in self.kinds or Kind.ELAPSED in self.kinds

    def shows(self, kind: Kind) -> bool:
        return kind in self.kinds


_MAX_CODE = 1000  # characters; Excel writes 255 at most
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d{1,15}(?:\.\d{0,15})?)\s*")
_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"?'
    r"|\\(?P<escaped>.?)"
    r"|_(?P<space>.?)|\*(?P<fill>.?)"
    r"|\[(?P<bracket>[^\]]*)\]?"
    r"|(?P<general>General|Standard)"
    r"|(?P<half>AM/PM|A/P|上午/下午|午前/午後|오전/오후)"
    r"|(?P<exponent>E[+-])"
    r"|(?P<date>y+|m+|d+|h+|s+|g+|a{3,4}|b+|e+)"
    r"|(?P<digit>[0#?])"
    r"|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_MARKS = {
    ".": Kind.POINT,
    ",": Kind.COMMA,
    "%": Kind.PERCENT,
    "/": Kind.SLASH,
    "@": Kind.TEXT,
}


def sections(code: str) -> tuple[Section, ...]:
    """The sections of a format code, one to four; what cannot be understood stands for itself."""
    found: list[Section] = []
    pieces: list[re.Match[str]] = []
    for piece in _PIECE.finditer(code[:_MAX_CODE]):
        if piece["other"] == ";":
            found.append(_section(pieces))
            pieces = []
        else:
            pieces.append(piece)
    return (*found, _section(pieces))[:4]


def _section(pieces: list[re.Match[str]]) -> Section:
    tokens: list[Token] = []
    condition, locale = None, ""
    for piece in pieces:
        if piece["bracket"] is not None:
            bracket = piece["bracket"]
            if compared := _CONDITION.fullmatch(bracket):
                condition = compared[1], float(compared[2])
            elif bracket.startswith("$"):
                symbol, _, tag = bracket[1:].partition("-")
                tokens += [Token(Kind.LITERAL, symbol)] if symbol else []
                locale = locale or tag.partition(",")[0]
            elif re.fullmatch(r"h+|m+|s+", bracket, re.IGNORECASE):
                tokens.append(Token(Kind.ELAPSED, bracket.lower()))
        else:
            tokens.append(_token(piece))
    tokens = _dated(tokens)
    return Section(tuple(tokens), condition, locale, frozenset(token.kind for token in tokens))


def _token(piece: re.Match[str]) -> Token:
    if piece["general"]:
        return Token(Kind.GENERAL, "")
    if piece["half"]:
        return Token(Kind.HALF_DAY, piece["half"])
    if piece["exponent"]:
        return Token(Kind.EXPONENT, piece["exponent"])
    if piece["date"]:
        return Token(Kind.DATE, piece["date"].lower())
    if piece["digit"]:
        return Token(Kind.DIGIT, piece["digit"])
    if piece["other"]:
        return Token(_MARKS.get(piece["other"], Kind.LITERAL), piece["other"])
    if piece["space"] is not None:
        return Token(Kind.LITERAL, " ")
    return Token(Kind.LITERAL, piece["quoted"] or piece["escaped"] or "")


def _dated(tokens: list[Token]) -> list[Token]:
    """The tokens of a date or time with its fractions of a second, and without placeholders of numbers."""
    if not any(token.kind in (Kind.DATE, Kind.ELAPSED) for token in tokens):
        return tokens
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        end = at + 1
        while end < len(tokens) and tokens[end] == Token(Kind.DIGIT, "0"):
            end += 1
        after_seconds = any(each.kind in (Kind.DATE, Kind.ELAPSED) and each.text[0] == "s" for each in found)
        if token.kind is Kind.POINT and end > at + 1 and after_seconds:
            found.append(Token(Kind.FRACTION, "0" * (end - at - 1)))
            at = end
            continue
        is_mark = token.kind in (Kind.POINT, Kind.COMMA, Kind.PERCENT, Kind.SLASH, Kind.DIGIT)
        found.append(Token(Kind.LITERAL, token.text) if is_mark else token)
        at += 1
    return found
