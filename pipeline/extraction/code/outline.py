"""The outline of a file of source code, by language. Pure; runs in the worker processes.

It is made for the sections of a search index, not for a compiler: a declaration that is missed costs a heading, no
text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from pipeline.extraction.code import braces, indentation
from pipeline.extraction.code.masking import masked, masker
from pipeline.extraction.content import WORD, Heading

# A file of many tiny functions would become as many chunks: below so many characters a section, only the first level
# counts.
_SHORTEST = 75
_FEW = 400  # headings that any file may have

_PYTHON = re.compile(r"(?:async[ \t]+)?(?P<keyword>def|class)[ \t]+(?P<name>\w+)")
_RUBY = re.compile(r"(?P<keyword>def|class|module)[ \t]+(?P<name>[\w:.]+[?!=]?)")
_LUA = re.compile(
    r"(?:local[ \t]+)?(?P<keyword>function[ \t]+)?(?P<name>[\w.:]+)[ \t]*(?(keyword)\(|=[ \t]*function\b)"
)
_SHELL = re.compile(
    r"(?P<keyword>function[ \t]+)?(?P<name>[\w:.-]+)[ \t]*(?(keyword)(?:\([ \t]*\))?|\([ \t]*\))[ \t]*(?:\{|\Z)"
)
_SQL = re.compile(
    r"^[ \t]*(?:CREATE|ALTER)\s+(?:OR\s+REPLACE\s+)?"
    r"(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNIQUE|MATERIALIZED|EXTERNAL)\s+)*"
    r"(?:TABLE|VIEW|FUNCTION|PROCEDURE|TRIGGER|INDEX|TYPE|PACKAGE(?:\s+BODY)?|SCHEMA|SEQUENCE|EVENT)\s+"
    r"(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+|ONLY\s+)?(?P<name>[\w.\"`\[\]$]+)",
    re.MULTILINE | re.IGNORECASE,
)

Find = Callable[[str], Iterator[Heading]]


def _in_braces(comments: str, strings: str, *, directives: bool = False) -> Find:
    hidden = masker(comments, strings, directives=directives)
    return lambda source: braces.headings(source, masked(source, hidden))


def _indented(comments: str, strings: str, declaration: re.Pattern[str], containers: str = "") -> Find:
    hidden = masker(comments, strings)
    return lambda source: indentation.headings(source, masked(source, hidden), declaration, containers)


def _sql(source: str) -> Iterator[Heading]:
    return indentation.statements(source, masked(source, _SQL_HIDDEN), _SQL)


_SQL_HIDDEN = masker("sql", "none")
_FINDERS: dict[str, Find] = {
    "python": _indented("hash", "python", _PYTHON, "class"),
    "ruby": _indented("ruby", "script", _RUBY, "class module"),
    "lua": _indented("lua", "script", _LUA),
    "shellscript": _indented("hash", "script", _SHELL),
    "sql": _sql,
    "c": _in_braces("slashes", "c", directives=True),
    "csharp": _in_braces("slashes", "csharp", directives=True),
    **dict.fromkeys(("java", "kotlin", "scala", "swift"), _in_braces("slashes", "jvm")),
    "go": _in_braces("slashes", "go"),
    "rust": _in_braces("slashes", "rust"),
    "php": _in_braces("php", "script"),
    "perl": _in_braces("perl", "script"),
    **dict.fromkeys(("javascript", "typescript"), _in_braces("slashes", "javascript")),
}
LANGUAGES = frozenset(_FINDERS)


def outline(source: str, language: str) -> tuple[Heading, ...]:
    """The functions and classes of `source`, in order; `language` is one of LANGUAGES."""
    found = list(_FINDERS[language](source))
    for level in (1, 0):
        if len(found) > max(_FEW, len(source) / _SHORTEST):
            found = [each for each in found if each.level <= level]
    return tuple(_without_needless_ends(source, found))


def _without_needless_ends(source: str, found: Iterable[Heading]) -> Iterator[Heading]:
    """The headings without the ends of blocks that no word follows before the next heading."""
    headings = list(found)
    following = [*(each.start for each in headings[1:]), len(source)]
    for heading, until in zip(headings, following, strict=False):
        if heading.title or WORD.search(source, heading.start, max(until, heading.start)):
            yield heading
