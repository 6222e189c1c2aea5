"""The wikitext of MediaWiki as Markdown. Pure; templates are not expanded, their values are read."""

from __future__ import annotations

import re

from pipeline.extraction.markdown_parts import table
from pipeline.extraction.markdown_source import as_seen, without_comments

_SWITCH = re.compile(r"__[A-Z]{3,30}__|^-{4,}[ \t]*$", re.MULTILINE)
_NOTE = re.compile(
    r"<ref\b[^<>/]{0,300}>(.{0,5000}?)</ref\s*>|<ref\b[^<>]{0,300}/>", re.DOTALL | re.IGNORECASE
)
_TEMPLATE = re.compile(r"\{\{([^{}]{0,20000})\}\}")
_MAX_NESTED = 8  # templates inside others
_FILE = re.compile(
    r"\[\[(?:File|Image|Datei|Bild|Fichier|Archivo):((?:[^\[\]]|\[\[[^\[\]]{0,300}\]\]){0,2000})\]\]",
    re.IGNORECASE,
)
_LINK = re.compile(r"\[\[:?([^\[\]|]{1,500})(?:\|([^\[\]]{0,1000}))?\]\]")
_ADDRESS = re.compile(r"\[((?:https?:|ftp:)?//[^\s\[\]]+)(?:[ \t]+([^\[\]\n]{1,1000}))?\]")
_EMPHASIS = re.compile(r"'{2,5}")
_HEADING = re.compile(r"(={1,6})[ \t]*(.+?)[ \t]*\1[ \t]*\Z")
_ITEM = re.compile(r"([*#:;]+)[ \t]*(.*)\Z")
_ATTRIBUTES = re.compile(r"[^|\[\]]*=[^|\[\]]*\|(?!\|)[ \t]*")
_OPTION = re.compile(
    r"\s*(?:thumb|thumbnail|frame|frameless|border|left|right|center|none|upright|\d*x?\d+px|\w+=.*)\s*", re.I
)


def to_markdown(source: str) -> str:
    """One page; headings, lists and tables in Markdown, links as they are shown, notes in parentheses."""
    text = _SWITCH.sub("", without_comments(source))
    text = _NOTE.sub(lambda found: f" ({found[1].strip()})" if found[1] else "", text)
    for _ in range(_MAX_NESTED):
        text, count = _TEMPLATE.subn(_values, text)
        if not count:
            break
    text = _FILE.sub(_caption, text)
    text = _ADDRESS.sub(_label, _LINK.sub(_label, text))
    return as_seen("\n".join(_blocks(_EMPHASIS.sub("", text)))).strip()


def _label(found: re.Match[str]) -> str:
    return str(found[2] or found[1])


def _blocks(text: str) -> list[str]:
    out: list[str] = []
    rows: list[list[str]] | None = None  # those of the open table
    for line in text.split("\n"):
        marked = line.strip()
        if marked.startswith("{|"):
            rows = [*(rows or ()), []]
        elif rows is not None and marked.startswith("|}"):
            out += ["", table([row for row in rows if any(row)]), ""]
            rows = None
        elif rows is not None:
            _add(rows, marked)
        elif heading := _HEADING.match(line):
            out += ["", f"{'#' * len(heading[1])} {heading[2]}", ""]
        elif item := _ITEM.match(line):
            marks, words = item.groups()
            out.append(f"{'  ' * (len(marks) - 1)}- {words}" if marks[-1] in "*#" else words)
        else:
            out.append(line)
    return out + [", ".join(row) for row in rows or ()]  # a table that another template ends


def _add(rows: list[list[str]], line: str) -> None:
    """One line of a table: the begin of a row, cells, or more text of the last cell."""
    if line.startswith("|-"):
        rows.append([])
    elif line.startswith("|+"):
        rows.insert(0, [line[2:].strip()])
    elif line[:1] in ("|", "!"):
        cells = re.split(r"\|\||!!" if line[0] == "!" else r"\|\|", line[1:])
        rows[-1] += [_ATTRIBUTES.sub("", cell, count=1).strip() for cell in cells]
    elif line:
        rows[-1][-1:] = [" ".join([*rows[-1][-1:], line.lstrip("*#:; ")]).strip()]


def _values(found: re.Match[str]) -> str:
    """A template without its name: its values, those with a name below it as lines if there are many."""
    named, plain = [], []
    for part in re.split(r"\|(?![^\[\]]{0,500}\]\])", found[1])[1:]:
        name, equals, value = part.partition("=")
        if equals and value.strip() and "<" not in name:
            named.append(f"{name.strip()}: {value.strip()}")
        elif not equals and part.strip():
            plain.append(part.strip())
    shown = [", ".join(plain)] if plain else []
    return "\n".join([*shown, *named]) if len(named) > 2 else ", ".join([*shown, *named])


def _caption(found: re.Match[str]) -> str:
    inner = _LINK.sub(_label, found[1])
    parts = [part for part in inner.split("|")[1:] if not _OPTION.fullmatch(part)]
    return parts[-1].strip() if parts else ""
