"""The outline of source code by its indentation: Python, Ruby, Lua, shell scripts; and SQL, which has none. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extraction.code.braces import with_comment
from pipeline.extraction.code.masking import INSIDE
from pipeline.extraction.content import Heading

_LINE = re.compile(r"^([ \t]*)(\S[^\n]*)", re.MULTILINE)
_CLOSING = re.compile(r"(?:end|\}|\)|\]|else|elsif|elif|except|finally|rescue|ensure|then|do|\{)(?!\w)")
_DECORATOR = re.compile(r"@[\w.]+[ \t\r]*(?:\(.*)?\Z")
_TAB = 8


def headings(source: str, masked: str, declaration: re.Pattern[str], containers: str) -> Iterator[Heading]:
    """The headings in order; one without a title stands where the lines of a declaration end.

    `declaration` matches a line without its indentation; its groups are `keyword` and `name`. Declarations are looked
    for inside those only whose keyword is one of `containers`.
    """
    opened: list[tuple[int, bool]] = []  # indentation; whether it may contain others
    decorated: int | None = None
    continued = 0
    for line in _LINE.finditer(masked):
        if line[2].startswith(INSIDE):
            continue
        if continued > 0:  # inside the brackets of a call or a signature, where indentation says nothing
            continued += _brackets(line[2])
            continue
        continued = max(0, _brackets(line[2]))
        indent = len(line[1].expandtabs(_TAB))
        found = declaration.match(line[2])
        if _CLOSING.match(line[2]) and not found:
            continue
        closed = None
        while opened and opened[-1][0] >= indent:
            opened.pop()
            closed = len(opened) + 1
        start = line.start() if decorated is None else decorated
        decorated = start if _DECORATOR.match(line[2]) else None
        if found and all(container for _, container in opened):
            opened.append((indent, (found["keyword"] or "") in containers.split()))
            level = min(len(opened), 6)
            yield Heading(with_comment(source, masked, start), line.end(), level, found["name"])
        elif closed is not None:
            yield Heading(with_comment(source, masked, line.start()), line.start(), closed, "")


def statements(source: str, masked: str, declaration: re.Pattern[str]) -> Iterator[Heading]:
    """One heading for each match of `declaration`, all of the first level."""
    for found in declaration.finditer(masked):
        name = source[found.start("name") : found.end("name")]
        yield Heading(
            with_comment(source, masked, found.start()), found.end(), 1, re.sub(r"[\"`\[\]]", "", name)
        )


def _brackets(line: str) -> int:
    return sum(line.count(each) for each in "([") - sum(line.count(each) for each in ")]")
