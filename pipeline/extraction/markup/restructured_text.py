"""reStructuredText as Markdown, with the directives of Sphinx. Pure.

Nothing is included or run; a directive that is unknown keeps its argument and its content.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.extraction import markdown
from pipeline.extraction.markdown_parts import fenced, table
from pipeline.extraction.markup import rst_inline, rst_parts
from pipeline.extraction.markup.blocks import (
    dedented,
    grid_rows,
    indent,
    indented_block,
    is_grid_border,
    joined,
)
from pipeline.extraction.metadata.stated import from_fields

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*\Z")
_FOOTNOTE = re.compile(r"\.\.[ \t]+\[(?P<mark>[^\]]+)\](?:[ \t]+(?P<text>.*)|[ \t]*)\Z")
_EXPLICIT = re.compile(r"(?:\.\.(?=[ \t]|\Z)|__ )")
_FIELD = re.compile(r":(?P<name>(?![: ])[^:\n]{1,100}(?<! )):(?:[ \t]+(?P<value>.*)|[ \t]*)\Z")
_BULLET = re.compile(r"(?P<mark>[-*+•‣⁃])[ \t]+(?=\S)")
_NUMBER = re.compile(r"\(?(?P<mark>\d{1,4}|#|[a-zA-Z]|[ivxlcdmIVXLCDM]{2,6})[.)][ \t]+(?=\S)")
_SIMPLE_BORDER = re.compile(r"[ \t]*=+(?:[ \t]+=+)+[ \t]*\Z")
_LINE_BLOCK = re.compile(r"\|(?:[ \t]+|\Z)")
_MAX_DEPTH = 30


class RestructuredText:
    """Reads one document; `title`, `author`, `date`, `tags` and `text` are the result."""

    def __init__(self, source: str) -> None:
        lines = [line.expandtabs(8).rstrip() for line in re.sub(r"\r\n?", "\n", source).split("\n")]
        self._levels: list[str] = []
        self.title: str | None = None
        self._fields: dict[str, str] = {}
        self._substitutions = rst_parts.substitutions(lines)
        self.text = "\n\n".join(part for part in self._blocks(lines, 0) if part)
        stated = from_fields(self._fields)
        self.author, self.date, self.tags = "; ".join(stated.authors) or None, stated.date, stated.tags

    def _plain(self, text: str) -> str:
        return joined(rst_inline.plain(text, self._substitutions))

    def _blocks(self, lines: Sequence[str], depth: int) -> list[str]:
        """The blocks of lines that have no indentation in common."""
        parts: list[str] = []
        at = 0
        while at < len(lines):
            if not lines[at].strip():
                at += 1
                continue
            for read in (
                self._heading,
                self._explicit,
                self._table,
                self._list,
                self._field,
                self._line_block,
            ):
                if found := read(lines, at, depth):
                    at, part = found
                    parts.append(part)
                    break
            else:
                at, text = self._paragraph(lines, at, depth)
                parts += text
        return parts

    def _heading(self, lines: Sequence[str], at: int, depth: int) -> tuple[int, str] | None:
        line, below = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
        third = lines[at + 2] if at + 2 < len(lines) else ""
        if _ADORNMENT.match(line):
            closed = below.strip() and _ADORNMENT.match(third) and third[0] == line[0]
            if closed and len(line) >= 3 and len(third) >= min(4, len(below.strip())):
                return at + 3, self._titled(line[0] * 2, below, depth)
            return (at + 1, "") if len(line) >= 4 and not below.strip() else None
        if (
            line[0] == " "
            or not _ADORNMENT.match(below)
            or below in ("..", "::")
            or len(below) < min(4, len(line))
        ):
            return None
        return at + 2, self._titled(below[0], line, depth)

    def _titled(self, style: str, title: str, depth: int) -> str:
        title = self._plain(title)
        if depth:
            return title
        if style not in self._levels:
            self._levels.append(style)
        self.title = self.title or title or None
        return f"{'#' * min(6, self._levels.index(style) + 1)} {title}"

    def _explicit(self, lines: Sequence[str], at: int, depth: int) -> tuple[int, str] | None:
        line = lines[at]
        if not _EXPLICIT.match(line):
            return None
        if line == ".." and not "".join(lines[at + 1 : at + 2]):
            return at + 1, ""  # an empty comment ends a block; what is indented below is no part of it
        end = indented_block(lines, at + 1, 0)
        body = lines[at + 1 : end]
        if directive := rst_parts.DIRECTIVE.match(line):
            if directive["name"]:
                return end, ""
            return end, self._directive(directive["kind"].lower(), directive["argument"] or "", body, depth)
        if footnote := _FOOTNOTE.match(line):
            text = " ".join(self._inner([footnote["text"] or "", *dedented(body)], depth))
            return end, f"[{footnote['mark'].lstrip('#') or '#'}] {text}"
        return end, ""  # a comment, or the target of a link

    def _directive(self, kind: str, argument: str, body: Sequence[str], depth: int) -> str:
        options, content = rst_parts.options(body)
        if kind in ("csv-table", "list-table", "table", "math", "image", "figure"):
            return self._data(kind, argument, options, content, depth)
        if kind in rst_parts.DROPPED:
            return ""
        if kind in rst_parts.LITERAL:
            language = argument if re.fullmatch(r"[\w+#.-]{1,30}", argument) else ""
            caption = self._plain(options.get("caption", ""))
            code = dedented([argument, *content] if kind == "productionlist" else content)
            if kind == "parsed-literal":
                code = [rst_inline.plain(line, self._substitutions) for line in code]
            return "\n\n".join(part for part in (caption, fenced("\n".join(code), language)) if part)
        if kind in rst_parts.CHANGES:
            version, _, rest = argument.partition(" ")
            return _labelled(
                rst_parts.CHANGES[kind].format(version), self._inner([rest, *dedented(content)], depth)
            )
        if kind in rst_parts.ADMONITIONS or kind == "admonition":
            own = [argument] if kind != "admonition" else []
            inner = self._inner([*own, *dedented(content)], depth)
            names = {"seealso": "See also", "admonition": self._plain(argument)}
            return _labelled(names.get(kind, kind.capitalize()), inner)
        return self._unknown(kind, argument, content, depth)

    def _unknown(self, kind: str, argument: str, content: Sequence[str], depth: int) -> str:
        """The description of a function, an option or a term; a topic, a sidebar; whatever an extension adds."""
        code = kind.rpartition(":")[2] in rst_parts.DESCRIBED
        names_a_style = kind in ("class", "cssclass", "rst-class") and argument == argument.lower()
        lines = [] if names_a_style or kind in rst_parts.WITHOUT_TITLE else [argument]
        signatures = 0
        while code and argument and signatures < len(content) and content[signatures].strip():
            lines.append(content[signatures].strip())
            signatures += 1
        head = "\n".join(line if code else self._plain(line) for line in lines if line)
        inner = self._inner(dedented(content[signatures:]), depth)
        return "\n\n".join(part for part in (head, *inner) if part)

    def _data(
        self, kind: str, argument: str, options: dict[str, str], content: Sequence[str], depth: int
    ) -> str:
        title = self._plain(argument)
        if kind in ("image", "figure"):
            alt = self._plain(options.get("alt", ""))
            return "\n\n".join(part for part in (alt, *self._inner(dedented(content), depth)) if part)
        if kind == "math":
            return fenced("\n".join(dedented([argument, *content])), "math")
        if kind == "list-table":
            rows = rst_parts.list_rows(dedented(content))
        elif kind == "csv-table":
            rows = rst_parts.csv_rows(dedented(content), options)
        else:
            return "\n\n".join(part for part in (title, *self._inner(dedented(content), depth)) if part)
        cells = [[self._plain(cell) for cell in row] for row in rows]
        return "\n\n".join(part for part in (title, table(cells)) if part)

    def _inner(self, lines: Sequence[str], depth: int) -> list[str]:
        if depth >= _MAX_DEPTH:
            return [self._plain(" ".join(lines))]
        return [part for part in self._blocks(lines, depth + 1) if part]

    def _table(self, lines: Sequence[str], at: int, depth: int) -> tuple[int, str] | None:
        if is_grid_border(lines[at]):
            end = at
            while end < len(lines) and lines[end].strip() and lines[end].lstrip()[0] in "+|":
                end += 1
            return end, table(grid_rows(dedented(lines[at:end]), self._plain))
        if not _SIMPLE_BORDER.match(lines[at]):
            return None
        end, borders = at + 1, 1
        while end < len(lines):
            borders += bool(_SIMPLE_BORDER.match(lines[end]))
            following = lines[end + 1].strip() if end + 1 < len(lines) else ""
            if _SIMPLE_BORDER.match(lines[end]) and not following:
                break
            end += 1
        if end == len(lines):
            return None
        return end + 1, table(rst_parts.simple_rows(lines[at:end], self._plain))

    def _list(self, lines: Sequence[str], at: int, depth: int) -> tuple[int, str] | None:
        found = _BULLET.match(lines[at]) or _NUMBER.match(lines[at])
        if not found:
            return None
        width = found.end()
        end = indented_block(lines, at + 1, 0)
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if (
            following.strip()
            and not indent(following)
            and not (_BULLET.match(following) or _NUMBER.match(following))
        ):
            return None  # a sentence that begins with "A. " or "- "
        inner = self._inner([lines[at][width:], *_shifted(lines[at + 1 : end], width)], depth)
        mark = "-" if found.re is _BULLET or found["mark"] == "#" else found[0].strip()
        return end, f"{mark} " + "\n".join(
            "  " * bool(at) + part.replace("\n", "\n  ") for at, part in enumerate(inner)
        )

    def _field(self, lines: Sequence[str], at: int, depth: int) -> tuple[int, str] | None:
        found = _FIELD.match(lines[at])
        if not found:
            return None
        end = indented_block(lines, at + 1, 0)
        if (
            not depth
            and not self.title
            and found["name"].lower() in ("orphan", "tocdepth", "nocomments", "nosearch")
        ):
            return end, ""
        value = "\n".join(self._inner([found["value"] or "", *dedented(lines[at + 1 : end])], depth))
        if not depth:
            self._fields.setdefault(found["name"].lower(), value)
        return end, f"{self._plain(found['name'])}: {value}".rstrip()

    def _line_block(self, lines: Sequence[str], at: int, depth: int) -> tuple[int, str] | None:
        end = at
        while end < len(lines) and (
            _LINE_BLOCK.match(lines[end]) or (end > at and lines[end].startswith("  "))
        ):
            end += 1
        if end == at:
            return None
        return end, "\n".join(self._plain(lines[n].lstrip("| ")) for n in range(at, end))

    def _paragraph(self, lines: Sequence[str], at: int, depth: int) -> tuple[int, list[str]]:
        if indent(lines[at]):
            end = indented_block(lines, at, 0)
            return end, self._inner(dedented(lines[at:end]), depth)
        if lines[at].startswith(">>>"):
            end = next((n for n in range(at, len(lines)) if not lines[n].strip()), len(lines))
            return end, [fenced("\n".join(lines[at:end]))]
        end = at + 1
        while end < len(lines) and lines[end].strip() and not indent(lines[end]):
            end += 1
        text = "\n".join(lines[at:end])
        if end == at + 1 and end < len(lines) and lines[end].strip() and not text.endswith("::"):
            block = indented_block(lines, end, 0)
            definition = self._inner(dedented(lines[end:block]), depth)
            return block, [_labelled(self._plain(text), definition)]
        if not text.endswith("::"):
            return end, [markdown.literal(self._plain(text))]
        text = "" if text.strip() == "::" else text[:-2].rstrip() + ("" if text[-3:-2].isspace() else ":")
        block = indented_block(lines, end, 0)
        return block, [self._plain(text), fenced("\n".join(dedented(lines[end:block])))]


def _labelled(label: str, parts: Sequence[str]) -> str:
    """A label before the first part, or above it where that is a table, code or a list."""
    if parts and not parts[0].startswith(("```", "|", "#", "- ")):
        return "\n\n".join([f"{label}: {parts[0]}" if label else parts[0], *parts[1:]])
    return "\n\n".join([label, *parts])


def _shifted(lines: Sequence[str], width: int) -> list[str]:
    """The lines of a list item without the indentation of its mark."""
    least = min((indent(line) for line in lines if line.strip()), default=0)
    return [line[min(width, least) :] for line in lines]
