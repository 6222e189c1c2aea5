"""Parts of reStructuredText: the names of directives, their options, substitutions, and rows of tables. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence

from pipeline.extraction.markup import rst_inline
from pipeline.extraction.markup.blocks import indent, indented_block

DIRECTIVE = re.compile(
    r"\.\.[ \t]+(?:\|(?P<name>[^|]+)\|[ \t]+)?(?P<kind>[a-zA-Z][\w:+.-]*?)[ \t]?::(?:[ \t]+(?P<argument>.*)|[ \t]*)\Z"
)
_OPTION = re.compile(r"[ \t]*:(?P<name>[\w][\w -]*):(?:[ \t]+(?P<value>.*)|[ \t]*)\Z")

_LITERAL = "code-block code sourcecode parsed-literal prompt productionlist testcode doctest ipython"
LITERAL = frozenset(_LITERAL.split())
_DROPPED = """raw include toctree contents sectnum target-notes default-role role meta index tabularcolumns highlight
    literalinclude module currentmodule py:currentmodule default-domain sectionauthor codeauthor testsetup testcleanup
    graphviz automodule autoclass autofunction bibliography title plot
    testoutput"""
DROPPED = frozenset(_DROPPED.split())
_ADMONITIONS = "note warning tip hint important caution danger error attention seealso todo"
ADMONITIONS = frozenset(_ADMONITIONS.split())
_DESCRIBED = """function method class data attribute exception cmdoption option classmethod staticmethod decorator
    decoratormethod property describe object envvar opcode type macro member var struct enum confval"""
DESCRIBED = frozenset(_DESCRIBED.split())
WITHOUT_TITLE = frozenset(
    ("only", "container", "compound", "tab-set", "cssclass", "rst-class", "header", "footer")
)
CHANGES = {
    "versionadded": "New in version {}",
    "versionchanged": "Changed in version {}",
    "deprecated": "Deprecated since version {}",
    "deprecated-removed": "Deprecated since version {}",
    "versionremoved": "Removed in version {}",
}


def substitutions(lines: Sequence[str]) -> dict[str, str]:
    """What stands for `|name|`: the text of `replace`, the alternative text of an image."""
    found: dict[str, str] = {}
    for at, line in enumerate(lines):
        directive = DIRECTIVE.match(line) if line.startswith("..") and "|" in line else None
        if not directive or not directive["name"]:
            continue
        body = lines[at + 1 : indented_block(lines, at + 1, 0)]
        named, _ = options(body)
        argument = directive["argument"] or ""
        if directive["kind"] == "replace":
            value = " ".join([argument, *(each.strip() for each in body)])
        elif directive["kind"] == "unicode":
            codes = re.findall(r"(?:0x|U\+|\\u|x)([0-9A-Fa-f]{2,6})\b", argument)
            value = "".join(chr(int(code, 16)) for code in codes if int(code, 16) < 0xD800)
        else:
            value = named.get("alt", "")
        found[directive["name"].lower()] = rst_inline.plain(value.strip(), {})
    return found


def options(body: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The options of a directive, and the lines of its content."""
    found: dict[str, str] = {}
    at = 0
    while at < len(body) and (option := _OPTION.match(body[at])):
        end = indented_block(body, at + 1, indent(body[at]))
        value = [option["value"] or "", *(line.strip() for line in body[at + 1 : end])]
        found[option["name"]] = " ".join(value).strip()
        at = end
    return found, list(body[at:])


def simple_rows(lines: Sequence[str], plain: Callable[[str], str]) -> list[list[str]]:
    """The rows of a table with borders of `=== ===`; a line without its first cell goes on with the row above."""
    columns = [(found.start(), found.end()) for found in re.finditer(r"=+", lines[0])]
    rows: list[list[str]] = []
    for line in lines[1:]:
        if not line.strip() or re.fullmatch(r"[=\s-]+", line):
            continue
        ends = [start for start, _ in columns[1:]] + [None]
        cells = [line[start:end].strip() for (start, _), end in zip(columns, ends, strict=True)]
        if cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1] = [f"{one} {other}".strip() for one, other in zip(rows[-1], cells, strict=True)]
    return [[plain(cell) for cell in row] for row in rows]


def list_rows(lines: Sequence[str]) -> list[list[str]]:
    """The rows of a table that is written as a list of lists."""
    rows: list[list[str]] = []
    for line in lines:
        if row := re.match(r"[*-][ ]+[*-](?:[ ]+(.*))?\Z", line):
            rows.append([row[1] or ""])
        elif (cell := re.match(r"[ ]{2,}[*-](?:[ ]+(.*))?\Z", line)) and rows and indent(line) <= 4:
            rows[-1].append(cell[1] or "")
        elif rows:
            rows[-1][-1] += " " + line.strip()
    return rows


def csv_rows(lines: Sequence[str], named: Mapping[str, str]) -> list[list[str]]:
    """The rows of a table with separators, below its header; `named` are the directive's options."""
    separator = {"tab": "\t", "space": " "}.get(named.get("delim", ","), named.get("delim", ","))[:1]
    header = [named["header"]] if named.get("header") else []
    try:
        return list(csv.reader([*header, *lines], delimiter=separator or ",", skipinitialspace=True))
    except (csv.Error, TypeError):
        return [[line] for line in [*header, *lines]]
