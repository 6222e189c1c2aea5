"""Finds the passages of a text that carry no language: base64, hex dumps, minified code, SVG paths, PostScript.

Pure; runs in the worker processes. A passage is judged line by line; the time is linear in the length of the text. When
in doubt a line is language: what is left out here cannot be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extraction.hex_dumps import dump_lines

MIN_CHARS = 120  # a shorter run stays: a key or a hash is something that people search for
_PIECE = 2000  # characters of a longer line that are judged together
_KEPT_BETWEEN = 8  # characters of lines between two passages, such as a lone ")", that go with them

_LINE = re.compile(rf"[^\n]{{1,{_PIECE}}}")
_LONG_TOKEN = re.compile(r"[!-~]{40,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_FULL_BASE64 = re.compile(r"[A-Za-z0-9+]{60,}={0,2}")  # without "/", which paths have
_SOURCE_MAP = re.compile(r"(?:[A-Za-z0-9+/]{0,12}[,;]){20,}[A-Za-z0-9+/]{0,12}")
_UUENCODED = re.compile(r"M[ -`]{60}")  # 45 bytes; there are no small letters
_CASE_CHANGE = re.compile(r"[a-z][A-Z0-9]|[0-9][A-Za-z]|[A-Z][0-9]|[A-Z]{2}[a-z]|[+/][A-Za-z0-9]")
_HEX_START = re.compile(r"\s*(?:0x)?[0-9a-fA-F]{2,16}[:,]?\s")
_HEX_RUN = re.compile(r"[:S]?(?:[0-9a-f]{40,}|[0-9A-F]{40,})")
_HEX_TOKEN = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2}|[0-9a-fA-F]{4}|[0-9a-fA-F]{8}),?")
_PATH_TEXT = re.compile(r"[MmLlHhVvCcSsQqTtAaZz0-9.,eE \t\"+-]+")
_PATH_COMMAND = re.compile(r"[MmLlHhVvCcSsQqTtAaZz](?=[\s\d.-]|$)")
_OPERATOR = re.compile(  # of PostScript, then of PDF
    r"r?(?:moveto|lineto|curveto)|(?:new|close)path|stroke|fill|eofill|clip|setlinewidth|g(?:save|restore)|setgray"
    r"|setrgbcolor|scale|translate|rotate|concat|findfont|setfont|show|def|dup|exch|pop|bind"
    r"|[mlcvyhfnSsWqQGgwJjdkK]|re|cm|rg|RG|T[fdjm]|BT|ET|gs|Do"
)
_NUMBER = re.compile(r"[-+]?\d*\.?\d+")
_CODE_MARKS = re.compile(r"[{}();:=!&|?\[\]]")
_STATEMENT = re.compile(r"[;{}]")
_MARKUP = re.compile(r"</\w")
_THREE_WORDS = re.compile(r"[a-z]{2,}[,.;:]? [a-z]{2,}[,.;:]? [a-z]{2,}")
_WORD = re.compile(r"[a-z]{4,}")


def passages(text: str) -> list[tuple[int, int]]:
    """The passages without language: (start, end) offsets in characters, ascending, each of MIN_CHARS or more."""
    found: list[tuple[int, int]] = []
    was_piece = False
    for start, end, is_piece in _bare_parts(text):
        between = text[found[-1][1] : start] if found else ""
        if found and (
            len(between.strip()) <= _KEPT_BETWEEN
            or (was_piece and is_piece and len(between) <= 2 * _PIECE and "\n" not in between)
        ):
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
        was_piece = is_piece
    return [(start, end) for start, end in found if end - start >= MIN_CHARS]


def _bare_parts(text: str) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether it is a piece of a longer line) of lines, pieces and tokens without language."""
    dumped = dump_lines(text)
    for match in _LINE.finditer(text):
        line = match[0]
        if match.start() in dumped:
            yield match.start(), match.end(), False
            continue
        if len(line) < 12 or not line.isascii():
            continue
        if len(line) < MIN_CHARS and _THREE_WORDS.search(line) and not _HEX_START.match(line):
            continue
        start = match.start()
        if _carries_nothing(line):
            yield start, match.end(), len(line) == _PIECE
        elif len(line) >= MIN_CHARS:
            yield from ((start + first, start + last, False) for first, last in _encoded_tokens(line))


def _carries_nothing(line: str) -> bool:
    stripped = line.strip()
    if not stripped:
        return False
    if _is_path(stripped) or _is_minified(stripped) or _is_uuencoded(line):
        return True
    tokens = stripped.split()
    if len(tokens) == 1:
        return len(stripped) >= 40 and _is_encoded(stripped)
    return _is_hex_dump(tokens) or _is_postscript(tokens)


def _encoded_tokens(line: str) -> Iterator[tuple[int, int]]:
    """Long encoded tokens inside a line that has words, too."""
    for token in _LONG_TOKEN.finditer(line):
        source_map = _SOURCE_MAP.search(token[0])
        for part in (source_map,) if source_map else _BASE64.finditer(token[0]):
            if len(part[0]) >= MIN_CHARS and _is_encoded(part[0]):
                yield token.start() + part.start(), token.start() + part.end()


def _is_encoded(token: str) -> bool:
    """Base64, hexadecimal, base85 or the like: characters change their kind more often than in a name or a URL."""
    if _HEX_RUN.fullmatch(token) or _FULL_BASE64.fullmatch(token):
        return True
    if _SOURCE_MAP.fullmatch(token):
        return token.count("A") * 5 > len(token) > 3 * (token.count(",") + token.count(";"))
    if _BASE64.fullmatch(token):
        return len(_CASE_CHANGE.findall(token)) * 5 > len(token) or token.count("A") * 2 > len(token)
    marks = {char for char in token if not char.isalnum()}
    return len(marks) >= 12 and len("".join(_WORD.findall(token))) * 10 < len(token)


def _is_hex_dump(tokens: list[str]) -> bool:
    """Bytes or words in hexadecimal, as `xxd` and `hexdump -C` print them, and arrays of bytes in source code.

    A row of decimal numbers, which a table may hold, has no letter among its digits.
    """
    hexadecimal = [token for token in tokens if _HEX_TOKEN.fullmatch(token)]
    with_letters = sum(not token.strip(",").isdecimal() for token in hexadecimal)
    with_digits = sum(any(char.isdigit() for char in token) for token in hexadecimal)
    return (
        len(hexadecimal) >= 6
        and len(hexadecimal) * 10 >= len(tokens) * 7
        and with_letters >= 2
        and with_digits * 2 >= len(hexadecimal)
    )


def _is_uuencoded(line: str) -> bool:
    return _UUENCODED.fullmatch(line) is not None and sum(not char.isalnum() for char in line) * 6 > len(line)


def _is_path(line: str) -> bool:
    """The outline of a shape in SVG."""
    if len(line) < 20 or not _PATH_TEXT.fullmatch(line):
        return False
    digits = sum(char.isdigit() for char in line)
    return len(_PATH_COMMAND.findall(line)) >= 3 and digits * 3 >= len(line)


def _is_postscript(tokens: list[str]) -> bool:
    """Numbers and drawing operators of PostScript or PDF, with an operator at the end."""
    if not _OPERATOR.fullmatch(tokens[-1]):
        return False
    operators = sum(_OPERATOR.fullmatch(token) is not None for token in tokens)
    numbers = sum(_NUMBER.fullmatch(token) is not None for token in tokens)
    return numbers >= 2 and operators + numbers == len(tokens)


def _is_minified(line: str) -> bool:
    """Code without line ends and nearly without spaces; strings of several words make it readable again."""
    if len(line) < 200 or _MARKUP.search(line):
        return False
    spaces = line.count(" ") + line.count("\t")
    return (
        spaces * 12 < len(line)
        and len(_CODE_MARKS.findall(line)) * 10 > len(line)
        and len(_STATEMENT.findall(line)) * 50 > len(line)
    )
